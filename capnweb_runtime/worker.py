"""What one of several processes that serve together is given. Rule: each is set up once, before anybody is served, and
what it was given is open for as long as it serves.

def chat(worker: Worker) -> MainFactory:
    rooms = Rooms(worker.backplane)
    return lambda peer: Chat(rooms, peer)

`python -m capnweb_runtime serve app:chat --backplane redis://...` calls it; see docs/scale.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, TypeAlias

from capnweb_runtime.scale.contract import Backplane
from capnweb_runtime.serving.admission import MainFactory
from capnweb_runtime.serving.service import Service

if TYPE_CHECKING:  # of no use to workers that are not in one
    from capnweb_runtime.scale.cluster.cluster import Cluster

__all__ = ["Application", "MainFactory", "Served", "Service", "Worker"]


class Worker:
    """One process of a server.

    Parameters:
        backplane: what it shares with the others. It is connected, and closed once everybody has been served.
        cluster: its part in the cluster, if there is one; open, and left once everybody has been served.

    Attributes:
        backplane: the same.
        leaving: set when the process begins to end, or to make room for another: the moment to end streams, which
            are calls in progress and would be waited for.
    """

    def __init__(self, backplane: Backplane, cluster: Cluster | None = None) -> None:
        self.backplane = backplane
        self.leaving = asyncio.Event()
        self._cluster = cluster

    @property
    def cluster(self) -> Cluster:
        """Its part in the cluster.

        Raises:
            RuntimeError: it is in none.
        """
        if self._cluster is None:
            raise RuntimeError(
                "this worker is in no cluster: serve it with --cluster 127.0.0.1:0, or give Worker() a Cluster"
            )
        return self._cluster


Served: TypeAlias = MainFactory | Service
"""What makes main objects of peers; as a `Service`, with how they are to be served."""
Application: TypeAlias = Callable[[Worker], Served | Awaitable[Served] | AbstractAsyncContextManager[Served]]
"""Sets up a worker, and gives what it serves; as a context manager, for as long as it serves."""
