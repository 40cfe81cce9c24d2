"""Checks every record of a file with a library that is not ours (`cryptography`, which is OpenSSL's); one line each.

r and s are read as unsigned numbers, as the record's maker must have meant them; a bare r and s likewise.
"""

import base64
import json
import sys

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils


def judged(line):
    text = line["ocmf"]
    # In these records no `|` stands inside the signature part.
    payload, section = text[len("OCMF|") : text.rindex("|")], json.loads(text[text.rindex("|") + 1 :])
    coded = section["SD"]
    signature = base64.b64decode(coded) if section.get("SE") == "base64" else bytes.fromhex(coded)
    raw = bytes.fromhex(line["public_key_hex"])
    try:
        if len(raw) == 64:
            key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + raw)
        else:
            key = serialization.load_der_public_key(raw)
    except (UnsupportedAlgorithm, ValueError):
        return "unsupported"
    if signature[0] == 0x30 and len(signature) != 64:
        at = 3 if signature[1] == 0x81 else 2
        numbers = []
        for _ in range(2):
            length = signature[at + 1]
            numbers.append(int.from_bytes(signature[at + 2 : at + 2 + length], "big"))
            at += 2 + length
    else:
        numbers = [int.from_bytes(half, "big") for half in (signature[:32], signature[32:])]
    try:
        key.verify(utils.encode_dss_signature(*numbers), payload.encode(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return "not_authentic"
    return "valid"


for line in open(sys.argv[1], encoding="utf-8"):
    line = json.loads(line)
    print(line["id"], judged(line))
