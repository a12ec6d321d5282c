"""The page of messages: all that `capnweb-gen explain` knows, below what `docs/messages.md` says of it.

Rule: a page is written once, in `capnweb_gen/explanations/pages`, where the command finds it. Docstrings of exceptions
that name a code lead there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from capnweb_gen.explanations import pages

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("source-read", _source_read)
    app.connect("autodoc-process-docstring", _process)
    return {"parallel_read_safe": True}


def _source_read(app: Sphinx, page: str, content: list[str]) -> None:
    if page != "messages":
        return
    for one in pages().values():
        # Each has a place of its own to be linked to, stands one level lower, and its links begin in docs/.
        text = re.sub(r"^# ", "## ", one.text).replace("](../", "](")
        content[0] += f"\n({one.code.lower()})=\n\n{text}"


def _process(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    lines[:] = [re.sub(r"\b(CW-\d{3}) \(`capnweb-gen explain", _led, line) for line in lines]


def _led(named: re.Match[str]) -> str:
    return named[0].replace(named[1], f":ref:`{named[1]} <{named[1].lower()}>`", 1)
