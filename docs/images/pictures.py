"""The pictures of this folder: what draws each, and whether it is older than that code or data.

python docs/images/pictures.py [NAME...]     draws those that are out of date, or those named

``pictures.toml`` has for each picture its command, the files that it is made from, and their
fingerprint when it was drawn; a test compares it with the files.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
LIST = FOLDER / "pictures.toml"
sys.path.insert(0, str(ROOT / "notebooks"))

from figure_code import fingerprint  # noqa: E402 - after the path to it


def pictures() -> dict[str, dict]:
    """Returns what is known of each picture, by its file's name."""
    return tomllib.loads(LIST.read_text("utf-8"))


def fingerprint_of(picture: dict) -> str:
    """Returns the fingerprint of the files that a picture is made from, as they are now."""
    return fingerprint(path for pattern in picture["made_from"] for path in ROOT.glob(pattern))


def draw(name: str) -> None:
    """Draws a picture by its command and notes the fingerprint."""
    picture = pictures()[name]
    command = [sys.executable, *shlex.split(picture["command"])[1:]]
    subprocess.run(command, cwd=ROOT, check=True)
    text = LIST.read_text("utf-8")
    head, start, rest = text.partition(f'["{name}"]')
    changed = re.sub(
        r'^fingerprint = ".*"$',
        f'fingerprint = "{fingerprint_of(picture)}"',
        rest,
        count=1,
        flags=re.M,
    )
    LIST.write_text(head + start + changed, "utf-8")


if __name__ == "__main__":
    every = pictures()
    stale = [name for name, one in every.items() if one["fingerprint"] != fingerprint_of(one)]
    for each in sys.argv[1:] or stale:
        draw(each)
