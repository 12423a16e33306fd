"""The versions of the documentation site: which are built, their order, and the switcher's data.

OUT/VERSION holds the pages of a version. OUT/versions.js, which the pages of all versions load,
lists them for the switcher (`static/version_switcher.js`): a script and not JSON, since a browser
loads it from a disk too, without a server. OUT/index.html opens the newest release.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from packaging.version import InvalidVersion, Version


def built_versions(out: Path) -> list[Version]:
    """Returns the versions whose pages are in a folder, the newest first."""
    found = [_version(path.parent.name) for path in out.glob("*/index.html")]
    return sorted((one for one in found if one is not None), reverse=True)


def newest_release(versions: Iterable[Version]) -> Version:
    """Returns the newest version that is no pre-release, or the newest if all are.

    Raises:
        ValueError: there is no version.
    """
    every = list(versions)
    return max([one for one in every if not one.is_prerelease] or every)


def list_versions(out: Path) -> None:
    """Writes versions.js and index.html for the versions whose pages are in a folder."""
    versions = built_versions(out)
    newest = newest_release(versions)
    entries = [
        {
            "version": str(one),
            "label": f"{one}{_remark(one, newest)}",
            "pages": sorted(
                page
                for path in (out / str(one)).rglob("*.html")
                # Not the pages of source code, which is in other places in each version.
                if not (page := path.relative_to(out / str(one)).as_posix()).startswith("_")
            ),
        }
        for one in versions
    ]
    data = {"newest": str(newest), "versions": entries}
    (out / "versions.js").write_text(f"window.siteVersions = {json.dumps(data)};\n", "utf-8")
    items = "".join(
        f'<li><a href="{one["version"]}/index.html">{one["label"]}</a></li>' for one in entries
    )
    text = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>kerashpo</title>'
        f'<meta http-equiv="refresh" content="0; url={newest}/index.html">'
        f"<h1>kerashpo</h1><p>Documentation by version:</p><ul>{items}</ul></html>\n"
    )
    (out / "index.html").write_text(text, "utf-8")


def build_tags(repository: Path, out: Path) -> None:
    """Builds the pages of each tagged release that OUT lacks, with the build script of the tag.

    Raises:
        subprocess.CalledProcessError: git failed, or a tag's pages could not be built.
    """
    tags = _git(repository, "tag", "--list", "v*").split()
    present = set(built_versions(out))
    for tag in tags:
        version = _version(tag.removeprefix("v"))
        if version is None or version in present:
            continue
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "repository"
            _git(repository, "worktree", "add", "--quiet", "--detach", str(folder), tag)
            try:
                _build(folder, out)
            finally:
                _git(repository, "worktree", "remove", "--force", str(folder))


def _build(folder: Path, out: Path) -> None:
    script = folder / "docs" / "site" / "build.py"
    environment = {**os.environ, "PYTHONPATH": str(folder)}  # the tag's package, not this one
    command = [sys.executable, str(script), "--out", str(out.resolve())]
    subprocess.run(command, cwd=folder, env=environment, check=True)


def _git(repository: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(repository), *words], stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


def _remark(version: Version, newest: Version) -> str:
    if version == newest:
        return " (newest)"
    return " (in development)" if version.is_prerelease else ""


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None
