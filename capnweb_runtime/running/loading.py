"""The factory or service that is named on the command line. Rule: a module that is missing, one that fails and one
without the name are told apart, each with its place.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import traceback
from typing import Any, Final

from capnweb_runtime.core.signatures import signature
from capnweb_runtime.objects.target import RpcTarget
from capnweb_runtime.observe import printable
from capnweb_runtime.running.failures import Failed
from capnweb_runtime.serving.peer import logger
from capnweb_runtime.serving.service import Service

_SET_UP: Final = (
    "with --backplane, name a function that is given the worker and returns what makes main objects of peers"
)


def load_service(name: str) -> Service:
    """Imports a factory, or a service.

    Parameters:
        name: module and name in it, as in "package.module:factory"; dots lead on to attributes.

    Returns:
        The service, whose factory is known to be one that can be called with a peer.

    Raises:
        Failed: there is none.
    """
    found = _found(name)
    if _takes_worker(found):
        raise Failed(
            f"{name} sets up a worker: serve it with --backplane, which may be memory: for one process", code=2
        )
    return _service(name, found)


def load_application(name: str) -> Any:
    """Imports what sets up a worker.

    Parameters:
        name: module and name in it.

    Returns:
        What can be called with a worker.

    Raises:
        Failed: there is none.
    """
    found = _found(name)
    try:
        signature(found).bind(None)
    except TypeError as error:
        raise Failed(f"{name} cannot set up a worker ({error}): {_SET_UP}") from None
    except ValueError:  # of something that is not written in Python
        pass
    return found


def service_made(name: str, made: object) -> Service:
    """What an application has given, which may be a factory, or a service.

    Raises:
        Failed: it is neither.
    """
    if isinstance(made, RpcTarget):
        raise Failed(f"{name} made a main object, of which each session needs one of its own: {_SET_UP}")
    return _service(f"what {name} gave", made)


def _found(name: str) -> Any:
    module_name, colon, path = name.partition(":")
    if not (colon and module_name and path):
        raise Failed(f"{name!r} names no factory: write module:factory, as in examples.demo.app:front")
    found: Any = _module(module_name)
    for part in path.split("."):
        where = module_name if found is None else getattr(found, "__name__", type(found).__name__)
        if not hasattr(found, part):
            raise Failed(f"{where} has no {part!r}{_meant(found, part)}")
        found = getattr(found, part)
    return found


def _service(name: str, given: Any) -> Service:
    if isinstance(given, Service):
        return given
    try:
        return Service(given)
    except TypeError as error:
        raise Failed(f"{name} is no factory: {error}") from None


def _takes_worker(found: object) -> bool:
    """Whether something says that it is an application, and no factory."""
    try:
        notes = inspect.get_annotations(found, eval_str=True)  # type: ignore[arg-type]  # what has none raises
        first = next(iter(inspect.signature(found).parameters))  # type: ignore[arg-type]  # likewise
    except Exception:  # of an annotation, which may be anything; and of what has none
        return False
    note = notes.get(first)
    # The class is imported by whoever names it.
    return isinstance(note, type) and (note.__module__, note.__qualname__) == ("capnweb_runtime.worker", "Worker")


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
