"""A stand-in for a meter with a web server that signs its transactions (LEM DCBM's interface, OCMF records).

It shares nothing with the program: Python's own http.server and the PyPI package `cryptography`. It listens on a free
loopback port, prints one line of JSON (port, public key, fingerprint) and ends when its standard input closes.
"""

import argparse
import datetime
import hashlib
import http.server
import json
import ssl
import sys
import tempfile
import threading
import time
from urllib.parse import parse_qs, urlparse

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

options = argparse.ArgumentParser()
options.add_argument("--sign-after", type=float, default=0.0)
options.add_argument("--tls", choices=["", "rsa1024", "ec"], default="")
options.add_argument("--tamper", action="store_true", help="one digit of the energy is changed after signing")
options.add_argument("--replay", action="store_true", help="another transaction's record is handed out")
options.add_argument("--no-sync-bit", action="store_true", help="the status tells nothing of the clock")
options.add_argument("--unsynced", action="store_true")
options.add_argument("--cable", type=float, default=0)
options.add_argument("--fast", type=float, default=0.0, help="the register is off by so many percent")
options.add_argument("--slow-start", action="store_true", help="refuses every start")
arguments = options.parse_args()

key = ec.generate_private_key(ec.SECP256R1())
public = key.public_key().public_bytes(
    serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
)
SERIAL = "12024072805"
BEGAN = time.monotonic()
state = {"running": None, "done": {}, "page": 5}


def register():
    # 100 kW, so that a second moves the last digit well.
    return 188.0 + (time.monotonic() - BEGAN) * 100 / 3600


def stamp():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S,000+0000 R")


def record(begin, end, began, ended):
    if arguments.replay:
        begin, end = begin - 50, end - 50
    end = begin + (end - begin) * (1 + arguments.fast / 100)
    state["page"] += 1
    payload = (
        '{"FV":"1.0","GI":"LEM DCBM","GS":"%s","GV":"v1","PG":"T%d","MV":"LEM","MS":"%s","MF":"MU-0.1.4.0_SU-0.0.8.0",'
        '"IS":true,"IL":"HEARSAY","IF":["RFID_RELATED"],"IT":"ISO14443","ID":"1","CT":"EVSEID","CI":"pipe | inside",'
        '"RD":[{"TM":"%s","TX":"B","RV":%.3f,"RI":"1-0:1.8.0","RU":"kWh","RT":"DC","EF":"","ST":"G",'
        '"UC":{"UN":"No_Comp","UI":2,"UR":0}},{"RV":4.405,"RI":"1-0:2.8.0","RU":"kWh","ST":"G"},'
        '{"TM":"%s","TX":"E","RV":%.3f,"RI":"1-0:1.8.0","RU":"kWh","ST":"G"},'
        '{"RV":4.405,"RI":"1-0:2.8.0","RU":"kWh","ST":"G"}]}'
    ) % (SERIAL, state["page"], SERIAL, began, begin, ended, end)
    signature = key.sign(payload.encode(), ec.ECDSA(hashes.SHA256())).hex().upper()
    if arguments.tamper:
        payload = payload.replace("4.405", "4.406", 1)
    return 'OCMF|%s|{"SA":"ECDSA-secp256r1-SHA256","SD":"%s"}' % (payload, signature)


class Meter(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, body, chunked=False):
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            half = len(data) // 2
            for part in (data[:half], data[half:], b""):
                self.wfile.write(b"%x\r\n" % len(part) + part + b"\r\n")
        else:
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    def do_GET(self):
        url = urlparse(self.path)
        if url.path == "/v1/status":
            bits = {
                "suLinkStatusIsOk": True,
                "muFatalErrorOccured": False,
                "transactionIsOnGoing": state["running"] is not None,
                "tamperingIsDetected": False,
                "timeSyncStatusIsOk": not arguments.unsynced,
            }
            if arguments.no_sync_bit:
                del bits["timeSyncStatusIsOk"]
            self.reply(
                200,
                {
                    "status": {"value": 17, "bits": bits},
                    "version": {"applicationFirmwareVersion": "0.1.4.0"},
                    "time": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
                    "meterId": SERIAL,
                    "publicKeyOcmf": public.hex(),
                },
                chunked=True,
            )
        elif url.path == "/v1/livemeasure":
            body = '{"voltage":500.0,"current":200.00,"power":100.0,"temperatureH":0,"temperatureL":0,'
            body += '"energyImportTotal":%.3f,"energyExportTotal":4.405,"timestamp":"2026-11-21T00:00:00"}' % register()
            self.reply(200, body)
        elif url.path == "/v1/ocmf":
            name = parse_qs(url.query).get("transactionId", [""])[0]
            done = state["done"].get(name)
            if done is None:
                self.reply(404, {"error": "unknown transaction"})
            elif time.monotonic() < done["ready"]:
                self.reply(404, {"error": "not signed yet"})
            else:
                self.reply(200, done["record"])
        else:
            self.reply(404, {})

    def body(self):
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def do_POST(self):
        asked = self.body()
        if arguments.slow_start or state["running"]:
            self.reply(400, {"error": "transaction not possible"})
            return
        state["running"] = dict(asked, begin=register(), began=stamp())
        self.reply(201, dict(asked, running=True))

    def do_PUT(self):
        name = parse_qs(urlparse(self.path).query).get("transactionId", [""])[0]
        asked, running = self.body(), state["running"]
        if asked != {"running": False} or not running or running["transactionId"] != name:
            self.reply(400, {"error": "no such transaction"})
            return
        end = register()
        state["running"] = None
        state["done"][name] = {
            "ready": time.monotonic() + arguments.sign_after,
            "record": record(running["begin"], end, running["began"], stamp()),
        }
        self.reply(
            200,
            {
                "transactionId": name,
                "cableSp": {"cableSpName": "x", "cableSpId": 1, "cableSpRes": arguments.cable},
                "meterValue": {"sampleValue": {"energyUnit": "kWh", "energyImport": round(end - running["begin"], 3)}},
                "meterId": SERIAL,
            },
        )


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Meter)
fingerprint = ""
if arguments.tls:
    short = arguments.tls == "rsa1024"
    own = rsa.generate_private_key(65537, 1024) if short else ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "LEM DCBM")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(own.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=4000))
        .not_valid_after(now - datetime.timedelta(days=1))
        .sign(own, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    fingerprint = hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with tempfile.NamedTemporaryFile() as file:
        file.write(certificate.public_bytes(pem))
        file.write(
            own.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        file.flush()
        context.load_cert_chain(file.name)
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(
    json.dumps({"port": server.server_address[1], "key": public.hex(), "fingerprint": fingerprint}), flush=True
)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
