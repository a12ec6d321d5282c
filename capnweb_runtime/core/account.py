"""What a session's work may cost, and has cost. Rule: charged before it is done, and by whoever knows its size.

Each message has a budget of its own: what it takes to read it, to copy, put together or encode what it asks for. What
goes beyond that is refused before it is begun. What has been spent in all is for whoever drives the session: when it
has come to a `SLICE` more, the driver is asked whether others are to go first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from capnweb_runtime.core.budget import Budget
from capnweb_runtime.core.weight import tree_work, work_bound, work_of
from capnweb_runtime.errors import LimitExceeded
from capnweb_runtime.limits import Limits

LARGE: Final = 16 * 1024
"""Bytes from which a message is looked into before it is read. What smaller ones cost follows from their size, since
looking would take as long as what it can save: a list of 100 models is within it. Where a message may cost less than so
many units, one is looked into from that many bytes on.
"""
BYTES_PER_UNIT: Final = 4
"""Of a small message. Where it is all empty lists, a unit is less than three."""
SLICE: Final = 500
"""Units of work after which it is worth asking whether a turn is over: half a millisecond or so."""
BRIEF: Final = 15
"""The same for plans, maps and promises that are replaced by results, of which a unit takes longer: each step of theirs
is several calls of functions.
"""
ENOUGH: Final = SLICE * BYTES_PER_UNIT
"""Bytes of small messages that come to a slice."""

T = TypeVar("T")


class Account:
    """The work of one session.

    Parameters:
        limits: bounds of the session.

    Attributes:
        messages: how many have been taken.
        large: bytes from which a message is looked into before it is read, by `begin`.
        enough: bytes of messages up to which none is large, and `is_over` need not be asked; -1 if that is to be
            asked before the next one.
        brief: whether what asks for the turn is a plan or a map, which may take long, and is to leave room for others
            sooner.
        between: whether none of them is at hand, when what was put off goes on or a call returns: each charge then
            stands for itself.
        spent: units, in all.
        most: units that one message may cost.
        look_at: units spent from which on `is_over` is worth a call.
        look_sooner: the same of `is_over_for_long_work`.
        over: whether the session has had its turn, so that what can wait is put off.
        has_had_turn: asked now and then whether that is so; the driver's.
    """

    __slots__ = (
        "_began",
        "_begun",
        "_digits",
        "_ended",
        "_enough",
        "_left",
        "_map_steps",
        "_mapping",
        "_steps",
        "between",
        "brief",
        "enough",
        "has_had_turn",
        "large",
        "look_at",
        "look_sooner",
        "messages",
        "most",
        "over",
        "spent",
    )

    def __init__(self, limits: Limits) -> None:
        self.most = limits.message_work
        self._digits = limits.bigint_digits
        self._begun = -1  # the message for which that is left:
        self._left = 0
        self._map_steps = limits.map_steps
        self._mapping = -1  # the message whose maps have:
        self._steps = Budget(self._map_steps)
        self._ended = False
        self._began = -1  # units spent when the turn began
        self.messages = 0
        self.large = min(LARGE, limits.message_work)
        self._enough = self.enough = min(ENOUGH, limits.message_size, self.large - 1)
        self.between = True
        self.brief = False
        self.spent = 0
        self.look_at = SLICE
        self.look_sooner = BRIEF
        self.over = False
        self.has_had_turn: Callable[[], bool] = _never

    def begin(self, message: Any) -> None:
        """Charges what it takes to read a large message.

        Parameters:
            message: JSON text, or a tree where the transport carries trees.

        Raises:
            LimitExceeded: that is more than a message may cost.
        """
        most = self.most
        if isinstance(message, str):
            message = message.encode("utf-8", "surrogatepass")
        if not isinstance(message, bytes):
            work = tree_work(message, most)
        else:
            work = work_bound(message, most, self._digits)
            if work > most:
                work = work_of(message, most, self._digits)
        self._spend(work)
        if work > most:
            raise LimitExceeded(
                f"Incoming message takes more than {most} units of work to read, the most that Limits.message_work "
                "allows: send less at a time, or a stream"
            )
        self._begun = self.messages
        self._left = most - work

    def charge(self, work: int) -> None:
        """Charges what is about to be done for the message at hand.

        Parameters:
            work: units.

        Raises:
            LimitExceeded: that is more than is left of what the message may cost; it is not to be done.
        """
        self._spend(work)
        if self.between or self.messages != self._begun:
            self._begun = -1 if self.between else self.messages
            self._left = self.most
        self._left -= work
        if self._left < 0:
            raise LimitExceeded(
                f"the message asks for more than {self.most} units of work, the most that Limits.message_work allows: "
                "ask for less at a time"
            )

    @property
    def left(self) -> int:
        """Units that what is about to be done may take; none if the message at hand has asked for too much already."""
        return self.most if self.between or self.messages != self._begun else max(0, self._left)

    def as_one(self, work: Callable[..., T], *args: object) -> T:
        """Does something when no message is at hand that may be charged for again and again, and that cannot be put off
        in between: all of it together has the budget of a message.

        Parameters:
            work: does it.
            args: what it is called with.
        """
        self.between = False
        self._begun, self._left = self.messages, self.most
        try:
            return work(*args)
        finally:
            self.between = True
            self._begun = -1

    def _spend(self, work: int) -> None:
        self.spent += work
        if self.spent > self.look_at:
            self.enough = -1

    def map_budget(self) -> Budget:
        """What the maps of the message at hand may spend."""
        if self.between or self.messages != self._mapping:
            self._mapping = -1 if self.between else self.messages
            self._steps = Budget(self._map_steps)
        return self._steps

    def is_over(self) -> bool:
        """Whether the session has had its turn; not as long as it has done nothing in it. Worth a call once `spent` is
        beyond `look_at`.
        """
        if not self.over:
            if self.spent == self._began or not self.has_had_turn():
                self._look_later()
                return False
            self.end_turn()
        return True

    def is_over_for_long_work(self) -> bool:
        """The same for a plan or a map. Worth a call once `spent` is beyond `look_sooner`."""
        self.brief = True
        try:
            return self.is_over()
        finally:
            self.brief = False

    def end_turn(self) -> None:
        """What can wait is put off from here on."""
        self.over = True
        self.look_at = self.look_sooner = self.enough = -1

    def begin_turn(self) -> None:
        """The session may work on."""
        self.over = False
        self._began = self.spent
        self._look_later()

    def _look_later(self) -> None:
        self.enough = -1 if self._ended else self._enough
        self.look_at = self.spent + SLICE
        self.look_sooner = self.spent + BRIEF

    def end(self) -> None:
        """The session has ended: whoever takes its messages is to see that."""
        self._ended = True
        self.enough = -1


def _never() -> bool:
    return False
