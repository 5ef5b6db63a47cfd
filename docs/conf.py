"""The documentation site: `make docs` builds it into `build/docs/`."""

from __future__ import annotations

import sys
from pathlib import Path

import mlops

project = "Serverless MLOps"
version = release = mlops.__version__
html_title = f"{project} {release}"
copyright = "the contributors, MIT licence"

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "command_help"]
source_suffix = {".md": "markdown"}
root_doc = "index"
default_role = "literal"  # what docstrings have in single backticks
exclude_patterns = ["extensions"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_typehints = "description"
autodoc_member_order = "bysource"
napoleon_google_docstring = True

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_copy_source = False
html_show_sphinx = False
