"""What is used of `websockets`: its sans-IO engine. Rule: the rest of the runtime imports it from here, so that a
program's start does not pay for what the engine does not need.

`websockets.version`, which the package imports first, imports importlib.metadata for builds that are no releases. That
takes longer than the engine itself, a seventh of what a client needs to start and connect, so something that loads it
when it is used stands in its place meanwhile.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from capnweb_runtime.observe import logger_named

_METADATA: Final = "importlib.metadata"


class _LoadedWhenUsed(ModuleType):
    """Stands for importlib.metadata; also for another thread that imports it at the same moment."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what the import system itself asks for
            raise AttributeError(name)
        if sys.modules.get(_METADATA) is self:
            del sys.modules[_METADATA]
        return getattr(import_module(_METADATA), name)


@contextmanager
def _metadata_put_off() -> Iterator[None]:
    stand_in = _LoadedWhenUsed(_METADATA)
    if sys.modules.setdefault(_METADATA, stand_in) is not stand_in:
        yield  # it has been imported, nothing is to be saved
        return
    try:
        yield
    finally:
        if sys.modules.get(_METADATA) is stand_in:
            del sys.modules[_METADATA]


with _metadata_put_off():
    from websockets.client import ClientProtocol
    from websockets.exceptions import InvalidStatus, PayloadTooBig, WebSocketException
    from websockets.frames import Close, Frame, Opcode
    from websockets.headers import parse_subprotocol
    from websockets.http11 import Request, Response
    from websockets.protocol import Event, State
    from websockets.typing import Subprotocol
    from websockets.uri import WebSocketURI, parse_uri

    try:
        from websockets.speedups import apply_mask
    except ImportError:  # a platform without its C extension
        from websockets.utils import apply_mask

if TYPE_CHECKING:
    from websockets.server import ServerProtocol
else:

    def __getattr__(name):
        if name != "ServerProtocol":  # which clients do without, and without the parts of `email` that it imports
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return globals().setdefault(name, import_module("websockets.server").ServerProtocol)


class _Quiet(logging.LoggerAdapter[logging.Logger]):
    """Logs of every connection to those alone who debug: the session has a line of its own."""

    def info(self, msg: object, *args: object, **kwargs: Any) -> None:
        self.debug(msg, *args, **kwargs)


QUIET: Final = _Quiet(logger_named("websockets"), {})
"""What the engine is given to log to."""

__all__ = [
    "QUIET",
    "ClientProtocol",
    "Close",
    "Event",
    "Frame",
    "InvalidStatus",
    "Opcode",
    "PayloadTooBig",
    "Request",
    "Response",
    "ServerProtocol",
    "State",
    "Subprotocol",
    "WebSocketException",
    "WebSocketURI",
    "apply_mask",
    "parse_subprotocol",
    "parse_uri",
]
