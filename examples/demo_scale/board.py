"""What each worker serves: `python -m capnweb_runtime serve examples.demo_scale.board:board --backplane redis://...`."""

from __future__ import annotations

import os

from capnweb_runtime.scale import Backplane, Topic
from capnweb_runtime.worker import MainFactory, Worker
from examples.demo_scale.generated.demo_scale import BoardTarget, EventsSaidTarget
from examples.demo_scale.schemas.demo_scale import Said


class Board(BoardTarget):
    """The main object of all sessions of one worker.

    Parameters:
        backplane: what the workers share.
        worker: which one this is.
    """

    def __init__(self, backplane: Backplane, worker: int) -> None:
        self._topic = Topic(backplane, "board", Said)
        self._worker = worker

    def worker(self) -> int:
        return self._worker

    async def say(self, number: int) -> int:
        await self._topic.publish(Said(number=number), id=str(number))  # by the same id it is not published twice
        return self._worker

    def events(self) -> EventsSaidTarget:
        return self._topic.target(EventsSaidTarget)


def board(worker: Worker) -> MainFactory:
    """Sets one worker up."""
    main = Board(worker.backplane, os.getpid())
    return lambda peer: main
