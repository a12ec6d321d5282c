"""Deprecations: what `@deprecated` and `Field(deprecated=...)` say.

Rule: the decorator is that of typing_extensions, or of warnings, which type checkers know; it is evaluated as written,
because a class or function only keeps its message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import typing_extensions

from capnweb_gen import ir
from capnweb_gen.errors import Diagnostic
from capnweb_gen.frontends.python.decorators import meaning, written_name
from capnweb_gen.frontends.python.failures import told
from capnweb_gen.frontends.python.source import DecoratorSource

NAME = "deprecated"


def read_deprecation(
    path: str, what: str, decorators: Iterable[DecoratorSource], namespace: Mapping[str, Any], faults: list[Diagnostic]
) -> ir.Deprecation | None:
    """What the decorators of something say of its deprecation. Faults are added to `faults`."""
    for written in decorators:
        if NAME not in (meaning(written, namespace), written_name(written)):
            continue
        place = (path, written.position.line, written.position.column)
        try:
            made: object = eval(written.text, dict(namespace))
        except Exception as error:
            message = f"@deprecated on {what} cannot be evaluated: {told(error)}"
            faults.append(Diagnostic(*place, message, 'say what to use instead: @deprecated("use find")'))
            continue
        if not isinstance(made, typing_extensions.deprecated):
            hint = 'write @deprecated("use find"), with the decorator of typing_extensions'
            faults.append(Diagnostic(*place, f"@deprecated on {what} is not the one that type checkers know", hint))
            continue
        raised = made.category
        category = None if raised is None else ir.Reference(module=raised.__module__, name=raised.__qualname__)
        return ir.Deprecation(message=made.message, category=category, stacklevel=made.stacklevel)
    return None


def field_deprecation(message: str | None) -> ir.Deprecation | None:
    """The deprecation of a field, of which pydantic keeps the message."""
    return None if message is None else ir.Deprecation(message=message)
