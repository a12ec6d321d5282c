"""Words of code within a line of text. Rule: one that fits into the narrowest line goes to the next line as a whole;
browsers would break `--against` behind its hyphens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FITS = 32  # characters, beside a phone's margins and the indentation of a list


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("doctree-read", _doctree_read)
    return {"parallel_read_safe": True}


def _doctree_read(app: Sphinx, doctree: nodes.document) -> None:
    for code in doctree.findall(nodes.literal):
        if all(len(word) <= FITS for word in code.astext().split()):
            code["classes"].append("whole-words")
