"""Links out of docs/ into the rest of the checkout. Rule: a page says `../README.md`, as a forge wants it, and the site
leads to the page that has what stands there; any other file of the checkout is offered as it is.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "examples/README.md": "examples/README.md",
}
"""What of the checkout a page of the site has, by what it is there."""
_LINK = re.compile(r"\]\(((?:\.\./)+)([\w./-]+\.md)(#[\w-]*)?\)")
_EXAMPLE = re.compile(r"examples/([\w/]+)/README\.md")

# The index of the examples is made for a forge as well, where this would be seen.
_BELOW = """
```{toctree}
:hidden:
:glob:

*
```
"""


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("source-read", _source_read)
    return {"parallel_read_safe": True}


def _source_read(app: Sphinx, page: str, content: list[str]) -> None:
    depth = page.count("/")
    there = app.srcdir

    def led(link: re.Match[str]) -> str:
        ups, path, anchor = len(link[1]) // 3, link[2], link[3] or ""
        if ups != depth + 1:
            return link[0]  # it stays in docs/
        example = _EXAMPLE.fullmatch(path)
        to = f"examples/{example[1].replace('/', '_')}.md" if example else PAGES.get(path)
        if to is None or not (there / to).exists():
            return f"](path:{link[1]}{path})"
        return f"]({'../' * depth}{PurePosixPath(to)}{anchor})"

    content[0] = _LINK.sub(led, content[0])
    if page == "examples/README":
        content[0] += _BELOW
