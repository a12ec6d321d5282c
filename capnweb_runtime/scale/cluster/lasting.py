"""References by name, which outlast owners. Rule: a use finds the owner that there is; what was under way to one that
is gone fails, and is not made again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from capnweb_runtime.core.broken import GIVEN_BACK, ErrorHook
from capnweb_runtime.core.budget import Budget
from capnweb_runtime.core.calls import Carried
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.hook import Codec, Hook, Host, IncomingArgs, Path, Payload, Wire, dispose_all
from capnweb_runtime.core.refs import PlainStub
from capnweb_runtime.core.value_hooks import PromiseHook
from capnweb_runtime.driving.asyncio_host import AsyncioHost
from capnweb_runtime.driving.deadline import Deadline
from capnweb_runtime.errors import SessionClosed
from capnweb_runtime.objects.stub import around, outside


class Named:
    """An object by its name, as long as somebody refers to it.

    Parameters:
        get: finds it, wherever it is; the hook is the caller's.
        host: keeps calls that wait until it is found.

    Attributes:
        host: the same.
        refs: hooks over this.
    """

    def __init__(self, get: Callable[[], Coroutine[Any, Any, Hook]], host: AsyncioHost) -> None:
        self.host = host
        self.refs = 0
        self._get = get
        self._hook: Hook | None = None  # what it was found as, or what stands for it until it is
        self._task: asyncio.Task[None] | None = None

    @property
    def known(self) -> Hook | None:
        """What it was found as; None while it is not."""
        return None if isinstance(self._hook, PromiseHook) else self._hook

    def bound(self) -> Hook:
        """What stands for it, still owned by this."""
        if self._hook is None:
            cell: Cell[Hook] = Cell()
            self._hook = PromiseHook(cell, self.host)
            with outside():
                self._task = asyncio.get_running_loop().create_task(self._find(cell))
        return self._hook

    def let_go(self) -> None:
        """A reference less. What was called before is still called."""
        self.refs -= 1
        if self.refs == 0 and (hook := self.known) is not None:
            self._hook = None
            hook.dispose()

    async def _find(self, cell: Cell[Hook]) -> None:
        try:
            hook = await self._get()
        except BaseException as error:
            self._hook = None
            cancelled = isinstance(error, asyncio.CancelledError)
            cell.reject(SessionClosed("the cluster was closed meanwhile") if cancelled else error)
            if not isinstance(error, Exception):
                raise
            return
        self._hook = hook
        cell.resolve(hook)  # makes the calls that wait, before any other
        if self.refs == 0:
            self._hook = None
            hook.dispose()
        else:
            hook.on_broken(lambda _: self._broken(hook))

    def _broken(self, hook: Hook) -> None:
        if self._hook is hook:
            self._hook = None
            asyncio.get_running_loop().call_soon(hook.dispose)  # others are still to be told


class NamedHook(Hook):
    """A reference to an object by its name. Owns one reference of what it shares with its duplicates."""

    __slots__ = ("_named",)

    lasts = True

    def __init__(self, named: Named) -> None:
        named.refs += 1
        self._named: Named | None = named

    def __del__(self) -> None:
        # Dropped without having been disposed: in any thread, and in the middle of anything.
        if self._named is not None:
            self._named.host.discard(_Dropped(self._named))

    def _opened(self) -> Named:
        if self._named is None:
            raise GIVEN_BACK.error_of("a stub was used", "it")
        return self._named

    @property
    def host(self) -> Host:
        return self._opened().host

    @property
    def home(self) -> Any:
        return None if self._named is None else self._named.host.home

    def known_to(self, session: object) -> int | None:
        known = None if self._named is None else self._named.known
        return None if known is None else known.known_to(session)

    def _use(self, use: Callable[[Hook], Hook], give_up: Callable[[], object]) -> Hook:
        """Uses what it stands for, within the deadline of this place."""
        named = self._named
        if named is None:
            give_up()
            return GIVEN_BACK
        host = named.host
        if host.here() is not host.home:
            give_up()
            host.elsewhere()
        scope = around.get()
        if not isinstance(scope, Deadline):
            return use(named.bound())
        # An object of this worker, or a call that waits, knows of it by what its host says.
        carried = host.arrived(Carried(max(scope.left(), 0.001), {}))
        used: Hook = host.within(carried, use, named.bound())
        return used

    def call(self, path: Path, args: Payload, expect: Codec | None = None) -> Hook:
        return self._use(lambda hook: hook.call(path, args, expect), args.dispose)

    def call_wire(self, path: Path, args: IncomingArgs) -> Hook:
        return self._use(lambda hook: hook.call_wire(path, args), lambda: args.payload().dispose())

    def get(self, path: Path, expect: Codec | None = None) -> Hook:
        return self._use(lambda hook: hook.get(path, expect), lambda: None) if path else self.dup()

    def map(
        self,
        path: Path,
        captures: list[Hook],
        instructions: list[Wire],
        expect: Codec | None = None,
        budget: Budget | None = None,
    ) -> Hook:
        return self._use(
            lambda hook: hook.map(path, captures, instructions, expect, budget), lambda: dispose_all(captures)
        )

    def dup(self) -> Hook:
        return NamedHook(self._opened())

    def pull(self) -> Payload | Cell[Payload]:
        stub = PlainStub(self.dup())
        return Payload(stub, None, [stub._hook])

    def dispose(self) -> None:
        named, self._named = self._named, None
        if named is not None:
            named.let_go()

    def on_broken(self, callback: Callable[[BaseException], object]) -> None:
        """A name never breaks."""


class _Dropped(ErrorHook):
    """What is left of a reference that was dropped: disposing it gives the reference back."""

    __slots__ = ("_named",)

    def __init__(self, named: Named) -> None:
        super().__init__(GIVEN_BACK.error)
        self._named = named

    def dispose(self) -> None:
        self._named.let_go()
