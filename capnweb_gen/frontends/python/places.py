"""Where the members of a class stand in its source, and what is written below them."""

from __future__ import annotations

from capnweb_gen.frontends.python.source import TOP, AttributeSource, ClassSource, OtherSource
from capnweb_gen.ir import Position


def positions(name: str, source: ClassSource | None) -> tuple[Position, Position]:
    """Where a member of a class stands, and its annotation. An inherited one stands where the class does."""
    if source is None:
        return TOP, TOP
    for entry in source.body:
        if getattr(entry, "name", None) == name:
            annotation = entry.annotation if isinstance(entry, AttributeSource) else None
            return entry.position, annotation.position if annotation else entry.position
    return source.position, source.position


def doc_of(name: str, source: ClassSource | None) -> str | None:
    """The string below a field, or the docstring of a computed one."""
    found = (entry for entry in source.body if not isinstance(entry, OtherSource)) if source else ()
    return next((entry.doc for entry in found if entry.name == name), None)
