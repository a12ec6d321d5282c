"""Classes that a module declares more than once, in different branches: which of them Python took.

Rule: only what Python itself left behind counts. Where that does not tell, nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from capnweb_gen import signatures
from capnweb_gen.frontends.python.source import AttributeSource, ClassSource, ModuleSource


def executed(source: ModuleSource, namespace: Mapping[str, Any], path: Path) -> tuple[ModuleSource, list[ClassSource]]:
    """A module with the classes that were executed, and those of which that cannot be told.

    Args:
        source: the module as it is written.
        namespace: its names, after it was imported.
        path: its file.
    """
    classes = dict(source.classes)
    unknown: list[ClassSource] = []
    for name, alternatives in source.alternatives.items():
        declared = namespace.get(name)
        if not isinstance(declared, type) or declared.__module__ != namespace.get("__name__"):
            continue
        taken = _taken(alternatives, declared, str(path))
        if taken is None:
            unknown.append(alternatives[-1])
        else:
            classes[name] = taken
    return replace(source, classes=classes), unknown


def _taken(alternatives: Sequence[ClassSource], declared: type, path: str) -> ClassSource | None:
    lines = set(_lines(declared, path))
    found = [one for one in alternatives if lines.intersection(one.lines)]
    if len(found) == 1:
        return found[0]
    if not any(one.conditional for one in alternatives):
        return alternatives[-1]  # each replaced the one before
    annotated = set(signatures.annotated(declared))
    found = [one for one in alternatives if annotated == set(_annotated(one))]
    return found[0] if len(found) == 1 else None


def _lines(declared: type, path: str) -> Iterator[int]:
    """Lines of a file on which a class, or a function in it, begins."""
    own = vars(declared)
    if "__firstlineno__" in own:  # since Python 3.13
        yield own["__firstlineno__"]
    for member in own.values():
        function = getattr(member, "fget", None) or getattr(member, "__func__", member)
        code = getattr(function, "__code__", None)
        if code is not None and code.co_filename == path:
            yield code.co_firstlineno


def _annotated(source: ClassSource) -> Iterator[str]:
    return (entry.name for entry in source.body if isinstance(entry, AttributeSource) and entry.annotation)
