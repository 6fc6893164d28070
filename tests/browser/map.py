#!/usr/bin/env python3
"""The map as a page, in a real Chromium: searched, filtered, walked through by mouse and keys, in the dark, on a
narrow screen and on paper; nothing leaves it, and no name becomes markup.

    tests/browser/map.py [--picture FILE]      the second writes the picture of the manual
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from chromium import Chromium, program  # noqa: E402: after the line that keeps this folder clean

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "\"'`><svg/onload=alert(3)>",
    "a\u202ecod.exe\u2066\u2028\u200f",
    "bell\u0007\u001b[31m",
    "javascript:alert(4)",
]


class Estate:
    """A folder with an inventory, and the built binary for it."""

    def __init__(self, folder):
        self.folder = folder
        self.binary = os.environ.get("KEYATLAS_TEST_BINARY", str(ROOT / "target" / "debug" / "keyatlas"))
        home = folder / "home"
        home.mkdir()
        names = ["HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "XDG_DATA_HOME", "XDG_CONFIG_HOME"]
        kept = {name: it for name, it in os.environ.items() if not name.startswith("KEYATLAS_")}
        own = {"KEYATLAS_INVENTORY": str(folder / "inventory.db"), "KEYATLAS_KEY_FILE": str(folder / "estate.key")}
        self.environment = {**kept, **dict.fromkeys(names, str(home)), **own}

    def run(self, *arguments, at="."):
        done = subprocess.run(
            [self.binary, *arguments], cwd=self.folder / at, env=self.environment, capture_output=True, check=False
        )
        assert done.returncode == 0, (arguments, done.returncode, done.stderr.decode())

    def page(self, at, *arguments):
        page = self.folder / "map.html"
        self.run("map", "--format", f"html={page}", *arguments, at=at)
        return page


def shop(folder):
    subprocess.run([sys.executable, str(ROOT / "fixtures" / "shop" / "build"), str(folder / "shop")], check=True,
                   stdout=subprocess.DEVNULL)
    estate = Estate(folder)
    estate.run("inventory", "init")
    estate.run("inventory", "import", "csv", "shop/inventory/inventory.csv", "--complete", "github-actions")
    return estate.page("shop/estate", "--history")


def hostile(folder):
    """Names of records, owners, files and jobs that would be markup, or lead the eye astray."""
    estate = Estate(folder)
    tree = folder / "tree"
    (tree / ".github" / "workflows").mkdir(parents=True)
    quoted = lambda it: '"%s"' % it.replace('"', '""')
    rows = [",".join(map(quoted, [f"kv/{it.replace('/', '|')}", "github-actions", it, it, "1999-01-01"])) for it in HOSTILE]
    head = "name,provider,environment,owner,rotated"
    (folder / "records.csv").write_text("\n".join([head, *rows, "TOKEN,github-actions,x,x,1999-01-01"]), encoding="utf-8")
    for at, name in enumerate(HOSTILE):
        job = json.dumps(name)
        text = f"on: push\njobs:\n  {job}:\n    runs-on: x\n    steps:\n    - run: x\n      env: {{T: \"${{{{ secrets.TOKEN }}}}\"}}\n"
        file = f"{at}{name.replace('/', '|')}.yml"
        (tree / ".github" / "workflows" / file).write_text(text, encoding="utf-8")
    estate.run("inventory", "init")
    estate.run("inventory", "import", "csv", "records.csv")
    return estate.page("tree")


def texts(browser, selector):
    return browser.ask(f"[...document.querySelectorAll({json.dumps(selector)})].map(it => it.textContent)")


def count(browser):
    return browser.ask("document.getElementById('count').textContent")


def choose(browser, facet, start):
    """Takes the value of a filter whose name begins so."""
    browser.ask(
        f"(() => {{ const it = document.querySelector('[data-facet={facet}]');"
        f"it.value = [...it.options].find(it => it.text.startsWith({json.dumps(start)})).value;"
        "it.dispatchEvent(new Event('change')); })()"
    )


def is_shown(label):
    return f"document.getElementById('title').textContent === {json.dumps(label)}"


def point(browser, selector):
    return browser.ask(
        f"(() => {{ const it = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
        "return [it.x + it.width / 2, it.y + it.height / 2]; })()"
    )


def press_at(browser, selector):
    x, y = point(browser, selector)
    for kind in ["mousePressed", "mouseReleased"]:
        browser.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)


def is_searched_and_filtered(browser):
    assert count(browser) == "30 records", count(browser)
    browser.press("/")
    browser.until("document.activeElement.id === 'search'")
    for search, expected in [
        ("shop/db", ["kv/shop/db#password"]),
        ("BO@SHOP smtp", ["kv/shop/mail#smtp_password"]),
        ("app/db.py", ["kv/shop/db#password"]),
        ("nothing-like-it", []),
    ]:
        browser.ask("document.getElementById('search').value = ''")
        browser.type(search)
        browser.until(f"document.querySelectorAll('.row').length === {len(expected)}")
        assert texts(browser, ".row .name") == expected, search
    by_workload = "Deployment/shop-api"
    browser.ask("document.getElementById('search').value = ''")
    browser.type(by_workload)
    browser.until("document.querySelectorAll('.row').length > 1")
    assert "kv/shop/search#api_key" in texts(browser, ".row .name")
    browser.press("Escape")
    browser.until("document.querySelectorAll('.row').length > 10")
    choose(browser, "verdict", "unused")
    assert texts(browser, ".row .name") == ["kv/shop/crm#api_key", "kv/shop/fax#token", "kv/shop/ftp#password"]
    choose(browser, "owner", "sales (2)")
    assert count(browser) == "2 records of 30", count(browser)
    browser.ask("document.getElementById('clear').click()")
    choose(browser, "use", "by value")
    found = texts(browser, ".row .name")
    assert found == ["kv/shop/db#password", "kv/shop/mail#smtp_password", "kv/shop/webhooks#signing_secret"], found
    choose(browser, "level", "error")
    choose(browser, "use", "any")
    choose(browser, "use", "unused")
    assert texts(browser, ".row .name") == ["kv/shop/tls/www#certificate"]
    browser.ask("document.getElementById('clear').click()")
    choose(browser, "environment", "staging")
    assert 0 < int(count(browser).split()[0]) < 30
    browser.ask("document.getElementById('clear').click()")
    assert count(browser) == "30 records"


def is_walked_through(browser):
    """From a record along its chain to the workload, over its file, and the same way back."""
    browser.press("/")
    browser.type("shop/db")
    browser.until("document.querySelectorAll('.row').length === 1")
    browser.press("ArrowDown")
    browser.until("document.activeElement.id === 'list'")
    browser.press("Enter")
    browser.until(is_shown("kv/shop/db#password"))
    assert browser.ask("document.activeElement.id") == "list"
    nodes = browser.ask(
        "[...document.querySelectorAll('a.node')].map(it => [it.classList[1], it.getBoundingClientRect().x])"
    )
    place = dict(nodes)
    chain = [place[it] for it in ["record", "kubernetes-secret", "environment", "workload"]]
    assert chain == sorted(set(chain)), nodes
    assert texts(browser, ".verdict strong") == ["exposed", "rotated-but-exposed"]
    assert any("external-secrets.yaml:16" in it and "app/db.py:12" in it for it in texts(browser, ".use"))
    told = browser.ask("[...document.querySelectorAll('.edge')].map(it => it.getAttribute('aria-label'))")
    assert any("secret-key-ref" in it and "shop-api.yaml:25" in it for it in told), told
    browser.ask("document.querySelector('a.edge').focus()")
    browser.until("!document.getElementById('tip').hidden")
    assert ":" in texts(browser, "#tip")[0]
    browser.press("Escape")
    browser.until("document.getElementById('tip').hidden")
    browser.ask("document.getElementById('graph').scrollLeft = 10000")
    press_at(browser, "a.node.workload")
    browser.until(is_shown("Deployment/shop-api"))
    records = texts(browser, ".columns section:first-child a")
    assert {"kv/shop/db#password", "kv/shop/mail#smtp_password"} <= set(records), records
    browser.ask("[...document.querySelectorAll('.use a')].find(it => it.textContent.includes('k8s/shop-api.yaml')).focus()")
    browser.press("Enter")
    browser.until(is_shown("shop-deploy/k8s/shop-api.yaml"))
    assert browser.ask("document.querySelectorAll('.edge.here').length") > 0
    browser.ask("[...document.querySelectorAll('a.node.environment')].find(it => it.textContent.includes('DB_PASSWORD')).focus()")
    browser.press("Enter")
    browser.until(is_shown("env:DB_PASSWORD"))
    for label in ["shop-deploy/k8s/shop-api.yaml", "Deployment/shop-api", "kv/shop/db#password"]:
        browser.ask("history.back()")
        browser.until(is_shown(label))
    browser.ask("history.forward()")
    browser.until(is_shown("Deployment/shop-api"))
    browser.ask("document.querySelector('h1 a').click()")
    browser.until(is_shown("Everything"))
    browser.ask("document.getElementById('clear').click()")


def is_moved_through_by_keys(browser):
    browser.ask("document.getElementById('list').focus()")
    active = "document.getElementById(document.getElementById('list').getAttribute('aria-activedescendant'))"
    browser.press("End")
    browser.until(f"{active}?.ariaPosInSet === '30'")
    browser.press("ArrowUp")
    browser.until(f"{active}?.ariaPosInSet === '29'")
    browser.press("Home")
    browser.until(f"{active}?.ariaPosInSet === '1'")
    browser.ask("document.getElementById('by-list').value = 'workloads'")
    browser.ask("document.getElementById('by-list').dispatchEvent(new Event('change'))")
    assert "Deployment/shop-api" in texts(browser, ".row .name")
    browser.ask("document.getElementById('by-list').value = 'records'")
    browser.ask("document.getElementById('by-list').dispatchEvent(new Event('change'))")
    nameless = browser.ask(
        "[...document.querySelectorAll('input, select, button, a, [role=listbox]')]"
        ".filter(it => !(it.ariaLabel || it.textContent.trim())).map(it => it.outerHTML)"
    )
    assert nameless == [], nameless


def is_drawn_in_parts(browser):
    """Of many uses the first are drawn and the rest on demand; the list holds no more rows than can be seen."""
    browser.ask("location.hash = 'record/kv%2Fshop%2Fdb%23password'")
    browser.until(is_shown("kv/shop/db#password"))
    browser.ask("page.drawing.draw(page.named(), 2)")
    drawn = len(texts(browser, "a.node"))
    assert texts(browser, "#drawn") == ["1 of 3 uses drawn; the list below has all. Draw more"], texts(browser, "#drawn")
    browser.ask("document.querySelector('#drawn button').click()")
    browser.until(f"document.querySelectorAll('a.node').length > {drawn}")
    browser.ask("more(document.getElementById('drawn'), [...Array(70).keys()], 10, it => element('li', {class: 'x'}, String(it)))")
    for expected in [10, 60, 70]:
        assert len(texts(browser, "#drawn .x")) == expected
        browser.ask("document.querySelector('#drawn .more button')?.click()")
    assert texts(browser, "#drawn .x")[-1] == "69"
    assert len(texts(browser, ".row")) < 30


def is_laid_out(browser):
    """In random graphs nothing overlaps in its column, and what is no circle leads to the right."""
    faults = browser.ask(
        """(() => {
        let seed = 7;
        const random = n => (seed = (seed * 48271) % 2147483647) % n;
        const faults = [];
        for (let turn = 0; turn < 60; turn++) {
            const n = 2 + random(40);
            const circles = turn % 3 === 0;
            const edges = Array.from({length: random(80)}, () => [random(n), random(n)])
                .filter(([from, to]) => from !== to && (circles || from < to));
            const it = layout(n, edges, 50, 10);
            if (!circles && edges.some(([from, to]) => it.layers[from] >= it.layers[to])) faults.push(`${turn}: to the left`);
            for (let a = 0; a < n; a++) {
                for (let b = 0; b < a; b++) {
                    if (it.layers[a] === it.layers[b] && Math.abs(it.y[a] - it.y[b]) < 59.9) faults.push(`${turn}: ${a} on ${b}`);
                }
                if (!(it.y[a] >= 24.9 && it.y[a] <= it.height - 24.9)) faults.push(`${turn}: ${a} outside`);
            }
        }
        return faults;
        })()"""
    )
    assert faults == [], faults


def contrast(browser):
    return browser.ask(
        """(() => {
        const light = text => text.match(/[0-9.]+/g).slice(0, 3).map(it => it / 255)
            .map(it => it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4)
            .reduce((sum, it, at) => sum + it * [0.2126, 0.7152, 0.0722][at], 0);
        const ground = light(getComputedStyle(document.body).backgroundColor);
        const ratios = ['body', '.about', '.level.error', '.level.warning', '.level.note', 'main a', '#kind'].map(it => {
            const text = light(getComputedStyle(document.querySelector(it)).color);
            return [it, (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05)];
        });
        return [ground, ratios];
        })()"""
    )


def is_readable_everywhere(browser):
    browser.ask("location.hash = 'workload/Deployment%2Fshop-api/shop-api'")
    browser.until(is_shown("Deployment/shop-api"))
    for scheme, is_dark in [("light", False), ("dark", True), ("light", False)]:
        browser.scheme(scheme)
        ground, ratios = contrast(browser)
        assert (ground < 0.2) == is_dark, (scheme, ground)
        # WCAG 2.2, success criterion 1.4.3.
        assert all(it >= 4.5 for _, it in ratios), (scheme, ratios)
    browser.size(360, 740)
    browser.until("innerWidth === 360")
    for hash in ["", "record/kv%2Fshop%2Fdb%23password"]:
        browser.ask(f"location.hash = '{hash}'")
        browser.until(f"document.body.dataset.view === '{'one' if hash else 'all'}'")
        assert browser.ask("document.documentElement.scrollWidth") == 360, hash
    assert browser.ask("document.querySelector('aside').offsetParent === null")
    browser.paper()
    assert browser.ask("document.querySelector('main').offsetParent !== null && document.querySelector('aside').offsetParent === null")
    browser.scheme("light")
    browser.size(1200, 750)
    browser.until("innerWidth === 1200")


def stays_text(browser):
    rows = texts(browser, ".row .name")
    assert f"kv/{HOSTILE[0]}" in rows and len(rows) == 7, rows
    assert any("\\u{202e}cod" in it for it in rows), rows
    # The page's own elements, and none that a name brought along.
    for node in browser.ask("[...page.atlas.byKey.keys()]"):
        browser.ask(f"location.hash = {json.dumps('#' + node)}")
        browser.until(f"document.body.dataset.shown === {json.dumps('#' + node)}")
        strange = browser.ask("[...document.querySelectorAll('img, iframe, object, embed, [onerror], [onload], [style*=url]')]"
                              ".map(it => it.outerHTML)")
        assert strange == [], strange
        assert browser.ask("document.scripts.length") == 2
        outward = browser.ask("[...document.querySelectorAll('a')].map(it => it.getAttribute('href')).filter(it => !it.startsWith('#'))")
        assert outward == [], outward
    browser.ask("location.hash = 'record/TOKEN'")
    browser.until(is_shown("TOKEN"))
    seen = " ".join(texts(browser, "#graph") + texts(browser, "#details"))
    assert "<img src=x onerror=alert(1)>" in seen, seen
    assert not any(it in seen for it in "\u0007\u001b\u202e\u2066\u2028"), seen


def is_alone(browser, page):
    """No request but for the page itself, no complaint; and the watch would have seen one."""
    assert set(browser.requests) == {page.resolve().as_uri()}, browser.requests
    assert browser.faults == [], browser.faults
    assert browser.ask("refused") == []
    browser.ask("fetch('http://127.0.0.1:9/').catch(() => 0)")
    browser.ask("void (document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:9/x.png'})))")
    browser.until("refused.length >= 2")
    assert browser.ask("(() => { try { document.body.innerHTML = '<b>x</b>'; return 'set'; } catch { return 'refused'; } })()") == "refused"


def picture(page, file):
    with Chromium() as browser:
        browser.open(page)
        browser.ask("document.querySelector('#row-0').click()")
        browser.until(is_shown("kv/shop/db#password"))
        browser.picture(file)


def main():
    if program() is None:
        print("map.py: there is no Chromium on the PATH (or in KEYATLAS_TEST_BROWSER); install chromium", file=sys.stderr)
        return 1
    if "KEYATLAS_TEST_BINARY" not in os.environ:
        subprocess.run(["cargo", "build", "--locked", "--quiet"], cwd=ROOT, check=True)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        page = shop(pathlib.Path(one))
        if sys.argv[1:2] == ["--picture"]:
            picture(page, pathlib.Path(sys.argv[2]))
            return 0
        steps = [is_searched_and_filtered, is_walked_through, is_moved_through_by_keys]
        steps += [is_drawn_in_parts, is_laid_out, is_readable_everywhere]
        for page, acts in [(page, steps), (hostile(pathlib.Path(other)), [stays_text])]:
            with Chromium() as browser:
                browser.open(page)
                for act in acts:
                    act(browser)
                is_alone(browser, page)
    print("map: searched, filtered and walked through in Chromium; nothing left the page")
    return 0


if __name__ == "__main__":
    sys.exit(main())
