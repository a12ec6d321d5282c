"""Errors of promises that nobody has asked for. Rule: they are told at DEBUG, when the promise is gone, and cost
nothing while that is not shown.

Calls whose results nobody wants are no mistake, so nothing louder would do; the side that runs them reports what they
raise. But who looks for an `await` that was forgotten, or for a call on a session that had ended, turns the log on.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from capnweb_runtime.core.broken import ErrorHook
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.hook import Payload

logger: Final = logging.getLogger("capnweb_runtime.promises")


class Unseen:
    """An error, as long as nobody has asked for it.

    Attributes:
        seen: whether somebody has.
    """

    __slots__ = ("_error", "_what", "seen")

    def __init__(self, error: BaseException, what: str) -> None:
        self.seen = False
        self._error = error
        self._what = what

    def __del__(self) -> None:
        if not self.seen:
            logger.debug(
                "%s failed, and nobody awaited it: %s: %s", self._what, type(self._error).__name__, self._error
            )


def unseen(error: BaseException, promise: Any) -> Unseen | None:
    """Keeps an eye on the error of a promise; nothing if the log does not show it.

    Parameters:
        error: what it failed with.
        promise: named in the log by its `repr`.
    """
    return Unseen(error, repr(promise)) if logger.isEnabledFor(logging.DEBUG) else None


class UnseenHook(ErrorHook):
    """The result of a call that failed before it was sent."""

    __slots__ = ("_unseen",)

    def __init__(self, error: BaseException, what: str) -> None:
        super().__init__(error)
        self._unseen = Unseen(error, what)

    def pull(self) -> Payload | Cell[Payload]:
        self._unseen.seen = True
        return super().pull()
