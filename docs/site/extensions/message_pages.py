"""The page of messages: all that `capnweb-gen explain` knows, below what `docs/messages.md` says of it.

Rule: a page is written once, in `capnweb_gen/explanations/pages`, where the command finds it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from capnweb_gen.explanations import pages

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("source-read", _source_read)
    return {"parallel_read_safe": True}


def _source_read(app: Sphinx, page: str, content: list[str]) -> None:
    if page != "messages":
        return
    for one in pages().values():
        # Each has a place of its own to be linked to, stands one level lower, and its links begin in docs/.
        text = re.sub(r"^# ", "## ", one.text).replace("](../", "](")
        content[0] += f"\n({one.code.lower()})=\n\n{text}"
