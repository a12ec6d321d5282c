"""Generated code that is older than its schema. Rule: this is loaded only once a difference has been seen, so that code
that is up to date pays for the comparison alone: about 7 µs for a model and 2 µs for a member of an interface.

What is compared is what is at hand when a generated module is imported: the fields of a model, in `objects.models`, and
the members of an interface, in `objects.target`. What would fail at its first use is refused; what merely does not
travel is a warning. Types are not compared: `capnweb-gen check` does that.
"""

from __future__ import annotations

import linecache
import os
import re
import sys
import warnings
from collections.abc import Iterable
from types import FrameType
from typing import Any, Final

from capnweb_runtime.errors import StaleCodeWarning

SETTING: Final = "CAPNWEB_STALE"
"""Environment variable: `ignore` lets generated code be as old as it is."""

_COMMAND = re.compile(r"\brun: (.+)")


def tell(name: str, gone: Iterable[str], new: Iterable[str], *, fatal: bool) -> None:
    """Tells of a difference between a schema and the generated module that is being imported.

    Parameters:
        name: of the model or interface.
        gone: what the generated code has and the schema does not.
        new: what the schema has and the generated code does not.
        fatal: whether the first use of it would fail.

    Raises:
        ImportError: it would.
    """
    if os.environ.get(SETTING) == "ignore":
        return
    frame = _generated()
    module, file = frame.f_globals["__name__"], frame.f_code.co_filename
    lost, gained = ", ".join(map(repr, gone)), ", ".join(map(repr, new))
    found = [f"no longer has {lost}"] * bool(lost) + [f"has gained {gained}"] * bool(gained)
    message = f"{module} is out of date: {name} {' and '.join(found)}; run: {command_of(file, frame.f_globals)}"
    if fatal:
        raise ImportError(message, name=module, path=file)
    seen = frame.f_globals.setdefault("__warningregistry__", {})
    warnings.warn_explicit(message, StaleCodeWarning, file, 1, module, seen)


def _generated() -> FrameType:
    """The generated module: all that it asks of the runtime here, it asks while it is being imported."""
    frame = sys._getframe(1)
    while frame.f_code.co_name != "<module>" and frame.f_back is not None:
        frame = frame.f_back
    return frame


def command_of(file: str, module: dict[str, Any]) -> str:
    """What makes a generated module anew, as its first lines say.

    Parameters:
        file: of the module.
        module: its globals.
    """
    found = _COMMAND.search("".join(linecache.getlines(file, module)[:2]))
    return found[1] if found else "capnweb-gen"
