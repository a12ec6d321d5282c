"""Which worker owns what, and how its objects are reached. Rule: the lease decides; whoever is asked for what nobody
owns becomes its owner, and makes it once.
"""

from __future__ import annotations

import asyncio
import inspect
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from capnweb_runtime.debugging.names import interface_of_stub
from capnweb_runtime.errors import (
    BackplaneUnavailable,
    ConnectionLost,
    ConnectionRefused,
    GoingAway,
    LeaseLost,
    RpcError,
    SessionClosed,
)
from capnweb_runtime.objects.stub import RpcStub, outside
from capnweb_runtime.objects.target import RpcTarget
from capnweb_runtime.scale.cluster.gate import NOT_HERE
from capnweb_runtime.scale.cluster.links import AnotherWorker, Links
from capnweb_runtime.scale.cluster.objects import Holds, OwnedObject, Ownership
from capnweb_runtime.scale.cluster.once import Once
from capnweb_runtime.scale.cluster.owner import Key, Owner
from capnweb_runtime.scale.cluster.renewals import Renewals, logger
from capnweb_runtime.scale.contract import Backplane, Holder, Lease
from capnweb_runtime.scale.waiting import pause

if TYPE_CHECKING:
    from capnweb_runtime.core.hook import Hook
    from capnweb_runtime.driving.asyncio_host import AsyncioHost
    from capnweb_runtime.objects.any_stub import AnyStub

Factory = Callable[[Ownership], RpcTarget | Awaitable[RpcTarget]]

_STEP: Final = 2
"""In that part of a lease's time an owner has to answer, or it is asked again whether it is still the owner."""

_NOT_ENTERED: Final = "the Cluster has not been entered: `async with Cluster(...) as cluster:` first"


@dataclass(frozen=True)
class Registered:
    """How objects of a kind are made here."""

    stub: type[RpcStub]
    factory: Factory


class Placement:
    """The objects of the cluster, as one worker sees them.

    Parameters:
        backplane: keeps the leases.
        links: lead to the others.
        renewals: keep leases.
        ttl: seconds that a lease lasts.
        idle: seconds after which an object is released that nobody uses; None means never.
        patience: seconds for which somebody is looked for who has what is asked for.

    Attributes:
        me: this worker, once it listens.
        host: runs its calls, once there is a loop.
        objects: what this worker owns.
        making: what is being looked for, or made.
        leaving: what is being released.
        is_closing: whether nothing is to be had any more.
    """

    def __init__(
        self,
        backplane: Backplane,
        links: Links,
        renewals: Renewals,
        *,
        ttl: float,
        idle: float | None,
        patience: float,
    ) -> None:
        self.me: Owner | None = None
        self.host: AsyncioHost | None = None
        self.objects: dict[Key, OwnedObject] = {}
        self.making: Once[Key, OwnedObject | Holder | None] = Once()
        self.leaving: Once[Key, None] = Once()
        self.is_closing = False
        self._registered: dict[str, Registered] = {}
        self._backplane = backplane
        self._links = links
        self._renewals = renewals
        self._ttl = ttl
        self._idle = idle
        self._patience = patience

    def begin(self, me: Owner, host: AsyncioHost) -> None:
        """Begins. Objects are made and ended in copies of this Context, whoever asks for them."""
        self.me, self.host = me, host
        with outside():
            self.making.context = self.leaving.context = copy_context()

    def running_host(self) -> AsyncioHost:
        """What runs calls of this worker. Raises RuntimeError before it has begun."""
        if self.host is None:
            raise RuntimeError(_NOT_ENTERED)
        return self.host

    def register(self, stub: type[RpcStub], factory: Factory, kind: str) -> None:
        """See `Cluster.register`."""
        if kind in self._registered:
            raise ValueError(
                f"{kind} is registered already, for {self._registered[kind].stub.__name__}: give one of them another "
                "kind="
            )
        self._registered[kind] = Registered(stub, factory)

    def check(self, stub: type[RpcStub], kind: str) -> None:
        """Raises TypeError if a stub is not of the class that objects of its kind have here."""
        known = self._registered.get(kind)
        if known is not None and known.stub is not stub:
            raise TypeError(
                f"{kind} is registered for {known.stub.__module__}.{known.stub.__name__}, and asked for as "
                f"{stub.__module__}.{stub.__name__}: say another kind= for one of them"
            )

    # ---- getting

    async def get(self, key: Key) -> Hook:
        """A reference to an object, wherever it is, owned by the caller. Raises what `Cluster.get` does."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._patience
        why: Exception | None = None
        attempt = 0
        while True:
            if self.me is None:
                raise RuntimeError(_NOT_ENTERED)
            if self.is_closing:
                raise GoingAway("this worker is shutting down: it gives out no objects any more")
            try:
                hook = await self._attempt(key, self.me)
            except (AnotherWorker, LookupError, SessionClosed, TimeoutError) as error:
                if type(error) is LookupError or (isinstance(error, ConnectionRefused) and error.status is None):
                    raise
                why = error
            else:
                if hook is not None:
                    return hook
            attempt += 1
            if loop.time() >= until:
                raise ConnectionLost(
                    f"{key} could not be got within {self._patience:g} seconds: its owner does not answer, and still "
                    "has its lease; see that workers reach each other, and the log"
                ) from why
            await asyncio.sleep(min(pause(attempt, random.random), self._ttl / 8))

    async def _attempt(self, key: Key, me: Owner) -> Hook | None:
        """A reference; None if it is to be tried again."""
        owned = self.objects.get(key)
        if owned is None:
            found = await self.making.of(key, partial(self._locate, key, me))
            if isinstance(found, Holder):
                return await self._reach(key, found)
            owned = found
        if owned is None:
            return None
        if owned.refusal() is None:
            return owned.hook()
        self._lost(key, owned.lease)
        return None

    async def _locate(self, key: Key, me: Owner) -> OwnedObject | Holder | None:
        """Who has it: this worker, which may have become its owner now, or another; None if that is not known yet."""
        await self.leaving.settled(key)
        holder = await self._backplane.holder(key.lease)
        if holder is not None:
            owner = Owner.parse(holder.value)
            return None if owner is not None and owner.worker == me.worker else holder
        registered = self._registered.get(key.kind)
        if registered is None:
            raise LookupError(
                f"nobody has {key}, and this worker cannot make it: call cluster.register({key.kind}Stub, ...) "
                "here, or on the workers that are asked for it"
            )
        if self.is_closing:
            return None
        lease = await self._backplane.acquire(key.lease, me.encode(), self._ttl)
        return None if lease is None else await self._make(key, registered, lease)

    async def _reach(self, key: Key, holder: Holder) -> Hook:
        """A reference to an object of another worker."""
        owner = Owner.parse(holder.value)
        if owner is None or not owner.url:
            raise ConnectionLost(
                f"{key} is on a worker that cannot be reached: give its Cluster listen= and secret="
                if owner is not None
                else f"the lease of {key} does not say which worker has it: something else has written there"
            )
        async with asyncio.timeout(self._ttl / _STEP):
            gate = await self._links.to(owner)
            try:
                stub: AnyStub = await gate.call("get", key.kind, key.name, holder.fence)
            except RpcError as error:
                if error.name == NOT_HERE:
                    raise ConnectionLost(str(error)) from None
                raise
        hook: Hook = stub._hook.dup()
        stub.dispose()
        return hook

    async def find(self, key: Key, fence: int) -> OwnedObject:
        """What another worker asks for. Raises LookupError if this one does not own it."""
        await self.making.settled(key)
        owned = self.objects.get(key)
        if owned is None or owned.lease.fence != fence or owned.refusal() is not None:
            raise LookupError(f"{key} is not here, or no longer")
        return owned

    # ---- owning

    async def _make(self, key: Key, registered: Registered, lease: Lease) -> OwnedObject:
        """Makes an object for which this worker has the lease, and gives that back if it cannot be made."""
        self._renewals.add(lease, partial(self._lost, key, lease))
        host = self.running_host()
        try:
            holds = Holds()
            made: Any = registered.factory(Ownership(key.kind, key.name, lease, self._backplane, holds))
            if inspect.isawaitable(made):
                made = await made
            target = _checked(made, registered, key)
            owned = OwnedObject(key, lease, target, host, holds, self._idle, self._is_idle)
            if not lease.held:
                await owned.dispose()
                raise LeaseLost(f"the lease of {key} was lost while it was made: that took too long, or stood still")
            self.objects[key] = owned
        except BaseException:
            self._renewals.remove(lease)
            with suppress(BackplaneUnavailable):  # then it expires in its time
                await lease.release()
            raise
        return owned

    def _lost(self, key: Key, lease: Lease) -> None:
        """A lease is lost: what it was held for ends."""
        owned = self.objects.get(key)
        if owned is not None and owned.lease is lease:
            del self.objects[key]
            owned.refusal()
            self._dispose_later(owned)

    def _is_idle(self, owned: OwnedObject) -> None:
        if self.objects.get(owned.key) is owned:
            self._dispose_later(owned)

    def _dispose_later(self, owned: OwnedObject) -> None:
        task = asyncio.get_running_loop().create_task(self.leaving.of(owned.key, partial(self.release, owned)))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def release(self, owned: OwnedObject, within: float | None = None) -> None:
        """Ends an object of this worker, and gives its lease back, so that another may have it at once.

        Parameters:
            owned: the object.
            within: seconds that its disposer has; None means as many as it takes.
        """
        if self.objects.get(owned.key) is owned:
            del self.objects[owned.key]
        try:
            async with asyncio.timeout(within):
                await owned.dispose()
        except TimeoutError:
            logger.warning("%s was not disposed in time: its disposer was cancelled", owned.key)
        self._renewals.remove(owned.lease)
        if owned.lease.held:
            try:
                await owned.lease.release()
            except BackplaneUnavailable as error:
                logger.warning("the lease of %s could not be given back, and expires in its time: %s", owned.key, error)

    async def close(self, until: float) -> None:
        """Ends all of them, when calls of this worker have ended or the time is over.

        Parameters:
            until: what the loop's clock gives then.
        """
        self.is_closing = True
        left = partial(_left, asyncio.get_running_loop(), until)
        await self.making.end(left())
        if self.host is not None and self.host.tasks:
            await asyncio.wait(tuple(self.host.tasks), timeout=left())
            self.host.cancel_all()
        owned = tuple(self.objects.values())
        await asyncio.gather(*(self.leaving.of(one.key, partial(self.release, one, left())) for one in owned))
        await self.leaving.end(left())


def _left(loop: asyncio.AbstractEventLoop, until: float) -> float:
    """Seconds until a time on the loop's clock."""
    return max(until - loop.time(), 0.0)


def kind_of(stub: object, kind: str | None) -> str:
    """What objects are called that have stubs of a class.

    Parameters:
        stub: the generated class.
        kind: what they are to be called; None means as their interface.

    Raises:
        TypeError: it is a class that no interface has.
    """
    is_generated = isinstance(stub, type) and issubclass(stub, RpcStub)
    found = kind or (interface_of_stub(stub) if is_generated else "")
    if not (found and is_generated):
        raise TypeError(f"{getattr(stub, '__name__', stub)!s} is no generated stub class, such as RoomStub")
    return found


def _checked(made: object, registered: Registered, key: Key) -> RpcTarget:
    """What a factory has made. Raises TypeError if it does not fit its stub."""
    wanted = interface_of_stub(registered.stub)
    if not isinstance(made, RpcTarget):
        raise TypeError(f"the factory of {key} has to return a {wanted}Target, not {type(made).__name__}")
    interfaces = {vars(base).get("_rpc_interface") for base in type(made).__mro__}
    if wanted and wanted not in interfaces:
        raise TypeError(f"the factory of {key} returned a {type(made).__name__}, which is no {wanted}Target")
    return made
