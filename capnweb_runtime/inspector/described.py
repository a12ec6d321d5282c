"""What a server serves, for the page. Rule: the IR where it was generated; without it the page still shows calls, and says
what to do.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from capnweb_runtime.inspector.schema.inspection import SchemaText

_NOBODY = "Nobody has connected yet, and the function that makes main objects does not say what it returns."
_NOT_HERE = "This version of the runtime has no reflection."


def described(classes: Iterable[type]) -> SchemaText:
    """The IR of what is served.

    Parameters:
        classes: of main objects.
    """
    why = _NOBODY
    found: list[Any] = []
    for cls in classes:
        try:
            document = import_module("capnweb_runtime.reflection").ir_of(cls)
        except ModuleNotFoundError:
            return SchemaText("", _NOT_HERE)
        except LookupError as error:
            why = str(error.args[0]) if error.args else str(error)
        else:
            if document not in found:
                found.append(document)
    return SchemaText(json.dumps(found), "") if found else SchemaText("", why)
