"""Decorators in schemas: what they are.

Rule: a decorator is known by what it is, whatever a schema calls it; only what means nothing on the wire is also known
by its name, because schemas define it themselves where their Python does not have it.
"""

from __future__ import annotations

import abc
import typing
import warnings
from collections.abc import Mapping
from typing import Any

import typing_extensions

from capnweb_gen.frontends.python.source import DecoratorSource
from capnweb_runtime import schema

_BUILT_IN: Mapping[str, object] = {"property": property, "staticmethod": staticmethod, "classmethod": classmethod}
_FROM: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (abc, ("abstractmethod",)),
    (schema, ("cancellable", "cost", "idempotent", "interface", "raises", "wire_name")),
    (typing, ("overload", "override")),  # the latter since Python 3.12
    (typing_extensions, ("deprecated", "overload", "override")),
    (warnings, ("deprecated",)),  # since Python 3.13
)
_KNOWN: tuple[tuple[str, object], ...] = (
    *_BUILT_IN.items(),
    *((name, vars(module)[name]) for module, names in _FROM for name in names if name in vars(module)),
)
_OF_A_PROPERTY = frozenset({"setter", "deleter"})
_BY_NAME = frozenset({"abstractmethod", "override"})


def written_name(decorator: DecoratorSource) -> str:
    """What a schema calls a decorator, without what that is in."""
    return decorator.function.rpartition(".")[2].strip()


def meaning(decorator: DecoratorSource, namespace: Mapping[str, Any]) -> str | None:
    """The name by which messages and docs call a decorator; None if it is none that a schema may have.

    Args:
        decorator: the decorator as it is written.
        namespace: what names mean in the schema.
    """
    called = written_name(decorator)
    if called in _OF_A_PROPERTY and "." in decorator.function:
        return called  # of a name that only the body of the class knows
    try:
        meant: object = eval(decorator.function, dict(namespace))
    except Exception:
        meant = None
    known = next((name for name, value in _KNOWN if value is meant), None)
    return known or (called if called in _BY_NAME else None)
