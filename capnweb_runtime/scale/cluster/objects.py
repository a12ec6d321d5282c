"""Objects that a worker owns. Rule: before each call it is asked whether the lease is still held; once it is not,
nothing of the object runs any more, and every session that has it ends.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from capnweb_runtime.core.broken import ErrorHook
from capnweb_runtime.core.hook import Codec, Hook, Host, IncomingArgs, Path, Payload
from capnweb_runtime.core.refs import Exportable
from capnweb_runtime.core.target_hooks import AttendedTargetHook, Shares, TargetHook
from capnweb_runtime.core.value_hooks import PromiseHook
from capnweb_runtime.driving.asyncio_host import AsyncioHost
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.errors import Disconnected, SessionClosed
from capnweb_runtime.objects.target import RpcTarget
from capnweb_runtime.scale.cluster.fenced import FencedStore
from capnweb_runtime.scale.cluster.owner import Key
from capnweb_runtime.scale.contract import Backplane, Lease

_NOBODY: Final = 1
"""Shares of an object that nobody refers to: its own."""


@dataclass(frozen=True)
class Ownership:
    """What a factory of `Cluster.register` is given for the object that it makes: this worker is the only owner of the
    object for as long as it holds the lease.

    Attributes:
        kind: kind of the object: the name of its interface, unless `Cluster.register` was given another one.
        name: name of the object among those of its kind.
        lease: the lease, which the cluster renews. Once it is lost, no method of the object is called any more.
        backplane: the backplane of the cluster.
    """

    kind: str
    name: str
    lease: Lease
    backplane: Backplane
    _holds: Holds = field(repr=False, compare=False)
    _store: FencedStore = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_store", FencedStore(self.backplane, self.lease.fence))  # this is frozen

    @property
    def fence(self) -> int:
        """Number of the lease. Send it along with everything that is written for the object; see `Lease`."""
        return self.lease.fence

    def store(self) -> FencedStore:
        """Gives values on the backplane that only the current owner can write, for the state of the object. It is the
        same store at each call.
        """
        return self._store

    def hold(self) -> Callable[[], None]:
        """Keeps the object from being released for being idle (`Cluster(idle=...)`): while it has work of its own, or
        while something that it has handed out is in use.

        Returns:
            A function without parameters that ends this; safe to call again.
        """
        self._holds.change(1)
        released = False

        def release() -> None:
            nonlocal released
            if not released:
                released = True
                self._holds.change(-1)

        return release


class Holds:
    """What keeps an object in use beside references to it.

    Attributes:
        count: how much it is.
        changed: called when there is less.
    """

    def __init__(self) -> None:
        self.count = 0
        self.changed: Callable[[], object] = lambda: None

    def change(self, by: int) -> None:
        """There is more, or less."""
        self.count += by
        if by < 0:
            self.changed()


class OwnedShares(Shares):
    """Counts the references to an owned object."""

    __slots__ = ("owned",)

    def __init__(self, owned: OwnedObject) -> None:
        super().__init__(lambda: None)  # the object is disposed by its owner
        self.owned = owned


class OwnedHook(TargetHook):
    """A reference to an owned object."""

    __slots__ = ()

    def call(self, path: Path, args: Payload, expect: Codec | None = None) -> Hook:
        refusal = self._refusal()
        if refusal is not None:
            args.dispose()
            return refusal
        return self._counted(super().call(path, args, expect))

    def call_wire(self, path: Path, args: IncomingArgs) -> Hook:
        refusal = self._refusal()
        if refusal is not None:
            args.payload().dispose()
            return refusal
        return self._counted(super().call_wire(path, args))

    def get(self, path: Path, expect: Codec | None = None) -> Hook:
        return self._refusal() or super().get(path, expect)

    def dispose(self) -> None:
        shares = self._shares
        super().dispose()
        if isinstance(shares, OwnedShares):
            shares.owned.given_back(self)

    def on_broken(self, callback: Callable[[BaseException], object]) -> None:
        shares = self._shares
        if isinstance(shares, OwnedShares):
            shares.owned.on_broken(self, callback)

    def _refusal(self) -> ErrorHook | None:
        """What a call gets that must not run; None if it may."""
        shares = self._shares
        if not isinstance(shares, OwnedShares):
            return None
        error = shares.owned.refusal()
        return None if error is None else ErrorHook(error)

    def _counted(self, result: Hook) -> Hook:
        """Counts a call that goes on, where it matters."""
        shares = self._shares
        if isinstance(result, PromiseHook) and isinstance(shares, OwnedShares) and shares.owned.idle is not None:
            holds = shares.owned.holds
            holds.change(1)
            result._cell.then(lambda _: holds.change(-1), lambda _: holds.change(-1))
        return result


class AttendedOwnedHook(OwnedHook, AttendedTargetHook):
    """The same on a host that attends to calls."""

    __slots__ = ()


class OwnedObject:
    """An object that this worker owns.

    Parameters:
        key: what it is called.
        lease: held for it.
        target: the object.
        host: runs calls of this worker.
        holds: what keeps it in use.
        idle: seconds after which it is released if nobody uses it; None means never.
        on_idle: called then.

    Attributes:
        key: the same.
        lease: the same.
        target: the same.
        holds: the same.
        idle: the same.
    """

    def __init__(
        self,
        key: Key,
        lease: Lease,
        target: RpcTarget,
        host: AsyncioHost,
        holds: Holds,
        idle: float | None,
        on_idle: Callable[[OwnedObject], object],
    ) -> None:
        self.key = key
        self.lease = lease
        self.target = target
        self.holds = holds
        self.idle = idle
        holds.changed = self.less
        self._on_idle = on_idle
        self._shares = OwnedShares(self)
        self._own = OwnedHook(target, target._rpc_members, host, self._shares)
        self._over: Disconnected | None = None
        self._callbacks: dict[Hook, list[Callable[[BaseException], object]]] = {}
        self._sessions: set[Connection] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._host = host
        self.less()

    def refusal(self) -> BaseException | None:
        """Why nothing of it may run; None if it may."""
        if self._over is None and not self.lease.held:
            self.end("its lease is lost: this worker stood still, or was cut off, for longer than it lasts")
        return self._over

    def hook(self) -> Hook:
        """A reference for this worker, owned by the caller."""
        return self._own.dup()

    def given_to(self, connection: Connection) -> Exportable:
        """What stands for it in a result that goes out on a session of another worker."""
        if connection not in self._sessions:
            self._sessions.add(connection)
            connection.when_closed(lambda: self._sessions.discard(connection))
        return _Given(self.target, self._shares)

    def on_broken(self, hook: Hook, callback: Callable[[BaseException], object]) -> None:
        """Calls back once when it has ended, unless the hook has been given back by then; at once if it has."""
        if self._over is not None:
            callback(self._over)
        else:
            self._callbacks.setdefault(hook, []).append(callback)

    def given_back(self, hook: Hook) -> None:
        """A reference has been disposed."""
        self._callbacks.pop(hook, None)
        if self._shares.count == _NOBODY:
            self.less()

    def end(self, why: str) -> None:
        """Nothing of it runs any more from here on. Safe to repeat.

        Parameters:
            why: as it goes on in "Room/7 has ended: ...".
        """
        if self._over is not None:
            return
        self._over = Disconnected(f"{self.key} has ended here: {why}; the call has not run", sent=False)
        self._stop_timer()
        for connection in tuple(self._sessions):
            connection.abort(SessionClosed(f"the owner of {self.key} lets go of it: {why}"))
        callbacks, self._callbacks = self._callbacks, {}
        for callback in (one for several in callbacks.values() for one in several):
            try:
                callback(self._over)
            except Exception as failure:  # a callback's failure concerns the application, not the other callbacks
                self._host.report("on_broken", failure)

    async def dispose(self) -> None:
        """Has the object free what it holds; what that raises is reported."""
        self.end("its owner was asked to")
        try:
            outcome: Any = self.target.dispose()
            if inspect.isawaitable(outcome):
                await outcome
        except Exception as failure:  # whatever the application raises
            self._host.report(f"{type(self.target).__name__}.dispose", failure)

    # ---- being idle

    @property
    def is_used(self) -> bool:
        """Whether anybody refers to it, a call of it is in progress, or it is held."""
        return self._shares.count > _NOBODY or self.holds.count > 0

    def less(self) -> None:
        """A reference or a hold less: once there is none, the time begins after which it is released."""
        if self.idle is None or self._over is not None or self.is_used:
            return
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(self.idle, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._over is None and not self.is_used:
            self._on_idle(self)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _Given(Exportable):
    """An owned object on its way out: each session has a hook of its own, which runs calls as that session says."""

    def __init__(self, target: RpcTarget, shares: OwnedShares) -> None:
        self._target = target
        self._owned = shares

    def _export(self, host: Host) -> Hook:
        self._owned.count += 1
        cls = AttendedOwnedHook if host.attends else OwnedHook
        return cls(self._target, self._target._rpc_members, host, self._owned)
