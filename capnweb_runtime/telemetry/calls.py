"""What all kinds of telemetry say of a call, by the names of OpenTelemetry's conventions for RPC. Rule: a name that no
schema declares is nobody's label, since a peer may send any number of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from capnweb_runtime.driving.following import Followed, is_stream
from capnweb_runtime.driving.interceptors import CallInfo, Proceed

SYSTEM: Final = "capnweb"
"""What `rpc.system.name` is."""
OTHER: Final = "_OTHER"
"""What stands for names that are not declared."""
MAP: Final = "map"
"""What stands for a mapper function as a whole, at the side that makes it."""
CALLBACK: Final = "callback"
"""What stands for a function: those that are passed have no names that both ends know."""
SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Bounds of the buckets of durations, as the conventions advise."""

Ended = Callable[[BaseException | None], object]


def method_of(call: CallInfo) -> str:
    """What `rpc.method` is: one of as many texts as the schema has methods and properties, and three more. What is read
    of a property's value is none of the schema's.
    """
    if call.interface:
        return f"{call.interface}/{call.method.partition('.')[0]}"
    if call.kind == "map":
        return MAP
    return CALLBACK if call.declared else OTHER


def type_of(error: BaseException) -> str:
    """What `error.type` is: the name of the class, of which there are as many as this program has. The name that a peer
    gives an error is not in it.
    """
    return type(error).__qualname__


async def followed(call: CallInfo, proceed: Proceed, end: Ended) -> Any:
    """Goes on with a call, and tells once how it has ended: a stream that this side gives, with its last chunk.

    Parameters:
        call: the call.
        proceed: goes on with it.
        end: told what it has failed with, or None.
    """
    try:
        result = await proceed(call)
    except BaseException as error:
        end(error)
        raise
    if call.served and is_stream(result):
        return Followed(result, end)
    end(None)
    return result


def was_forgotten(call: CallInfo, error: BaseException | None) -> bool:
    """Whether a call was made for its effect, or for what is pipelined on it, and given up: how long that took says
    nothing of it.
    """
    return not call.asked and isinstance(error, asyncio.CancelledError)


@lru_cache(maxsize=1024)
def place_of(url: str) -> tuple[str, int | None]:
    """Host and port of a URL, or of a `Host` header behind two slashes; "" and None where there is none."""
    try:
        parts = urlsplit(url)
        return parts.hostname or "", parts.port
    except ValueError:  # a stranger's text
        return "", None
