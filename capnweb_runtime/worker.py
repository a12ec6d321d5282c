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
    """One process of a server that runs in several: what the application's setup function is given in each.

    Parameters:
        backplane: topics, leases and values that all workers share. It is connected; whoever made it closes it.
        cluster: this worker's part in the cluster; None if there is none.

    Attributes:
        backplane: the backplane.
        leaving: an `asyncio.Event` that is set when the process begins to end, or to make room for its successor. End
            streams then: they are calls in progress, and would be waited for.
    """

    def __init__(self, backplane: Backplane, cluster: Cluster | None = None) -> None:
        self.backplane = backplane
        self.leaving = asyncio.Event()
        self._cluster = cluster

    @property
    def cluster(self) -> Cluster:
        """This worker's part in the cluster.

        Raises:
            RuntimeError: there is no cluster.
        """
        if self._cluster is None:
            raise RuntimeError(
                "this worker is in no cluster: serve it with --cluster 127.0.0.1:0, or give Worker() a Cluster"
            )
        return self._cluster


Served: TypeAlias = MainFactory | Service
"""What a worker serves: a function that makes the main object of each session, or a `Service`, which has that function
and says how sessions are served.
"""
Application: TypeAlias = Callable[[Worker], Served | Awaitable[Served] | AbstractAsyncContextManager[Served]]
"""A setup function, called once in each worker with its `Worker`. It returns what is served, a `MainFactory` or a
`Service`; or an awaitable of one, as an async function does; or an async context manager that gives one, and is left
when the worker has served everybody.
"""
