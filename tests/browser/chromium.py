"""A Chromium without a window, driven over a pair of pipes (`--remote-debugging-pipe`): no port is opened.

Nothing here waits for time to pass: a condition is asked for in the page until it holds, or a limit is over.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
LIMIT = 60

# Runs before anything of the page, and hears what its policy refuses.
LISTEN = """
window.refused = [];
document.addEventListener("securitypolicyviolation", it => window.refused.push(`${it.effectiveDirective} ${it.blockedURI}`));
"""


def program():
    """The browser to use, or nothing."""
    named = os.environ.get("KEYATLAS_TEST_BROWSER")
    return named or next(filter(None, map(shutil.which, NAMES)), None)


class Chromium:
    """A browser with one page; `requests` and `faults` hear everything that the page asks for or complains of."""

    def __init__(self, width=1200, height=750):
        self.home = tempfile.TemporaryDirectory()
        read, their_write = os.pipe()
        their_read, write = os.pipe()
        arguments = [
            program(), "--headless=new", "--remote-debugging-pipe", f"--user-data-dir={self.home.name}",
            "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-gpu", "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND", "--hide-scrollbars",
        ]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            arguments.append("--no-sandbox")
        # The browser reads from 3 and writes to 4.
        self.process = subprocess.Popen(
            ["sh", "-c", f'exec "$0" "$@" 3<&{their_read} 4>&{their_write}', *arguments],
            pass_fds=[their_read, their_write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        os.close(their_read)
        os.close(their_write)
        self.read, self.write = read, write
        self.rest, self.number, self.session = b"", 0, None
        self.requests, self.faults, self.events = [], [], []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Runtime", "Network", "Log"]:
            self.call(f"{domain}.enable")
        self.call("Page.addScriptToEvaluateOnNewDocument", source=LISTEN)
        self.size(width, height)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.session = None
            self.call("Browser.close")
        except (OSError, EOFError):
            self.process.kill()
        self.process.wait(LIMIT)
        os.close(self.read)
        os.close(self.write)
        self.home.cleanup()

    def call(self, method, **parameters):
        """Sends a command and gives its answer; what happens meanwhile is heard."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.write, data):]
        end = time.monotonic() + LIMIT
        while True:
            answer = self.message(end)
            if answer.get("id") != self.number:
                self.hear(answer)
            elif "error" in answer:
                raise AssertionError(f"{method}: {answer['error']}")
            else:
                return answer["result"]

    def message(self, end):
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.read], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise AssertionError("the browser does not answer")
            more = os.read(self.read, 1 << 20)
            if not more:
                raise EOFError("the browser is gone")
            self.rest += more
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def hear(self, event):
        method, told = event.get("method"), event.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.faults.append(told["exceptionDetails"].get("exception", {}).get("description", str(told)))
        elif method == "Log.entryAdded":
            self.faults.append(told["entry"]["text"])
        elif method == "Page.javascriptDialogOpening":
            self.faults.append(f"dialog: {told['message']}")

    def size(self, width, height, scale=1):
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False
        )

    def scheme(self, name):
        features = [{"name": "prefers-color-scheme", "value": name}]
        self.call("Emulation.setEmulatedMedia", media="", features=features)

    def paper(self):
        self.call("Emulation.setEmulatedMedia", media="print", features=[])

    def open(self, path, ready="'ready' in document.body.dataset"):
        self.call("Page.navigate", url=path.resolve().as_uri())
        self.until(ready)

    def ask(self, expression):
        """What an expression gives in the page; a promise is waited for."""
        done = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in done:
            raise AssertionError(f"{expression}: {done['exceptionDetails'].get('exception', {}).get('description')}")
        return done["result"].get("value")

    def until(self, condition):
        """Waits until a condition holds in the page; asked anew with each frame."""
        end = time.monotonic() + LIMIT
        frame = "new Promise(done => requestAnimationFrame(() => done(Boolean(%s))))"
        while not self.ask(f"document.body ? {frame % condition} : false"):
            if time.monotonic() > end:
                raise AssertionError(f"never so: {condition}")

    def press(self, key, **more):
        code = {"/": "Slash", "Enter": "Enter"}.get(key, key)
        text = {"Enter": "\r", "/": "/"}.get(key)
        down = {"type": "keyDown", "key": key, "code": code, **more}
        if text:
            down["text"] = text
        for name, number in [("Enter", 13), ("ArrowDown", 40), ("ArrowUp", 38), ("End", 35), ("Home", 36), ("Tab", 9), ("Escape", 27)]:
            if key == name:
                down["windowsVirtualKeyCode"] = number
        self.call("Input.dispatchKeyEvent", **down)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=code)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def move(self, x, y):
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def picture(self, path):
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))
