#!/usr/bin/env python3
"""Validates the SARIF of the invented shop against the official 2.1.0 schema that the serde-sarif crate ships."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parent.parent


def schema():
    text = subprocess.run(
        ["cargo", "metadata", "--locked", "--format-version", "1"], cwd=ROOT, check=True, capture_output=True
    ).stdout
    manifest = next(it["manifest_path"] for it in json.loads(text)["packages"] if it["name"] == "serde-sarif")
    return json.loads((pathlib.Path(manifest).parent / "src" / "schema.json").read_text(encoding="utf-8"))


def main():
    with tempfile.TemporaryDirectory() as folder:
        shop = pathlib.Path(folder) / "shop"
        subprocess.run([sys.executable, str(ROOT / "fixtures" / "shop" / "build"), str(shop)], check=True)
        report = pathlib.Path(folder) / "report.sarif"
        subprocess.run(["cargo", "build", "--locked", "--quiet"], cwd=ROOT, check=True)
        binary = ROOT / "target" / "debug" / "keyatlas"
        scan = [str(binary), "scan", "--history", "--format", f"sarif={report}", "."]
        # Whoever runs this may have an inventory and settings of their own.
        alone = {name: value for name, value in os.environ.items() if not name.startswith(("KEYATLAS_", "XDG_"))}
        alone.update(dict.fromkeys(["HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA"], folder))
        done = subprocess.run(scan, cwd=shop / "estate", env=alone, check=False)
        assert done.returncode == 1, done.returncode
        log = json.loads(report.read_text(encoding="utf-8"))
    rules = schema()
    faults = list(jsonschema.validators.validator_for(rules)(rules).iter_errors(log))
    for fault in faults[:20]:
        print(f"{'/'.join(map(str, fault.absolute_path))}: {fault.message[:300]}")
    assert log["version"] == "2.1.0" and log["runs"][0]["results"], "an empty report proves nothing"
    print(f"sarif: {len(log['runs'][0]['results'])} results, {len(faults)} faults against the schema")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
