"""What one of several processes that serve together is given. Rule: each is set up once, before anybody is served, and
what it was given is open for as long as it serves.

def chat(worker: Worker) -> MainFactory:
    rooms = Rooms(worker.backplane)
    return lambda peer: Chat(rooms, peer)

`python -m capnweb_runtime serve app:chat --backplane redis://...` calls it; see docs/scale.md.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TypeAlias

from capnweb_runtime.scale.contract import Backplane
from capnweb_runtime.serving.admission import MainFactory

__all__ = ["Application", "MainFactory", "Worker"]


@dataclass(frozen=True, slots=True)
class Worker:
    """One process of a server.

    Attributes:
        backplane: what it shares with the others. It is connected, and closed once everybody has been served.
    """

    backplane: Backplane


Application: TypeAlias = Callable[
    [Worker], MainFactory | Awaitable[MainFactory] | AbstractAsyncContextManager[MainFactory]
]
"""Sets up a worker, and gives what makes main objects of peers; as a context manager, for as long as it serves."""
