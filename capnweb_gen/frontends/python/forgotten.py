"""Classes that were meant as interfaces, and do not say so.

Rule: only what has no other use is taken for one. A class whose methods all consist of `...` cannot be used as it is,
and `Method[...]` means something in an `InterfaceModel` alone.
"""

from __future__ import annotations

import re
from abc import ABC
from typing import Generic

from capnweb_gen.frontends.python.source import AttributeSource, ClassSource, FunctionSource

_HARMLESS: tuple[object, ...] = (object, ABC, Generic)
_MEMBER = re.compile(r"[\"']?(?:\w+\.)*(?:Method|Property)\s*\[")


def forgotten_base(cls: type, source: ClassSource) -> tuple[str, str] | None:
    """Why a class that is neither an interface nor a model was probably meant as an interface, with a hint."""
    if cls.__name__.startswith("_") or any(base not in _HARMLESS for base in cls.__mro__[1:]):
        return None
    methods = [entry for entry in source.body if isinstance(entry, FunctionSource)]
    if any(method.is_async for method in methods) and all(method.is_declaration for method in methods):
        base = "Protocol[T]" if Generic in cls.__mro__ else "Protocol"
    elif any(_is_member(entry) for entry in source.body):
        base = "InterfaceModel"
    else:
        return None
    message = f"{cls.__name__} looks like an interface, but does not derive from {base.partition('[')[0]}"
    return message, f"write class {cls.__name__}({base}), or _{cls.__name__} if it is no interface"


def _is_member(entry: object) -> bool:
    return (
        isinstance(entry, AttributeSource)
        and entry.annotation is not None
        and bool(_MEMBER.match(entry.annotation.text))
    )
