"""Opens reports in a headless Chromium: no error on the console, no request that leaves the file.

    python .ci/browser.py [--shots FOLDER] [--within FOLDER] [FILE.html ...]

Without files it writes the report of a small simulated search, in both languages, and opens
those of the lab as well. Pages of a site may load other files of its folder (`--within`). A page
with a script error, a picture from elsewhere and a form comes first: if the browser did not report
those, the check would be worth nothing. Where Chromium is absent and cannot be installed
(apt-get, as root) it says that the check was skipped.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REPORTS = Path(__file__).resolve().parent.parent / "report"
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip
LOOKS = {
    "light": ("light", 1000), "dark": ("dark", 1000), "narrow": ("light", 400),
}  # fmt: skip
PATIENCE = 60.0
CHATTER = ("log", "info", "debug")
"""Console messages that complain about nothing; the site's theme writes some."""
CONTROL = """<!doctype html><title>control</title>
<img src="http://127.0.0.1:9/elsewhere.png" alt=""><script>console.error("seen")</script>"""


@dataclass
class Seen:
    """What a page did: messages on the console, and what it asked for besides itself."""

    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    shots: dict[str, bytes] = field(default_factory=dict)
    width: int = 0


class Browser:
    """Talks to Chromium over its debugging pipe: JSON messages that end in a zero byte."""

    def __init__(self, program: str, home: str) -> None:
        here, there = os.pipe(), os.pipe()
        # Chromium reads from 3 and writes to 4.
        line = f'exec "$0" "$@" 3<&{here[0]} 4>&{there[1]}'
        command = ["bash", "-c", line, program, *FLAGS, f"--user-data-dir={home}", "about:blank"]
        self.process = subprocess.Popen(
            command, pass_fds=(here[0], there[1]), stderr=subprocess.DEVNULL
        )
        os.close(here[0])
        os.close(there[1])
        self._out, self._in = here[1], there[0]
        os.set_blocking(self._in, False)
        self._rest, self._number = b"", 0
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Sends a command; returns its result, and keeps the events that came meanwhile."""
        self._number += 1
        body = {"id": self._number, "method": method, "params": params}
        if session is not None:
            body["sessionId"] = session
        os.write(self._out, json.dumps(body).encode() + b"\0")
        for message in self._messages(PATIENCE):
            if message.get("id") == self._number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']['message']}")
                return message["result"]
        raise TimeoutError(f"Chromium did not answer {method} within {PATIENCE:g} s")

    def wait(self, event: str) -> None:
        """Waits for an event of the page."""
        if any(one["method"] == event for one in self.events):
            return
        for message in self._messages(PATIENCE):
            if message.get("method") == event:
                return
        raise TimeoutError(f"{event} did not come within {PATIENCE:g} s")

    def settle(self, seconds: float) -> None:
        """Takes in the events of some more time."""
        for _ in self._messages(seconds):
            pass

    def close(self) -> None:
        """Ends Chromium."""
        with contextlib.suppress(OSError, RuntimeError, TimeoutError):
            self.call("Browser.close")
        os.close(self._out)
        os.close(self._in)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _messages(self, patience: float) -> Iterator[dict[str, Any]]:
        end = time.monotonic() + patience
        while time.monotonic() < end:
            try:
                chunk = os.read(self._in, 1 << 20)
            except BlockingIOError:
                time.sleep(0.01)
                continue
            if not chunk:
                raise RuntimeError("Chromium ended early")
            *whole, self._rest = (self._rest + chunk).split(b"\0")
            for text in whole:
                message = json.loads(text)
                if "method" in message:
                    self.events.append(message)
                yield message


def look(browser: Browser, page: Path, looks: Sequence[str], within: Path | None = None) -> Seen:
    """Opens a page in a tab of its own; returns what it did, but for requests `within` a folder."""
    target = browser.call("Target.createTarget", url="about:blank")["targetId"]
    attached = browser.call("Target.attachToTarget", targetId=target, flatten=True)
    session = attached["sessionId"]
    for domain in ("Page", "Runtime", "Log", "Network"):
        browser.call(f"{domain}.enable", session)
    browser.events.clear()
    opened = browser.call("Page.navigate", session, url=page.resolve().as_uri())
    if "errorText" in opened:
        return Seen([f"it cannot be opened: {opened['errorText']}"])
    browser.wait("Page.loadEventFired")
    browser.settle(0.5)
    seen = Seen()
    for name in looks:
        seen.shots[name], seen.width = _shot(browser, session, *LOOKS[name])
    allowed = ("data:", page.resolve().as_uri())
    if within is not None:
        allowed = (*allowed, within.resolve().as_uri() + "/")
    for event in browser.events:
        _take_in(event, allowed, seen)
    browser.call("Target.closeTarget", targetId=target)
    return seen


def _shot(browser: Browser, session: str, scheme: str, width: int) -> tuple[bytes, int]:
    """Returns a picture of the whole page, and by how much it is wider than the window."""
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.call("Emulation.setEmulatedMedia", session, features=[feature])
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.call("Emulation.setDeviceMetricsOverride", session, **size)
    shot = browser.call(
        "Page.captureScreenshot", session, format="png", captureBeyondViewport=True,
        clip=_whole(browser, session, width),
    )  # fmt: skip
    excess = browser.call("Page.getLayoutMetrics", session)["cssContentSize"]["width"] - width
    return base64.b64decode(shot["data"]), int(excess)


def _whole(browser: Browser, session: str, width: int) -> dict[str, float]:
    height = browser.call("Page.getLayoutMetrics", session)["cssContentSize"]["height"]
    return {"x": 0, "y": 0, "width": width, "height": min(height, 16000), "scale": 1}


def _take_in(event: dict[str, Any], allowed: tuple[str, ...], seen: Seen) -> None:
    details = event["params"]
    match event["method"]:
        case "Runtime.consoleAPICalled":
            if details["type"] not in CHATTER:
                seen.messages.append(str([arg.get("value") for arg in details["args"]]))
        case "Runtime.exceptionThrown":
            seen.messages.append(details["exceptionDetails"]["text"])
        case "Log.entryAdded":
            seen.messages.append(details["entry"]["text"])
        case "Network.requestWillBeSent":
            asked = details["request"]["url"]
            if not asked.startswith(allowed):
                seen.requests.append(asked)


def find_browser() -> str | None:
    """Returns Chromium's program, installing it where that is possible."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found or os.geteuid() != 0 or not shutil.which("apt-get"):
        return found
    for words in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        done = subprocess.run(["apt-get", "-qq", *words], stdout=subprocess.DEVNULL, check=False)
        if done.returncode:
            return None
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def sample(folder: Path) -> list[Path]:
    """Writes reports of a simulated search with names that want to be tags."""
    import kerashpo as kt
    from kerashpo.problems.power_law import PowerLaw

    results = kt.simulate(PowerLaw(9), tuner="asha", max_trials=40, workers=3, seed=0)
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    return [results.report(folder / f"{lang}.html", lang, evil) for lang in ("en", "es")]


def check(browser: Browser, page: Path, shots: Path | None, within: Path | None) -> list[str]:
    """Returns what is wrong with a page."""
    seen = look(browser, page, tuple(LOOKS), within)
    if shots is not None:
        shots.mkdir(parents=True, exist_ok=True)
        for name, picture in seen.shots.items():
            (shots / f"{page.stem}-{name}.png").write_bytes(picture)
    wrong = [f"{page}: the console says {message}" for message in seen.messages]
    wrong += [f"{page}: asks for {address}" for address in seen.requests]
    if seen.width > 0:
        wrong.append(f"{page}: is {seen.width} px wider than a narrow window")
    return wrong


def main() -> int:
    """Runs the check; returns 1 if a page does what it should not."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pages", nargs="*", type=Path, metavar="FILE.html")
    parser.add_argument("--shots", type=Path, help="keep screenshots in this folder")
    parser.add_argument("--within", type=Path, help="a site's folder, whose files may be loaded")
    given = parser.parse_args()
    program = find_browser()
    if program is None:
        print("SKIPPED: there is no Chromium, and it could not be installed (apt-get, as root).")
        return 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        control = Path(home) / "control.html"
        control.write_text(CONTROL, "utf-8")
        pages = given.pages or [*sample(Path(home)), *sorted(REPORTS.glob("*.html"))]
        browser = Browser(program, str(Path(home) / "profile"))
        try:
            seen = look(browser, control, ())
            if not seen.messages or not seen.requests:
                print("The browser did not report what the control page does.")
                return 1
            wrong = [
                line for page in pages for line in check(browser, page, given.shots, given.within)
            ]
        finally:
            browser.close()
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"{len(pages)} pages opened in {Path(program).name}: {len(wrong)} complaints")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
