"""Printing views. Rule: as for every back end with templates: they only put in order what lowering has decided."""

from __future__ import annotations

import re

from capnweb_gen.backends.markdown.views import PageView
from capnweb_gen.backends.printing import templates_of

_TEMPLATES = templates_of(__file__)
_GAP = re.compile(r"\n{3,}")


def render(page: PageView) -> str:
    """The text of a page. What is missing leaves no gap."""
    return _GAP.sub("\n\n", _TEMPLATES.get_template("page.md.j2").render(page=page)).rstrip() + "\n"
