"""How docs/ becomes a site: `make docs`. Rule: whatever Sphinx warns of fails the build, and a page that is read loads
nothing from another host.

Pages are the Markdown files of docs/, read as they stand: their links work in a checkout, on a forge and in the site.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE / "extensions"), str(ROOT)]

project = "capnweb-gen"
author = "capnweb-gen contributors"
copyright = "capnweb-gen contributors"
release = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
version = ".".join(release.split(".")[:2])

extensions = [
    "myst_parser",  # pages are Markdown
    "sphinx.ext.autodoc",  # the reference is made of docstrings
    "sphinx.ext.napoleon",  # ... whose sections are written as `Parameters:` and `Returns:`
    "sphinx.ext.doctest",
    "sphinx_copybutton",
    "sphinx_design",
    "checkout_links",
    "data_docstrings",
    "message_pages",
    "protocol_signatures",
    "whole_words",
]
root_doc = "index"
exclude_patterns = ["site/**", "load/**", "performance/**", "**/generated/**"]
nitpicky = False

myst_enable_extensions = ["colon_fence", "deflist", "attrs_inline"]
myst_heading_anchors = 4  # links to headings work as they do on a forge
suppress_warnings = [
    "misc.highlighting_failure",  # excerpts with `...` between their lines are no whole program
]

default_role = "literal"  # in docstrings, what stands in single backticks is code
maximum_signature_line_length = 100
python_use_unqualified_type_names = True
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True  # attributes are described once, by the class
strip_signature_backslash = True  # so that napoleon leaves a parameter `while_` its underscore

html_theme = "furo"
html_title = "capnweb-gen"
html_static_path = [str(HERE / "static")]
html_css_files = ["site.css"]
html_favicon = str(HERE / "static" / "favicon.svg")
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

linkcheck_ignore = [r"https?://(localhost|127\.0\.0\.1|\[::1\])", r"https?://.*\bexample\b"]
doctest_global_setup = ""
