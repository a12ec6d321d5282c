"""Where in an application something was asked for. Rule: a walk over frames, no traceback: it costs less than the call.

What stands between the application and the runtime is passed over: the runtime itself, generated modules, and what
calls for others. Where an event loop comes first, nobody of the application has asked.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import Any, Final

MOST_FRAMES: Final = 60
"""Frames that are looked at."""
_OURS: Final = "capnweb_runtime."
_LOOPS: Final = ("asyncio.", "uvloop")
_GENERATED: Final = ("Calls", "Stub", "Promise")
_BETWEEN: Final = frozenset({"contextlib", "functools"})

Place = tuple[str, int]
"""A file and the number of a line in it."""


def asking_place(outward: int = 1) -> Place | None:
    """File and line of the application's code that has led here; None if none has.

    Parameters:
        outward: how many callers are known to be none of the application's.
    """
    frame = sys._getframe(outward)
    generated = sys.modules.get("capnweb_runtime.codegen_api")
    for _ in range(MOST_FRAMES):
        names = frame.f_globals
        module = names.get("__name__") or ""
        if not module.startswith(_OURS):
            if module.startswith(_LOOPS):
                return None
            code = frame.f_code
            by_generated = names.get("rpc") is generated and _of_a_generated_class(code)
            if module not in _BETWEEN and not by_generated:
                return code.co_filename, frame.f_lineno
        if frame.f_back is None:
            return None
        frame = frame.f_back
    return None


def _of_a_generated_class(code: CodeType) -> bool:
    """Whether a function has the name of one that is generated; a program may have all names of such a module, too."""
    return code.co_qualname.rpartition(".")[0].endswith(_GENERATED)


def place_of(function: Callable[..., Any] | object) -> Place | None:
    """Where a function is defined; None if that is not known.

    Parameters:
        function: a function, a method, or what wraps one.
    """
    if isinstance(function, property):
        function = function.fget
    function = getattr(function, "__wrapped__", function)
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return (code.co_filename, code.co_firstlineno) if isinstance(code, CodeType) else None


def shown(place: Place) -> str:
    """A place for a line of a log: from the current folder, if it is inside of that."""
    file, line = place
    path, here = Path(file), Path.cwd()
    if path.is_relative_to(here):
        file = str(path.relative_to(here))
    return f"{file}:{line}"
