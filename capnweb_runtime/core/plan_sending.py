"""Sends plans; where the peer takes none, a plan is carried out here, call by call. Rule: a peer that refuses a plan
has done nothing of it, so that it may be begun anew.

Whether its peer takes plans is remembered for each session. As long as that is not known, the answer to a plan is asked
for at once, whoever waits for it.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Final

from capnweb_runtime.core.broken import GIVEN_BACK, ErrorHook
from capnweb_runtime.core.budget import Budget
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.hook import Codec, Hook, Path, Payload, Wire, dispose_all
from capnweb_runtime.core.plan import run_plan
from capnweb_runtime.core.tables import ImportHook
from capnweb_runtime.core.value_hooks import PromiseHook
from capnweb_runtime.errors import wire_message
from capnweb_runtime.limits import DEFAULT_LIMITS

REFUSED: Final = 'unknown special value: ["plan"'
"""How the error begins with which a peer refuses a plan that does not know of them, or is not to take any."""
_NO_OTHER_TRY: Final = (
    "the server takes no plans, and has done nothing of this one; after the answer to an HTTP batch there is no other "
    "try: connect over WebSocket, or make the calls one by one ({})"
)


def send_plan(subject: Hook, path: Path, captures: list[Hook], plan: list[Wire], expect: Codec | None) -> Hook:
    """Has a plan carried out where the subject is, or here if that cannot be.

    Parameters:
        subject: what it is applied to; it stays its owner's.
        path: from there to what is value 0.
        captures: what it names beside that; owned.
        plan: the instructions, the header among them.
        expect: codec of the result.

    Returns:
        A hook for the result, owned by the caller.
    """
    session = _session_of(subject)
    takes = None if session is None else session.takes_plans
    if takes is True or isinstance(subject, ErrorHook):
        return subject.map(path, captures, plan, expect)
    if takes is False:
        return _carry_out_here(subject, path, captures, plan)
    return _TriedHook(_Trial(subject, path, captures, plan, expect))


def _session_of(hook: Hook) -> Any:
    """The session that a hook belongs to; None if it is none of a peer's, or may outlast one."""
    entry = hook.entry if isinstance(hook, ImportHook) else None
    return entry.sender if entry is not None and hasattr(entry.sender, "takes_plans") else None


def _carry_out_here(subject: Hook, path: Path, captures: list[Hook], plan: list[Wire]) -> Hook:
    """Carries a plan out on this side, within the bounds that a peer would have by default."""
    here: Any = SimpleNamespace(
        host=subject.host, limits=DEFAULT_LIMITS, map_budget=lambda: Budget(DEFAULT_LIMITS.map_steps)
    )
    return run_plan(here, subject, path, captures, plan)


class _Trial:
    """A plan that has been sent to a peer of which it is not known whether it takes any.

    Attributes:
        host: of the session.
        cell: settles with the hook of the result.
    """

    def __init__(self, subject: Hook, path: Path, captures: list[Hook], plan: list[Wire], expect: Codec | None) -> None:
        self.host = subject.host
        self.cell: Cell[Hook] = Cell()
        self._path = path
        self._plan = plan
        self._session = _session_of(subject)
        self._subject = subject.dup()
        self._captures = [hook.dup() for hook in captures]
        self._sent = subject.map(path, captures, plan, expect)
        try:
            pulled = self._sent.pull()
        except Exception as error:  # of a hook that is broken already
            self._failed(error)
            return
        if isinstance(pulled, Payload):
            self._taken(pulled)
        else:
            pulled.then(self._taken, self._failed)

    def _taken(self, _: object) -> None:
        self._remember(takes=True)
        self._let_go()
        self.cell.resolve(self._sent)

    def _failed(self, error: BaseException) -> None:
        if self.cell.settled:
            return
        if not wire_message(error).startswith(REFUSED):
            self._remember(takes=True)
            self._let_go()
            self.cell.resolve(self._sent)  # which has failed
            return
        self._remember(takes=False)
        if self._session is not None and not self._session.takes_calls:  # as after the answer to a batch
            self._let_go()
            self._sent.dispose()
            self.cell.resolve(ErrorHook(TypeError(_NO_OTHER_TRY.format(wire_message(error)))))
            return
        self._sent.dispose()
        captures, self._captures = self._captures, []
        result = _carry_out_here(self._subject, self._path, captures, self._plan)
        self._let_go()
        self.cell.resolve(result)

    def _remember(self, *, takes: bool) -> None:
        if self._session is not None:
            self._session.takes_plans = takes

    def _let_go(self) -> None:
        """Gives back what another try would have needed."""
        self._subject.dispose()
        captures, self._captures = self._captures, []
        dispose_all(captures)

    def give_up(self) -> None:
        """Nobody wants the result any more."""
        if not self.cell.settled:
            self._let_go()
            self._sent.dispose()
            self.cell.reject(GIVEN_BACK.error_of("the result of a plan was asked for", "it"))


class _TriedHook(PromiseHook):
    """The result of a plan that has been tried."""

    __slots__ = ("_trial",)

    def __init__(self, trial: _Trial) -> None:
        super().__init__(trial.cell, trial.host)
        self._trial = trial

    def dispose(self) -> None:
        super().dispose()
        self._trial.give_up()
