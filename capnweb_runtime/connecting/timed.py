"""References to results that have a deadline, whatever becomes of sessions meanwhile. Rule: it is the deadline of the
call, not of an attempt.
"""

from __future__ import annotations

from capnweb_runtime.connecting.entries import Entry
from capnweb_runtime.connecting.lasting import LastingHook
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.hook import Payload
from capnweb_runtime.driving.deadline import Deadline, in_time


class TimedLastingHook(LastingHook):
    """A reference to the result of a call with a deadline."""

    __slots__ = ("__weakref__", "_deadline", "_waiting")

    def __init__(self, entry: Entry, deadline: Deadline) -> None:
        super().__init__(entry)
        self._deadline = deadline
        self._waiting: Cell[Payload] | None = None

    @property
    def waiting(self) -> Cell[Payload] | None:
        return self._waiting

    def pull(self) -> Payload | Cell[Payload]:
        if self._waiting is not None and not self._waiting.settled:
            return self._waiting
        pulled = super().pull()
        if isinstance(pulled, Payload) or pulled.settled:
            return pulled
        self._waiting = in_time(self, pulled, self._deadline)
        return self._waiting
