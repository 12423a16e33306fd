"""Draws docs/images/report.png: a search's report in English on light, in Spanish on dark pages.

python docs/images/report.py        (needs Chromium, see .ci/browser.py)
"""

from __future__ import annotations

import importlib.util
import io
import sys
import tempfile
from contextlib import chdir
from pathlib import Path

from PIL import Image

import kerashpo as kt
from kerashpo.problems.registry import make_task

ROOT = Path(__file__).resolve().parents[2]
WIDTH, HEIGHT = 800, 1152
PARTS = (("en", "light", ""), ("es", "dark", "Importancia de los parámetros"))
"""Language, colours, and the heading at which the picture begins; empty for the page's start."""


def browser_module():
    """Returns .ci/browser.py as a module."""
    spec = importlib.util.spec_from_file_location("browser", ROOT / ".ci" / "browser.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["browser"] = module
    spec.loader.exec_module(module)
    return module


def photograph(tools, page: Path, colours: str, heading: str, home: Path) -> Image.Image:
    """Returns a part of a page as a picture of `WIDTH` x `HEIGHT` pixels."""
    browser = tools.Browser(tools.find_browser(), str(home / f"profile-{colours}"))
    try:
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime"):
            browser.call(f"{domain}.enable", session)
        browser.call("Page.navigate", session, url=page.as_uri())
        browser.wait("Page.loadEventFired")
        shot, _ = tools._shot(browser, session, colours, WIDTH)
        find = f"[...document.querySelectorAll('h2')].find(h => h.textContent === {heading!r})"
        place = f"{find}.getBoundingClientRect().top + window.scrollY - 70"
        found = browser.call("Runtime.evaluate", session, expression=place, returnByValue=True)
        top = int(found["result"]["value"]) if heading else 0
    finally:
        browser.close()
    return Image.open(io.BytesIO(shot)).convert("RGB").crop((0, top, WIDTH, top + HEIGHT))


def main() -> None:
    """Searches, writes the reports and joins their pictures."""
    task = make_task("diabetes")
    split = task.load(0)
    tools = browser_module()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, chdir(name):
        home = Path(name)
        tuner = kt.Hyperband(
            task.build, task.objective, max_epochs=9, hyperband_iterations=2, seed=0,
            directory="runs", project_name="diabetes_hyperband",
        )  # fmt: skip
        tuner.search(*split.train, validation_data=split.validation, batch_size=32, verbose=0)
        whole = Image.new("RGB", (len(PARTS) * WIDTH, HEIGHT))
        for place, (language, colours, heading) in enumerate(PARTS):
            page = tuner.report(home / f"{language}.html", language)
            # The folder of this machine is nobody's business.
            page.write_text(page.read_text("utf-8").replace(f"{home.resolve()}/", ""), "utf-8")
            part = photograph(tools, page.resolve(), colours, heading, home)
            whole.paste(part, (place * WIDTH, 0))
    path = Path(__file__).with_suffix(".png")
    whole.quantize(128).save(path, optimize=True)
    print(path)


if __name__ == "__main__":
    main()
