"""The reference under a pool's stub. Rule: each call asks anew which session it goes to, and what it gives belongs to
that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from capnweb_runtime.core.broken import ErrorHook
from capnweb_runtime.core.budget import Budget
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.hook import Codec, Hook, Host, Path, Payload, Wire
from capnweb_runtime.errors import SessionClosed

_MAIN: Final = 0  # the id of the main object, in each session


class SpreadHook(Hook):
    """A reference to the main objects of all sessions of a pool.

    Parameters:
        pick: gives that of one session, owned by the caller. Raises SessionClosed if there is none.
        home: the event loop of the sessions.
        includes: whether a session is one of them.
    """

    __slots__ = ("_home", "_includes", "_pick")

    lasts = True

    def __init__(self, pick: Callable[[], Hook], home: Any, includes: Callable[[object], bool]) -> None:
        self._pick = pick
        self._home = home
        self._includes = includes

    def _one(self) -> Hook:
        try:
            return self._pick()
        except SessionClosed as error:
            return ErrorHook(error)

    @property
    def host(self) -> Host:
        return self._one().host

    @property
    def home(self) -> Any:
        return self._home

    def known_to(self, session: object) -> int | None:
        return _MAIN if self._includes(session) else None

    def call(self, path: Path, args: Payload, expect: Codec | None = None) -> Hook:
        return self._one().call(path, args, expect)

    def get(self, path: Path, expect: Codec | None = None) -> Hook:
        return self._one().get(path, expect)

    def map(
        self,
        path: Path,
        captures: list[Hook],
        instructions: list[Wire],
        expect: Codec | None = None,
        budget: Budget | None = None,
    ) -> Hook:
        return self._one().map(path, captures, instructions, expect, budget)

    def map_idempotent(self, path: Path, captures: list[Hook], instructions: list[Wire], expect: Codec | None) -> Hook:
        return self._one().map_idempotent(path, captures, instructions, expect)

    def dup(self) -> Hook:
        return SpreadHook(self._pick, self._home, self._includes)

    def pull(self) -> Payload | Cell[Payload]:
        return self._one().pull()

    def dispose(self) -> None:
        """The sessions belong to the pool."""

    def on_broken(self, callback: Callable[[BaseException], object]) -> None:
        """A pool never breaks."""
