"""Types that TypeScript has no words for, as comments tag them: `/** @capnweb int */ type Int = number;`.

Rule: these are the tags that the TypeScript back end writes. What is not understood is passed over: a tag only adds to
what the type says by itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import get_args

from pydantic import ValidationError

from capnweb_gen import ir
from capnweb_gen.frontends import unions

_SCALARS: frozenset[str] = frozenset(get_args(ir.ScalarName))


def special(marks: tuple[str, ...], item: Callable[[], ir.TypeShape]) -> ir.TypeShape | None:
    """The type that tags speak of; None if they speak of none.

    Args:
        marks: what stands behind each `@capnweb`.
        item: gives the type that is marked, or that the marked generic is given.

    Raises:
        UnsupportedTypeError: a tag says something that its type cannot be.
    """
    for mark in marks:
        word, _, rest = mark.partition(" ")
        if word in _SCALARS:
            return ir.Scalar.model_validate({"name": word})
        if word == "stub":
            return ir.StubShape()
        if word == "set":
            return ir.CollectionShape(container="set", item=item())
        if word == "frozenset":
            return ir.CollectionShape(container="frozenset", item=item())
        if word == "open":
            inner = item()
            return inner if isinstance(inner, ir.Unsupported) else unions.opened(inner)
        if word == "sturdy_ref":
            inner = item()
            return ir.SturdyRefShape(interface=inner.interface) if isinstance(inner, ir.InterfaceShape) else None
        if word == "text":
            made = _text(rest)
            if made is not None:
                return made
        if word == "new_type":
            return ir.NewTypeShape(new_type=ir.Reference(module="", name=""), item=item())
        if word == "constrained":
            return _constrained(rest, item())
    return None


def _text(said: str) -> ir.TypeShape | None:
    """`ipaddress.IPv4Address ipv4`."""
    path, _, form = said.strip().partition(" ")
    module, dot, name = path.rpartition(".")
    if not dot or not form:
        return None
    return ir.TextShape(type=ir.Reference(module=module, name=name), format=form.strip())


def _constrained(said: str, item: ir.TypeShape) -> ir.TypeShape | None:
    try:
        limits: object = json.loads(said)
    except ValueError:
        return None
    if not isinstance(limits, dict) or isinstance(item, ir.Unsupported):
        return None
    try:
        return ir.ConstrainedShape.model_validate({"item": item, **limits})
    except (ValidationError, TypeError):
        return None
