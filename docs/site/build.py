"""Builds the documentation site with Sphinx: pages, notebooks, and the API reference.

    python docs/site/build.py [--out site] [--tags]

The pages are those of the repository, so that they read the same there: this script copies them
and the notebooks into a temporary folder of the same layout, adds the site's own pages and one for
each public name, and runs Sphinx on it with warnings as errors. The site of a version is in
OUT/VERSION; `versions.py` lists all that are in OUT for the switcher on each page. With --tags the
pages of earlier releases are built too, from their tags, where OUT lacks them.
"""

from __future__ import annotations

import argparse
import inspect
import re
import shutil
import tempfile
from importlib import import_module
from pathlib import Path
from types import ModuleType

from sphinx.cmd.build import build_main
from versions import build_tags, list_versions

import kerashpo

ROOT = Path(__file__).resolve().parents[2]
SITE = Path(__file__).resolve().parent
PAGES = (
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "docs/*.md",
    "docs/adr/*.md",
    "docs/images/*.png",
    "docs/images/*.svg",
    "experiments/*/README.md",
    "experiments/**/*.png",
    "notebooks/*.ipynb",
    "report/README.md",
    "report/report*.md",
    "report/informe*.md",
    "report/lab/*.png",
)
LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\((?P<target>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)")
HIDDEN = frozenset(
    {"applications", "engine", "tuners", "HyperModel", "synchronized", "__version__"}
)
"""Public names that are KerasTuner's own, or that only repeat others."""
REQUESTS = "set_fit_request, set_predict_request, set_predict_proba_request, set_score_request"
"""Methods that scikit-learn adds to every estimator."""


def collect(folder: Path) -> None:
    """Copies pages, pictures and notebooks, with links to other files turned into plain text."""
    for pattern in PAGES:
        for path in sorted(ROOT.glob(pattern)):
            target = folder / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    shutil.copytree(SITE / "pages", folder, dirs_exist_ok=True)
    shutil.copyfile(SITE / "conf.py", folder / "conf.py")
    for name in ("static", "templates"):
        shutil.copytree(SITE / name, folder / f"_{name}")
    write_reference(folder / "reference")
    for path in folder.rglob("*.md"):
        path.write_text(linked(path, folder), "utf-8")


def linked(page: Path, folder: Path) -> str:
    """Returns a page's text, without those links that lead to no page of the site."""

    def follow(match: re.Match[str]) -> str:
        target = match["target"]
        if "://" in target or target.startswith("mailto:"):
            return match[0]
        path = (page.parent / target).resolve()
        if path.is_dir() and (path / "README.md").exists():
            return f"[{match['text']}]({target.rstrip('/')}/README.md)"
        return match[0] if path.is_file() else match["text"]

    return LINK.sub(follow, page.read_text("utf-8"))


def write_reference(folder: Path) -> None:
    """Writes a page of the API reference for each public name of `kerashpo`."""
    folder.mkdir()
    groups: dict[str, list[str]] = {"Classes": [], "Functions": [], "Modules": []}
    for name in sorted(set(kerashpo.__all__) - HIDDEN, key=str.lower):
        found = getattr(kerashpo, name)
        if isinstance(found, ModuleType):
            groups["Modules"].append(name)
            text = module_page(found.__name__)
        elif inspect.isclass(found):
            groups["Classes"].append(name)
            text = class_page("kerashpo", name)
        else:
            groups["Functions"].append(name)
            text = page(f"kerashpo.{name}", f".. autofunction:: kerashpo.{name}")
        (folder / f"{name}.md").write_text(text, "utf-8")
    results = class_page("kerashpo.study.results", "Results")
    (folder / "Results.md").write_text(results, "utf-8")
    groups["Classes"].append("Results")
    toc = "\n".join(
        f"## {title}\n\n```{{toctree}}\n:maxdepth: 1\n\n" + "\n".join(names) + "\n```\n"
        for title, names in groups.items()
    )
    intro = (SITE / "reference.md").read_text("utf-8")
    (folder / "index.md").write_text(f"{intro}\n{toc}", "utf-8")


def class_page(module: str, name: str) -> str:
    """Returns the page of a class: its arguments, then each public method and property."""
    options = f"   :members:\n   :exclude-members: {REQUESTS}\n   :show-inheritance:\n"
    return page(f"{module}.{name}", f".. autoclass:: {module}.{name}\n{options}")


def module_page(module: str) -> str:
    """Returns the page of a module: its docstring, and everything that it offers."""
    return page(module, "\n".join(module_parts(module)))


def module_parts(module: str) -> list[str]:
    """Returns the directives of a module: of its docstring, classes, functions and modules."""
    loaded = import_module(module)
    parts = [f".. automodule:: {module}\n   :no-members:\n"]
    own = set(getattr(loaded, "__all__", ())) - HIDDEN - set(kerashpo.__all__)
    for name in sorted(own, key=str.lower):
        found = getattr(loaded, name)
        if inspect.isclass(found):
            parts.append(f".. autoclass:: {module}.{name}\n   :members:\n")
        elif callable(found):
            parts.append(f".. autofunction:: {module}.{name}\n")
        elif isinstance(found, ModuleType):
            parts += module_parts(found.__name__)
    return parts


def page(title: str, directives: str) -> str:
    """Returns a Markdown page that holds directives in reStructuredText, as autodoc needs."""
    return f"# {title}\n\n```{{eval-rst}}\n{directives}\n```\n"


def main() -> int:
    """The command line; returns Sphinx's exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "site")
    parser.add_argument("--tags", action="store_true", help="earlier releases too, from their tags")
    given = parser.parse_args()
    out = given.out
    target = out / kerashpo.__version__
    shutil.rmtree(target, ignore_errors=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve() / "source"
        folder.mkdir()
        collect(folder)
        options = ["-W", "--keep-going", "-q", "-b", "html", "-d", f"{name}/doctrees"]
        code = build_main([*options, str(folder), str(target)])
    shutil.rmtree(out / "jupyter_execute", ignore_errors=True)  # myst-nb's, of no use here
    if code == 0:
        if given.tags:
            build_tags(ROOT, out)
        list_versions(out)
        print(f"the site is at {out / 'index.html'}")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
