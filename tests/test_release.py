"""What a release must keep in step: versions, the repository's address, the site's versions."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


versions = load(ROOT / "docs" / "site" / "versions.py")


@pytest.mark.parametrize("page", ["README.md", "docs/installing.md"])
def test_pages_tell_from_where_to_install(page):
    text = (ROOT / page).read_text("utf-8")
    address = PROJECT.get("urls", {}).get("Repository")
    assert "not on PyPI yet" in text if address is None else address in text


def test_every_extra_for_users_is_listed():
    text = (ROOT / "docs" / "installing.md").read_text("utf-8")
    extras = set(PROJECT["optional-dependencies"]) - {"dev", "docs", "release"}
    assert {name for name in extras if f"`{name}`" not in text} == set()


def site_of(folder, *names):
    for name in names:
        (folder / name / "docs").mkdir(parents=True)
        (folder / name / "index.html").touch()
        (folder / name / "docs" / f"{name}.html").touch()
        (folder / name / "_modules").mkdir()
        (folder / name / "_modules" / "index.html").touch()
    return folder


def read_data(folder):
    text = (folder / "versions.js").read_text("utf-8")
    return json.loads(text.removeprefix("window.siteVersions = ").removesuffix(";\n"))


def test_the_switcher_lists_the_newest_first_and_opens_the_newest_release(tmp_path):
    site_of(tmp_path, "0.9.0", "0.10.0", "0.11.0.dev0", "assets")
    versions.list_versions(tmp_path)
    data = read_data(tmp_path)
    assert data["newest"] == "0.10.0"
    assert [one["label"] for one in data["versions"]] == [
        "0.11.0.dev0 (in development)",
        "0.10.0 (newest)",
        "0.9.0",
    ]
    assert data["versions"][2]["pages"] == ["docs/0.9.0.html", "index.html"]
    assert "url=0.10.0/index.html" in (tmp_path / "index.html").read_text("utf-8")


def test_a_site_without_releases_opens_its_newest_version(tmp_path):
    versions.list_versions(site_of(tmp_path, "0.1.0.dev0", "0.1.0.dev1"))
    assert read_data(tmp_path)["newest"] == "0.1.0.dev1"
    assert versions.newest_release([Version("1"), Version("2rc1")]) == Version("1")


BUILD = """
import sys
from pathlib import Path
import kerashpo
page = Path(sys.argv[sys.argv.index("--out") + 1]) / kerashpo.__version__ / "index.html"
page.parent.mkdir(parents=True)
page.write_text(kerashpo.__file__)
"""


def test_tags_are_built_once_with_their_own_script_and_package(tmp_path):
    repository, out = tmp_path / "repository", site_of(tmp_path / "out", "0.2.0")

    def git(*words):
        who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        subprocess.run(["git", "-C", str(repository), *who, *words], check=True)

    (repository / "kerashpo").mkdir(parents=True)
    (repository / "docs" / "site").mkdir(parents=True)
    (repository / "docs" / "site" / "build.py").write_text(BUILD)
    git("init", "--quiet")
    for number in ("0.1.0", "0.2.0"):
        (repository / "kerashpo" / "__init__.py").write_text(f"__version__ = {number!r}\n")
        git("add", ".")
        git("commit", "--quiet", "-m", number)
        git("tag", f"v{number}")
    git("tag", "vision")  # no version
    versions.build_tags(repository, out)
    assert [str(one) for one in versions.built_versions(out)] == ["0.2.0", "0.1.0"]
    assert not (out / "0.2.0" / "index.html").read_text("utf-8")  # it was there, and is not built
    assert "kerashpo" in (out / "0.1.0" / "index.html").read_text("utf-8")
    trees = ["git", "-C", str(repository), "worktree", "list"]
    assert len(subprocess.run(trees, capture_output=True, text=True).stdout.splitlines()) == 1
