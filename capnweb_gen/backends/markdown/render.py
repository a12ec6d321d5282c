"""Printing views. Rule: as for every back end with templates: they only put in order what lowering has decided."""

from __future__ import annotations

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from capnweb_gen.backends.markdown.views import PageView

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,
)
_GAP = re.compile(r"\n{3,}")


def render(page: PageView) -> str:
    """The text of a page. What is missing leaves no gap."""
    return _GAP.sub("\n\n", _ENVIRONMENT.get_template("page.md.j2").render(page=page)).rstrip() + "\n"
