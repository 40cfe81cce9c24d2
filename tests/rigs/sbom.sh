#!/bin/sh
# The bill of materials of the program, CycloneDX 1.5 in JSON: all that is linked into the Debian package, with licence and
# SHA-256 of each crate, from the locked versions. Written to target/sbom/, not kept in git; it goes out with a release.
#
# Needs cargo-cyclonedx on the path: `cargo install --locked cargo-cyclonedx@0.5.9`. Where the Python package
# cyclonedx-python-lib[json-validation] is there (SBOM_PYTHON names its python), it is held against the schema by that.
set -eu
cd "$(dirname "$0")/../.."
target=${CARGO_TARGET_DIR:-target}
out=$target/sbom
mkdir -p "$out"
for platform in x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu; do
    name=phantomload-$platform
    # It writes beside Cargo.toml.
    cargo cyclonedx --quiet --format json --spec-version 1.5 --target "$platform" --override-filename "$name.cdx"
    mv "$name.cdx.json" "$out/"
    python3 - "$out/$name.cdx.json" <<'PY'
import json, sys
bill = json.load(open(sys.argv[1]))
parts = bill["components"]
assert bill["bomFormat"] == "CycloneDX" and bill["specVersion"] == "1.5", "not the form"
assert bill["metadata"]["component"]["name"] == "phantomload", "of something else"
bare = [part["name"] for part in parts if not part.get("licenses")]
assert not bare, f"no licence: {bare}"
print(f"{sys.argv[1]}: {len(parts)} components, each with its licence")
PY
    if [ -n "${SBOM_PYTHON:-}" ]; then
        "$SBOM_PYTHON" - "$out/$name.cdx.json" <<'PY'
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
fault = JsonStrictValidator(SchemaVersion.V1_5).validate_str(open(sys.argv[1]).read())
assert not fault, fault
print("  valid by the schema of CycloneDX 1.5, strictly")
PY
    fi
done
