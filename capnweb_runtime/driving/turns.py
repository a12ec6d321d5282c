"""Whose turn it is: the sessions of an event loop share its time. Rule: whoever does little goes at once, and whoever
does much goes on when the others have been heard.

What a session does counts in units of work (see `core.account`), and every few hundred of them somebody looks at the
clock. In each iteration of the loop there is one turn, of some milliseconds, for all that is more than a little. What
is left when it is over waits in its session's line, in order; then the loop asks its sockets who has something to say,
and short messages of other sessions are taken as they come. Only then the session that has done the least has its turn,
in an iteration of its own: whoever had something to say during the one before does not wait for two of them.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from typing import Final
from weakref import WeakValueDictionary, ref

from capnweb_runtime.core.account import Account

TURN: Final = 0.005
"""Seconds of a turn: long enough that going on with it costs nothing by comparison, and too short to be noticed."""
BRIEF: Final = 0.00025
"""Seconds after which plans and maps leave the rest of a turn to others: they may take a second, and whatever is short
would wait for half a turn meanwhile. After a millisecond instead, plans would take a sixth to a quarter less
(`make bench-plans`), and half of the calls beside them three times as long (`make attack ATTACKS='hostile plans'`).
"""

Work = Callable[[], object]


class Turns:
    """The turns of one event loop.

    Parameters:
        loop: the event loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: list[tuple[int, int, Line]] = []  # a heap: by what they have done, then in order
        self._number = 0
        self._due = False
        self._ends: float | None = None  # the turn of this iteration, if it has begun
        self._left = False  # whether what takes long has left the rest of it
        self.done = 0  # what the session that had the last turn had done by then

    @staticmethod
    def of(loop: asyncio.AbstractEventLoop) -> Turns:
        """Those of a loop, which all of its sessions share."""
        turns = _of_loops.get(id(loop))
        if turns is None:
            turns = _of_loops[id(loop)] = Turns(loop)
        return turns

    def are_over(self, brief: bool = False) -> bool:
        """Whether the turn of this iteration of the loop is over; it begins when that is asked for the first time.

        Parameters:
            brief: whether it is asked for what may take long.
        """
        now = self._loop.time()
        if self._ends is None:
            self._ends = now + TURN
            self._go_on_later()
            return False
        if brief and now >= self._ends - (TURN - BRIEF):  # never, where turns have no end
            self._left = True
        return self._left or now >= self._ends

    @property
    def are_waited_for(self) -> bool:
        """Whether any session has put something off."""
        return bool(self._waiting)

    def join(self, line: Line) -> None:
        """Gives the session a turn, once those have had theirs that have done less."""
        self._number += 1
        heapq.heappush(self._waiting, (line.done, self._number, line))
        self._go_on_later()

    def _go_on_later(self) -> None:
        if not self._due:
            self._due = True
            self._loop.call_soon(self._after_the_sockets)

    def _after_the_sockets(self) -> None:
        """What the sockets have said stands behind this in the iteration, and before the next one."""
        self._loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        """Begins the turn of another iteration, if anybody waits for it."""
        self._due = False
        self._ends = None
        self._left = False
        while self._waiting and not self.are_over():
            self.done, _, line = heapq.heappop(self._waiting)
            line.go_on()


_of_loops: WeakValueDictionary[int, Turns] = WeakValueDictionary()  # by id: what is in use keeps its loop alive


class Line:
    """What one session has put off.

    Parameters:
        turns: of its loop.
        account: its work.

    Attributes:
        done: what it has done, in units of work, from where those were that had turns when it had none.
        on_wait: told when something is put off, with True, and when nothing is any more, with False.
    """

    def __init__(self, turns: Turns, account: Account) -> None:
        self._turns = turns
        self._account = account
        self._work: deque[Work] = deque()
        self._to_take: deque[Work] = deque()  # messages, once all the rest is done
        # What is put off in the session's turn goes on before the rest: of both.
        self._first: tuple[list[Work], list[Work]] | None = None
        self._joined = False
        self._told = False
        self._counted = 0  # of what the account says has been spent
        self.done = 0
        self.on_wait: Callable[[bool], None] = _nobody
        line = ref(self)
        account.has_had_turn = lambda: (itself := line()) is not None and itself._has_had_turn()

    def let_go(self) -> None:
        """Nobody wants to be told any more."""
        self.on_wait = _nobody

    def put_off(self, work: Work) -> None:
        """Does something in the session's turn: after what was put off before it, and before any message is taken. What
        has been asked for before a message came is to be known to what that message does, whenever it was put off.
        """
        self._wait(work, self._work, None if self._first is None else self._first[0])

    def take_later(self, work: Work) -> None:
        """Takes messages in the session's turn: after those that wait already, and once nothing is put off any more."""
        self._wait(work, self._to_take, None if self._first is None else self._first[1])

    def in_order(self, work: Work) -> None:
        """Takes messages after what was put off, at once if nothing was."""
        if self._account.over:
            self.take_later(work)
        else:
            work()

    def _wait(self, work: Work, in_line: deque[Work], first: list[Work] | None) -> None:
        if first is None:
            in_line.append(work)
            self._join()
        else:
            first.append(work)
        if not self._told:
            self._told = True
            self.on_wait(True)

    def go_on(self) -> None:
        """Does what was put off, until the turn is over."""
        account, work, to_take = self._account, self._work, self._to_take
        self._joined = False
        account.begin_turn()
        try:
            while (work or to_take) and not (account.spent > account.look_at and account.is_over()):
                self._do(work.popleft() if work else to_take.popleft())
        finally:
            if work or to_take:
                self._join()
            else:
                account.begin_turn()
                self._tell_all_is_done()

    def _do(self, work: Work) -> None:
        first, to_take = self._first = [], []
        try:
            work()
        finally:
            self._first = None
            self._work.extendleft(reversed(first))
            self._to_take.extendleft(reversed(to_take))

    def _tell_all_is_done(self) -> None:
        if self._told:
            self._told = False
            self.on_wait(False)

    def _has_had_turn(self) -> bool:
        if not self._turns.are_over(self._account.brief):
            return False
        if self._first is None:
            self._join()
        return True

    def _join(self) -> None:
        """Waits for a turn; until then all that can wait is put off."""
        account = self._account
        account.end_turn()
        if not self._joined:
            self._joined = True
            self.done = max(self.done + account.spent - self._counted, self._turns.done)
            self._counted = account.spent
            self._turns.join(self)


def _nobody(_: bool) -> None:
    """There is nobody to be told."""
