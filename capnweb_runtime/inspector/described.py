"""What a server serves, for the page. Rule: the IR where it was generated; without it the page still shows calls, and
says what to do.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from capnweb_runtime.inspector.schema.inspection import SchemaText
from capnweb_runtime.reflection import ir_of

_NOBODY = "Nobody has connected yet, and the function that makes main objects does not say what it returns."


def described(classes: Iterable[type]) -> SchemaText:
    """The IR of what is served.

    Parameters:
        classes: of main objects.
    """
    why = _NOBODY
    found: list[Any] = []
    module = ""
    for cls in classes:
        try:
            document = ir_of(cls)
        except LookupError as error:
            why = str(error.args[0]) if error.args else str(error)
        else:
            module = module or next(base.__module__ for base in cls.__mro__ if "_rpc_interface" in vars(base))
            if document not in found:
                found.append(document)
    return SchemaText(json.dumps(found), "", module) if found else SchemaText("", why, "")
