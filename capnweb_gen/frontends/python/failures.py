"""What made something fail, on one line: importing a schema, evaluating an annotation, completing a model.

Rule: what the user's own code or Python says is passed on; what pydantic says is put into our words, because its texts
change from version to version and hold the types as it prints them.
"""

from __future__ import annotations

import re

from pydantic import PydanticSchemaGenerationError, PydanticUndefinedAnnotation, PydanticUserError, ValidationError
from pydantic_core import SchemaError

_UNCHECKED = re.compile(r"schema for (?:<class '(?P<class>[\w.]+)'>|[\w.]*?(?P<generic>\w+)\[)")


def said(error: BaseException) -> str:
    """What an exception says."""
    match error:
        case PydanticSchemaGenerationError():
            return f"pydantic has no way to check {unchecked_name(error) or 'a type in it'}"
        case PydanticUndefinedAnnotation():
            return f"name {error.name!r} is not defined"
        case PydanticUserError():
            return f"pydantic refuses it ({error.code})" if error.code else "pydantic refuses it"
        case SchemaError():
            return "pydantic refuses it"
        case ValidationError():
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            return f"{first['type']} at {'.'.join([error.title, *map(str, first['loc'])])}"
        case SyntaxError(filename="<string>"):
            return error.msg
        case _:
            return next(iter(str(error).splitlines()), "") or type(error).__name__


def told(error: BaseException) -> str:
    """The same, after what kind of exception it is, unless pydantic's kinds say nothing to a reader."""
    kind, reason = type(error).__name__, said(error)
    if kind == reason or isinstance(error, PydanticSchemaGenerationError | PydanticUserError | SchemaError):
        return reason
    return f"{kind}: {reason}"


def unchecked_name(error: BaseException) -> str:
    """The type that pydantic gave up on, by its bare name: it tells the type in words only. Empty if it tells none."""
    found = _UNCHECKED.search(str(error))
    return (found["class"] or found["generic"]).rpartition(".")[2] if found else ""
