"""Sphinx's settings for the documentation site; `build.py` beside this file runs it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import kerashpo

project = "kerashpo"
author = "the authors of kerashpo"
copyright = "the authors of kerashpo, Apache-2.0"
version = release = kerashpo.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "myst_nb",
    "sphinx_copybutton",
    "sphinx_design",
    "mathml",
]
html_math_renderer = "mathml"
root_doc = "index"
exclude_patterns = ["**/.ipynb_checkpoints", "_static", "_templates"]

# Pages are Markdown; their headings can be linked to as on a repository's page.
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
# Notebooks are shown as they were executed and stored; nothing is trained to build the site.
nb_execution_mode = "off"
nb_ipywidgets_js: dict[str, dict[str, str]] = {}

# Docstrings are Google style, with names in single backticks.
default_role = "py:obj"
autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
python_use_unqualified_type_names = True
add_module_names = False
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_custom_sections = [
    ("Options of every tuner", "params_style"),
    ("Further arguments", "params_style"),
]

html_theme = "pydata_sphinx_theme"
html_title = f"kerashpo {release}"
html_show_sourcelink = False
html_theme_options = {
    "navbar_end": ["site-versions", "theme-switcher"],
    "navbar_persistent": ["search-button"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_prev_next": True,
    "header_links_before_dropdown": 6,
    "use_edit_page_button": False,
    "pygments_light_style": "tango",
    "pygments_dark_style": "monokai",
}
templates_path = ["_templates"]
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["version_switcher.js"]
# The repository's address, where pyproject.toml has one.
PROJECT = tomllib.loads((Path(kerashpo.__file__).parents[1] / "pyproject.toml").read_text("utf-8"))
if "Repository" in (urls := PROJECT["project"].get("urls", {})):
    html_theme_options["external_links"] = [{"name": "Repository", "url": urls["Repository"]}]
html_context = {"default_mode": "auto"}


def setup(app: Any) -> None:
    """Declares the language of the Spanish pages, which browsers and screen readers use."""
    pages = (Path(app.srcdir) / "curso.md").read_text("utf-8").split("```")[1].splitlines()
    spanish = {"curso", *(line for line in pages if "/" in line)}

    def on_page(app: Any, name: str, template: str, context: dict[str, Any], tree: Any) -> None:
        if name in spanish:
            context["language"] = "es"

    app.connect("html-page-context", on_page)
