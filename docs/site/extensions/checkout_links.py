"""Links as a checkout has them. Rule: a page says `../README.md`, as a forge wants it, and the site leads to the page
that has what stands there; any other file of the checkout is offered as it is.

Who reads a checkout finds files, and who reads the site finds pages: where a link says the name of a file, the site
says the title of what it leads to. Docstrings and the changelog name files of docs/ without a link, and there get one.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx import addnodes

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
_FILE = re.compile(r"[\w./-]+\.md")
_IN_DOCS = re.compile(r"docs/([\w/-]+)\.md")
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
    app.connect("doctree-read", _doctree_read)
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


def _doctree_read(app: Sphinx, doctree: nodes.document) -> None:
    page = app.env.docname
    for link in doctree.findall(addnodes.pending_xref):
        if link["reftype"] == "myst" and _FILE.fullmatch(link.astext()):
            link["refexplicit"] = False  # its text is the title
    if page == "changelog" or page.startswith("reference/"):
        for name in list(doctree.findall(nodes.literal)):
            named = _IN_DOCS.fullmatch(name.astext())
            if named and named[1] in app.env.found_docs:
                name.replace_self(_titled(named[1], page))


def _titled(to: str, page: str) -> addnodes.pending_xref:
    """A link to a page, whose text is that page's title."""
    link: addnodes.pending_xref = addnodes.pending_xref(
        "", refdomain="std", reftype="doc", reftarget=f"/{to}", refexplicit=False, refwarn=True, refdoc=page
    )
    link += nodes.inline()
    return link
