"""The factory that is named on the command line. Rule: a module that is missing, one that fails and one without the
name are told apart, each with its place.
"""

from __future__ import annotations

import difflib
import importlib
import traceback
from typing import Any

from capnweb_runtime.observe import printable
from capnweb_runtime.running.failures import Failed
from capnweb_runtime.serving.factory import check_factory
from capnweb_runtime.serving.peer import logger


def load_factory(name: str) -> Any:
    """Imports a factory.

    Parameters:
        name: module and name in it, as in "package.module:factory"; dots lead on to attributes.

    Returns:
        The factory, of which is known that it can be called with a peer.

    Raises:
        Failed: there is none.
    """
    module_name, colon, path = name.partition(":")
    if not (colon and module_name and path):
        raise Failed(f"{name!r} names no factory: write module:factory, as in examples.demo.app:front")
    found: Any = _module(module_name)
    for part in path.split("."):
        where = module_name if found is None else getattr(found, "__name__", type(found).__name__)
        if not hasattr(found, part):
            raise Failed(f"{where} has no {part!r}{_meant(found, part)}")
        found = getattr(found, part)
    try:
        check_factory(found)
    except TypeError as error:
        raise Failed(f"{name} is no factory: {error}") from None
    return found


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if name == missing or name.startswith(f"{missing}."):
            raise Failed(
                f"there is no module {missing!r}: start the program in the folder that has it, or set PYTHONPATH"
            ) from None
        raise Failed(f"cannot import {name}: {_told(error)}") from None
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # also of a module that ends the program
        logger.debug("%s could not be imported", name, exc_info=error)
        raise Failed(f"cannot import {name}: {_told(error)}") from None


def _told(error: BaseException) -> str:
    """What was raised, and where."""
    frames = traceback.extract_tb(error.__traceback__)
    text = printable("".join(traceback.format_exception_only(error)).strip().splitlines()[-1], 500)
    if isinstance(error, SyntaxError) and error.filename:
        return f"{text} ({error.filename}, line {error.lineno})"
    # Where the module itself was, rather than what imports it, or what it has called.
    own = [frame for frame in frames if not frame.filename.startswith("<frozen") and frame.name == "<module>"]
    return f"{text} ({own[-1].filename}, line {own[-1].lineno})" if own else text


def _meant(found: object, part: str) -> str:
    close = difflib.get_close_matches(part, [name for name in dir(found) if not name.startswith("_")], n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
