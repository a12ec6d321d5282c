"""Protocols in the reference. Rule: a class that nobody calls has no signature; typing gives each Protocol one,
`(*args, **kwargs)`, which says nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("autodoc-process-signature", _process)
    return {"parallel_read_safe": True}


def _process(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, signature: str | None, returns: str | None
) -> tuple[str, None] | None:
    return ("", None) if what == "class" and getattr(obj, "_is_protocol", False) else None
