"""The calls of a client that reconnects. Rule: of each it is known whether it may have arrived; what may not be made
twice is not, and what was said not to have been sent is never sent.
"""

from __future__ import annotations

import asyncio
import weakref
from collections import deque
from contextvars import copy_context
from functools import partial

from capnweb_runtime.connecting.entries import Entry
from capnweb_runtime.connecting.lasting import LastingHook
from capnweb_runtime.connecting.operations import Operation
from capnweb_runtime.connecting.recipes import Ask
from capnweb_runtime.connecting.reconnect import Reconnect
from capnweb_runtime.connecting.timed import TimedLastingHook
from capnweb_runtime.connecting.waiting import Waiting, disconnected
from capnweb_runtime.core.hook import Hook, Leaving
from capnweb_runtime.core.session import Session
from capnweb_runtime.driving.asyncio_host import AsyncioHost
from capnweb_runtime.driving.deadline import nearest
from capnweb_runtime.errors import PEER
from capnweb_runtime.objects.stub import around


class Outstanding:
    """The calls of one client; see `recipes.Calling` for what they need of it.

    Parameters:
        policy: what may wait.
        host: runs the application's code while there is no session.
        call_within: seconds that each call may take, with all the time that it waits; None means without end.
        intercepts: whether calls pass interceptors.

    Attributes:
        host: the same.
        intercepts: the same.
        session: the current session; None while there is none.
        generation: how many sessions have been published.
        reason: why the client has ended; None while it has not.
        load: calls whose results are still to come.
        capabilities: see `entries.Client`.
    """

    def __init__(
        self, policy: Reconnect, host: AsyncioHost, call_within: float | None = None, intercepts: bool = False
    ) -> None:
        self.host = host
        self.intercepts = intercepts
        self._call_within = call_within
        self.session: Session | None = None
        self.generation = 0
        self.reason: BaseException | None = None
        self.load = self.capabilities = 0
        self._sequence = 0
        self._answered = False  # whether the current session has brought an answer
        self._loss: BaseException | None = None  # what the last session ended with
        self._waiting = Waiting(policy, self._give_up)
        self._unsent: deque[Ask] = deque()  # made on the current session, and not known to have left its outbox
        self._held_back: dict[Ask, Leaving] = {}  # made, and not sent yet when they were
        self._asked: dict[Ask, None] = {}  # made, and waited for
        self._watched: weakref.WeakKeyDictionary[Entry, None] = weakref.WeakKeyDictionary()
        self._refused: BaseException | None = None  # why no call is made any more, before it has ended
        self._idle: list[asyncio.Future[None]] = []  # of those who wait until there is nothing to do

    @property
    def calls(self) -> int:
        """Calls that somebody waits for, or that wait themselves."""
        return len(self._asked) + len(self._waiting)

    def refuse_calls(self, error: BaseException) -> None:
        """From here on no call is made; those that have been made go on, on whichever session.

        Parameters:
            error: what further calls fail with.
        """
        self._refused = error

    async def wait_idle(self) -> None:
        """Waits until nobody waits for a call, and none waits."""
        while self.calls and self.reason is None:
            idle: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._idle.append(idle)
            await idle

    # ---- for calls

    def ask(self, source: Entry, operation: Operation) -> Hook:
        """See `entries.Client`."""
        self._sequence += 1
        context = copy_context()
        deadline = nearest(self._call_within)
        ask = Ask(self, source, operation, self._sequence, context)
        self.load += 1
        if deadline is None:
            hook = LastingHook(ask)
        else:
            context.run(around.set, deadline)
            hook = TimedLastingHook(ask, deadline)
        self._make(ask)
        return hook

    def _make(self, ask: Ask) -> None:
        if self.reason is not None:
            ask.fail(disconnected(f"the client has ended: {self.reason}", ask, self.reason))
        elif self._refused is not None:
            ask.fail(self._refused)
        elif self.session is not None:
            ask.issue()
        else:
            refusal = self._waiting.refusal(ask)
            if refusal is None:
                self._waiting.add(ask)
            else:
                ask.fail(disconnected(refusal, ask, self._loss))

    def made(self, ask: Ask) -> None:
        """See `recipes.Calling`."""
        self._let_sent_go()
        leaving = ask.leaving
        if leaving is None:
            self._unsent.append(ask)
        else:
            self._held_back[ask] = leaving
            left = partial(self._left, ask, leaving)
            leaving.raw.then(left, left)

    def _let_sent_go(self) -> None:
        """Calls that have left the outbox are not made again for having waited in it."""
        unsent, session = self._unsent, self.session
        if unsent and session is not None:
            taken = session.taken
            while unsent and unsent[0].mark < taken:
                unsent.popleft()

    def _left(self, ask: Ask, leaving: Leaving, _: object) -> None:
        """A call that was held back has been sent, or will not be."""
        if self._held_back.get(ask) is leaving:
            del self._held_back[ask]
            if leaving.sent_at is not None:
                ask.mark = leaving.sent_at
                self._unsent.append(ask)

    def asked(self, ask: Ask) -> None:
        """See `recipes.Calling`."""
        self._asked[ask] = None

    def settled(self, ask: Ask, error: BaseException | None) -> None:
        """See `recipes.Calling`."""
        self._held_back.pop(ask, None)
        if self._asked.pop(ask, self) is None and (error is None or PEER in vars(error)):
            self._answered = True
        self._close(ask)

    def forget(self, ask: Ask) -> None:
        """See `recipes.Calling`."""
        self._asked.pop(ask, None)
        if ask.given_up:
            self._held_back.pop(ask, None)
            self._waiting.remove(ask)
            self._let_sent_go()  # with what it was given, which the peer may hold as well
        self._close(ask)

    def interrupted(self, ask: Ask) -> None:
        """See `recipes.Calling`."""
        self._asked.pop(ask, None)
        ask.sent = True
        if self.reason is not None:
            ask.fail(disconnected(f"the client has ended: {self.reason}", ask, self.reason))
        elif not (ask.operation.repeatable and ask.can_be_made):
            ask.fail(disconnected(f"the connection was lost: {self._loss}", ask, self._loss))
        elif self.session is None:
            self._waiting.add(ask, anew=self._answered)
        else:
            self._issue(ask)

    def watch(self, entry: Entry) -> None:
        """See `entries.Client`."""
        if self.reason is not None:
            entry.broken(self.reason)
        else:
            self._watched[entry] = None

    def shut_down(self) -> None:
        """See `entries.Client`."""
        raise NotImplementedError

    # ---- when sessions come and go

    def _let_out(self, session: Session) -> bool:
        """Makes the calls that wait. Returns whether the session is still there."""
        self._answered = False
        for ask in self._waiting.take():
            if self.session is not session:  # lost by what one of them did
                self._waiting.add(ask, anew=False)
            elif ask.queued:  # otherwise another one needed it already
                self._issue(ask)
        return self.session is session

    def _take_back(self, session: Session, error: BaseException) -> None:
        """Keeps the calls that a session has not sent for the next one; those that it has are told by themselves."""
        made: list[tuple[Ask, int | None]] = [(ask, ask.mark) for ask in self._unsent]
        made += [(ask, leaving.sent_at) for ask, leaving in self._held_back.items()]
        self._unsent, self._held_back = deque(), {}
        if self.reason is not None:  # ended by this side: what waits in the outbox is still sent
            return
        taken = session.withdraw()
        for ask, at in made:
            if (at is None or at >= taken) and not ask.settled:
                self._asked.pop(ask, None)
                if ask.operation.once:
                    ask.fail(disconnected(f"the connection was lost: {error}", ask, error))
                else:
                    self._waiting.add(ask, anew=self._answered)
        for entry in list(self._watched):
            if not entry.lasts:
                entry.broken(error)

    def _give_all_up(self, reason: BaseException) -> None:
        """The client has ended."""
        for ask in self._waiting.take():
            ask.fail(disconnected(f"the client has ended: {reason}", ask, reason))
        idle, self._idle = self._idle, []
        wake(idle)
        for entry in list(self._watched):
            entry.broken(reason)

    def _issue(self, ask: Ask) -> None:
        """Makes a call that has waited, unless nobody wants it any more."""
        if ask.given_up:
            return
        try:
            ask.issue_later()
        except Exception as error:  # of what it refers to, which has been disposed since
            ask.fail(error)

    def _give_up(self, ask: Ask, why: str) -> None:
        ask.fail(disconnected(why, ask, self._loss))

    def _close(self, ask: Ask) -> None:
        """Its result is known, or nobody wants it."""
        if ask.is_open:
            ask.is_open = False
            self.load -= 1
        if self._idle and not self.calls:
            idle, self._idle = self._idle, []
            wake(idle)


def wake(waiting: list[asyncio.Future[None]]) -> None:
    """Lets those go on who wait."""
    for future in waiting:
        if not future.done():
            future.set_result(None)
