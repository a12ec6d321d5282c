"""What `python -m capnweb_runtime serve tests.scale.fronts:fronts` serves for `make chaos`: rooms that live on one of
the workers. It is in a cluster of its own making, since owners are to be missed sooner than after the usual 10 seconds.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from capnweb_runtime.scale import Cluster
from capnweb_runtime.worker import MainFactory, Worker
from tests.placed.generated.rooms import RoomStub
from tests.placed.service import Front, rooms
from tests.placed.workers import SECRET

TTL = 2.0
"""Seconds."""


@asynccontextmanager
async def fronts(worker: Worker) -> AsyncIterator[MainFactory]:
    name = str(os.getpid())
    async with Cluster(worker.backplane, listen="127.0.0.1:0", secret=SECRET, ttl=TTL) as cluster:
        cluster.register(RoomStub, rooms([], name))
        yield lambda peer: Front(cluster, name)
