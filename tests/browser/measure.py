#!/usr/bin/env python3
"""What a page of 10,000 records and 100,000 uses costs: its size, and in Chromium the time until it is ready, until a
search has its rows, a filter its counts, and a node its graph.

    KEYATLAS_TEST_BINARY=target/release/keyatlas tests/browser/measure.py [APPS [PAGE]]

Each app has ten records, each with a chain of three hops to ten lines of code.
"""

import pathlib
import sys
import tempfile
import time

sys.dont_write_bytecode = True
from chromium import Chromium  # noqa: E402: after the line that keeps this folder clean
from map import Estate  # noqa: E402

STORE = """apiVersion: external-secrets.io/v1
kind: ClusterSecretStore
metadata: {name: vault}
spec: {provider: {vault: {server: https://vault.example, path: kv, version: v2}}}
"""
EXTERNAL = """---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: %(app)s-%(n)d, namespace: %(team)s}
spec:
  secretStoreRef: {name: vault, kind: ClusterSecretStore}
  target: {name: %(app)s-%(n)d}
  data:
  - secretKey: key
    remoteRef: {key: kv/%(team)s/%(app)s/%(n)d, property: key}
"""
DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: %(app)s, namespace: %(team)s}
spec:
  template:
    spec:
      containers:
      - name: main
        env:
"""
VARIABLE = """        - name: %(name)s
          valueFrom: {secretKeyRef: {name: %(app)s-%(n)d, key: key}}
"""


def planted(folder, apps):
    """Apps in folders of their own, and the table of their records."""
    rows = ["name,key,provider,environment,owner,rotated"]
    (folder / "store.yaml").write_text(STORE, encoding="utf-8")
    for at in range(apps):
        facts = {"app": f"app-{at}", "team": f"team-{at % 40}"}
        home = folder / facts["app"]
        home.mkdir()
        externals, deployment, code = "", DEPLOYMENT % facts, [f"import os  # {at}"]
        for n in range(10):
            facts.update(n=n, name=f"APP_{at}_KEY_{n}")
            externals += EXTERNAL % facts
            deployment += VARIABLE % facts
            code += [f"step_{n}_{it} = os.environ['{facts['name']}']" for it in range(10)]
            environment = ["production", "staging", "test"][n % 3]
            rows.append(f"kv/{facts['team']}/{facts['app']}/{n},key,vault,{environment},{facts['team']},2026-0{n % 9 + 1}-01")
        (home / "external.yaml").write_text(externals, encoding="utf-8")
        (home / "deployment.yaml").write_text(deployment, encoding="utf-8")
        (home / "main.py").write_text("\n".join(code) + "\n", encoding="utf-8")
    return "\n".join(rows) + "\n"


def timed(browser, act, done):
    """Milliseconds from an act to the frame that shows what it brought."""
    return browser.ask(
        f"(async () => {{ const start = performance.now(); {act};"
        f"do await new Promise(done => requestAnimationFrame(done)); while (!({done}));"
        "return Math.round((performance.now() - start) * 10) / 10; })()"
    )


def search(text):
    return f"search.value = '{text}'; search.dispatchEvent(new Event('input'))"


def main():
    apps = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        tree = folder / "tree"
        tree.mkdir()
        estate = Estate(folder)
        (folder / "records.csv").write_text(planted(tree, apps), encoding="utf-8")
        estate.run("inventory", "init")
        estate.run("inventory", "import", "csv", "records.csv")
        start = time.monotonic()
        page = estate.page("tree")
        print(f"map written in {time.monotonic() - start:.2f} s, {page.stat().st_size / 1e6:.2f} MB")
        if len(sys.argv) > 2:
            pathlib.Path(sys.argv[2]).write_bytes(page.read_bytes())
        with Chromium() as browser:
            browser.open(page)
            print("counts:", browser.ask("document.getElementById('about').textContent"))
            print("load, ms:", browser.ask("Math.round(performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd)"))
            count = "document.getElementById('count').textContent"
            owner = "(() => { const it = document.querySelector('[data-facet=owner]'); it.value = '=team-7';" \
                "it.dispatchEvent(new Event('change')); })()"
            for name, act, done in [
                ("first search", search("app-77/"), f"{count}.startsWith('10 ')"),
                ("next search", search("main.py app-123/"), f"{count}.startsWith('10 ')"),
                ("search that all have", search("e"), f"{count}.startsWith('{apps * 10:,} ')"),
                ("search that none has", search("qqqq"), f"{count}.startsWith('0 ')"),
                ("search taken back", search(""), f"{count}.startsWith('{apps * 10:,} ')"),
                ("filter", owner, f"!{count}.startsWith('{apps * 10:,} ')"),
                ("end of the list", "document.getElementById('clear').click(); document.getElementById('list').scrollTop = 1e9",
                 f"document.getElementById('row-{apps * 10 - 1}')"),
                ("a workload's graph", "location.hash = '#workload/Deployment%2Fapp-7'", "document.querySelector('#graph a.node.workload')"),
                ("the list of files", "(() => { const it = document.getElementById('by-list'); it.value = 'files'; it.dispatchEvent(new Event('change')); })()",
                 f"{count}.endsWith('files')"),
            ]:
                print(f"{name}, ms:", timed(browser, act, done))
            memory = browser.call("Runtime.getHeapUsage")
            print(f"heap, MB: {memory['usedSize'] / 1e6:.0f}")
            assert browser.faults == [] and browser.ask("refused") == []
    return 0


if __name__ == "__main__":
    sys.exit(main())
