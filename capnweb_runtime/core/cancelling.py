"""Calls that are cancelled once nobody wants their results. Rule: what has not been asked for is never cancelled by
being given up, and what anything else depends on runs on.

A call that is made for its effect alone is never asked for: giving its result up says nothing about it. A result that
is named in other calls, or called itself, is wanted by those, whatever becomes of them; one that is read or kept, for
as long as that is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from capnweb_runtime.core.budget import Budget
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.hook import Codec, Hook, Host, Path, Payload, Wire
from capnweb_runtime.core.interface import Method
from capnweb_runtime.core.value_hooks import PromiseHook

A = TypeVar("A")


class Interest:
    """Who wants the result of a call.

    Parameters:
        result: settles with it.
        cancel: called, once, when nobody does any more.

    Attributes:
        asked: whether anybody has asked for the result, or for a part of it.
    """

    __slots__ = ("_cancel", "_holders", "_result", "asked")

    def __init__(self, result: Cell[Hook], cancel: Callable[[], object]) -> None:
        self._result = result
        self._cancel = cancel
        self._holders = 0
        self.asked = False

    def hold(self) -> None:
        """Somebody more holds the result."""
        self._holders += 1

    def let_go(self) -> None:
        """One of them does not any more."""
        self._holders -= 1
        if self._holders == 0 and self.asked and not _is_known(self._result):
            self._cancel()


def _is_known(result: Cell[Hook]) -> bool:
    """Whether a result is there. That of a call whose arguments had to be waited for is first one that is to come."""
    while isinstance(hook := result.value, PromiseHook):
        result = hook._cell
    return result.settled


class CancellableHook(PromiseHook):
    """The result of a call that can be cancelled, or what is read of it; one of those who hold it."""

    __slots__ = ("_interest",)

    def __init__(self, cell: Cell[Hook], host: Host, interest: Interest) -> None:
        super().__init__(cell, host)
        self._interest = interest
        interest.hold()

    def _held(self, hook: Hook) -> Hook:
        """A hook over what will be read of the result, as one that holds it."""
        return CancellableHook(hook._cell, self._host, self._interest) if isinstance(hook, PromiseHook) else hook

    def call(self, path: Path, args: Payload, expect: Codec | None = None) -> Hook:
        self._interest.hold()  # for good: the call is to be made
        return super().call(path, args, expect)

    def get(self, path: Path, expect: Codec | None = None) -> Hook:
        return self._held(super().get(path, expect))

    def map(
        self,
        path: Path,
        captures: list[Hook],
        instructions: list[Wire],
        expect: Codec | None = None,
        budget: Budget | None = None,
    ) -> Hook:
        self._interest.hold()  # as for a call
        return super().map(path, captures, instructions, expect, budget)

    def dup(self) -> Hook:
        return self._held(super().dup())

    def pull(self) -> Payload | Cell[Payload]:
        self._interest.asked = True
        return super().pull()

    def dispose(self) -> None:
        if not self._disposed:
            super().dispose()
            self._interest.let_go()


def cancellably(
    begin: Callable[[Callable[..., Any], Method, A, Host, str], Hook],
    function: Callable[..., Any],
    method: Method,
    args: A,
    host: Host,
    where: str,
    may_cancel: Callable[[], bool] | None = None,
) -> Hook:
    """Calls a function of the application, so that the call is cancelled once nobody wants its result.

    Parameters:
        begin: `invoke` or `invoke_wire`, which gets the rest.
        function: the function.
        method: how arguments and result travel.
        args: the arguments.
        host: runs the function.
        where: what to call it in a report.
        may_cancel: asked, once nobody wants the result, whether to cancel the call; None means that it may be.

    Returns:
        A hook for the result, owned by the caller.
    """
    handle = host.handle(function)
    if handle is None:
        return begin(function, method, args, host, where)
    cancel = handle.cancel
    hook = begin(handle.function, method, args, host, where)
    if type(hook) is not PromiseHook:  # the result is known
        return hook

    def unwanted() -> None:
        if may_cancel is None or may_cancel():
            cancel()

    return CancellableHook(hook._cell, host, Interest(hook._cell, unwanted))
