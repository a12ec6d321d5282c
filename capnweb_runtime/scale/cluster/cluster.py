"""Objects with one owner, found by name from every worker. Rule: this is what a program holds; what it is made of are
leases, sessions between workers, and the objects that this one owns.
"""

from __future__ import annotations

import asyncio
import ssl as ssl_module
from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self, TypeVar

from capnweb_runtime.connecting.settings import in_time
from capnweb_runtime.core.hook import Disclosure
from capnweb_runtime.driving.asyncio_host import AsyncioHost
from capnweb_runtime.limits import DEFAULT_LIMITS, Limits
from capnweb_runtime.objects.stub import RpcStub
from capnweb_runtime.observe import Observer
from capnweb_runtime.scale.cluster.gate import HELLO_SECONDS, Gates
from capnweb_runtime.scale.cluster.lasting import Named, NamedHook
from capnweb_runtime.scale.cluster.leader import Leader
from capnweb_runtime.scale.cluster.links import Links, LinkSettings
from capnweb_runtime.scale.cluster.owner import (
    PATH,
    Key,
    Listen,
    Owner,
    advertised,
    listen_of,
    new_worker_id,
    url_of,
)
from capnweb_runtime.scale.cluster.placement import Factory, Placement, kind_of
from capnweb_runtime.scale.cluster.proof import secret_of
from capnweb_runtime.scale.cluster.renewals import Renewals, logger
from capnweb_runtime.scale.contract import Backplane
from capnweb_runtime.scale.leases import check_ttl
from capnweb_runtime.serving.serve import serve

if TYPE_CHECKING:
    from capnweb_runtime.driving.interceptors import Interceptor
    from capnweb_runtime.serving.server import Server

S = TypeVar("S", bound=RpcStub)


class ClusterStats(NamedTuple):
    """What one worker has of a cluster.

    Attributes:
        objects: that it owns.
        leases: that it holds, those of leaders included.
        links: sessions that it has with others.
        guests: sessions that others have with it.
        refused: how many were refused at its port.
    """

    objects: int
    leases: int
    links: int
    guests: int
    refused: int


class Cluster:
    """One worker's part in a cluster: `async with Cluster(backplane, listen="127.0.0.1:0", secret=secret) as cluster:`.
    Leaving it ends the objects that it owns and hands their leases back, so that others may have them at once.

    Parameters:
        backplane: shared by all workers; it is entered before this, and closed after it.
        listen: where other workers reach this one: "127.0.0.1:0", "[::1]:4000", "unix:/run/app/worker-1.sock"; port 0
            means any. None means nowhere: what this worker owns is for itself alone.
        secret: what all workers know and nobody else does, 16 bytes or more. Each side proves to the other that it
            knows it; it is never sent.
        advertise: host and port at which others reach this worker, if they are not those of `listen`; it is this worker
            alone that is to answer there. Port 0 means the one that it has got.
        ssl: settings of TLS for `listen`. With `verify_mode` CERT_REQUIRED, certificates may take the place of the
            secret.
        client_ssl: settings of TLS for connecting to others; None means the system's defaults.
        ttl: seconds after which another worker takes over from one that is gone; 0.1 or more. A process that stands
            still for so long loses what it owns.
        idle: seconds after which an object is released that nobody uses; None means never. References that anybody
            has, calls in progress and `Ownership.hold` count as use.
        patience: seconds for which `get` looks for an owner that answers; None means three times `ttl`, and 30 at
            least.
        limits: bounds of each session between workers.
        errors: which errors of objects other workers are sent as they are; see `serve`.
        interceptors: what calls between workers pass, in both directions; see `serve`.
        observer: is told of failures; by default they are logged.

    Raises:
        ValueError: nobody would be kept out of the port, for want of a secret and of certificates; the secret is too
            short; an address is none; or a number is out of range.
    """

    def __init__(
        self,
        backplane: Backplane,
        *,
        listen: str | None = None,
        secret: str | bytes | None = None,
        advertise: str | None = None,
        ssl: ssl_module.SSLContext | None = None,
        client_ssl: ssl_module.SSLContext | None = None,
        ttl: float = 10.0,
        idle: float | None = None,
        patience: float | None = None,
        limits: Limits = DEFAULT_LIMITS,
        errors: Disclosure = "plain",
        interceptors: Sequence[Interceptor] = (),
        observer: Observer | None = None,
    ) -> None:
        check_ttl(ttl)
        self._backplane = backplane
        self._secret = secret_of(secret)
        self._listen = None if listen is None else listen_of(listen)
        self._advertised: Listen | None = None
        self._ssl = ssl
        if self._listen is not None:
            self._advertised = advertised(advertise, self._listen)
            self._check_guarded()
        self._ttl = ttl
        self._limits = limits
        self._errors: Disclosure = errors
        self._interceptors = tuple(interceptors)
        self._observer = observer
        self._renewals = Renewals(ttl)
        self._worker = new_worker_id()
        self._links = Links(
            LinkSettings(self._worker, self._secret, client_ssl, limits, observer, self._interceptors, ttl / 2)
        )
        self._placement = Placement(
            backplane,
            self._links,
            self._renewals,
            ttl=ttl,
            idle=idle,
            patience=max(3 * ttl, 30.0) if patience is None else patience,
        )
        self._gates = Gates(self._worker, self._secret, self._placement.find)
        self._server: Server | None = None

    # ---- for the application

    @property
    def url(self) -> str:
        """Where other workers reach this one; empty if they do not."""
        return self._gates.url

    def register(self, stub: type[RpcStub], factory: Factory, *, kind: str | None = None) -> None:
        """Says how objects are made that this worker becomes the owner of.

        Parameters:
            stub: generated stub class of their interface.
            factory: makes one, which is a target of that interface; it is given an `Ownership`, and may be async. It
                runs once for each time that this worker becomes the owner of a name.
            kind: what such objects are called in the whole cluster; None means as their interface.

        Raises:
            ValueError: there is a factory for that kind already.
            TypeError: it is no generated class.
        """
        self._placement.register(stub, factory, kind_of(stub, kind))

    async def get(self, stub: type[S], name: str, *, kind: str | None = None) -> S:
        """An object, wherever it is. If no worker has it, this one becomes its owner, and makes it.

        Parameters:
            stub: generated stub class of its interface.
            name: which of them; with its kind it is 140 bytes at most.
            kind: see `register`.

        Returns:
            A stub, to be disposed by the caller. When the owner is gone, it breaks: calls in progress fail with a
            `Disconnected`, which says whether they may have been carried out, and the object is to be got again.

        Raises:
            LookupError: nobody has it, and this worker has no factory for it.
            BackplaneUnavailable: the engine did not answer.
            ConnectionLost: the owner cannot be reached, and still has its lease.
            ConnectionRefused: the owner and this worker do not trust each other.
            DeadlineExceeded: that of a `deadline` block came first.
        """
        key = Key(kind_of(stub, kind), name)
        self._placement.check(stub, key.kind)
        return stub(await in_time(self._placement.get(key)))

    def lasting(self, stub: type[S], name: str, *, kind: str | None = None) -> S:
        """A stub that outlasts owners, to be handed out to clients, say: it never breaks. Each use of it finds the
        object as `get` does, which is known until its owner is gone; calls wait for that, and fail with what it raises.
        Calls that were in progress then fail as those of any stub, and are not made again.

        Parameters:
            stub: generated stub class of the object's interface.
            name: which of them.
            kind: see `register`.

        Returns:
            The stub, at once, to be disposed by the caller.

        Raises:
            RuntimeError: the cluster has not been entered.
        """
        key = Key(kind_of(stub, kind), name)
        self._placement.check(stub, key.kind)
        return stub(NamedHook(Named(partial(self._placement.get, key), self._placement.running_host())))

    def leader(self, name: str) -> Leader:
        """A block that one worker at a time runs: `async with cluster.leader("billing") as lease:`. Entering it waits
        until this one may. If it no longer may, the block is cancelled, and leaves with LeaseLost.

        Parameters:
            name: of what is led.
        """
        me = Owner(self._worker, self.url)
        return Leader(self._backplane, self._renewals, name, me.encode(), self._ttl)

    def stats(self) -> ClusterStats:
        """Counts of what this worker has."""
        return ClusterStats(
            objects=len(self._placement.objects),
            leases=len(self._renewals),
            links=len(self._links),
            guests=self._gates.entered,
            refused=self._gates.refused,
        )

    async def drain(self, timeout: float = 5.0) -> None:  # noqa: ASYNC109  (a grace period; nothing times out)
        """Gives out and takes on nothing more, lets calls in progress end, ends the objects that it owns, and hands
        their leases back. Leaving `async with` does it, too.

        Parameters:
            timeout: seconds for all that is in progress: calls of others here, of this worker here and elsewhere,
                factories, disposers. What takes longer is cancelled.
        """
        until = asyncio.get_running_loop().time() + timeout
        server, self._server = self._server, None
        self._placement.is_closing = True
        if server is not None:
            await server.drain(timeout)
        await self._placement.close(until)
        await self._links.close(max(until - asyncio.get_running_loop().time(), 0.0))
        await self._renewals.close()

    async def __aenter__(self) -> Self:
        if self._placement.me is not None:
            raise RuntimeError("a Cluster is entered once")
        listen = self._listen
        if listen is not None:
            if not listen.is_local and self._ssl is None:
                logger.warning("what workers say to each other at %s can be read on the way: give ssl=", listen.host)
            self._server = server = await self._serve(listen)
            told = self._advertised
            self._gates.url = server.url if told is None else url_of(told, server.port, secure=self._ssl is not None)
        host = AsyncioHost(asyncio.get_running_loop(), observer=self._observer, limits=self._limits)
        self._placement.begin(Owner(self._worker, self.url), host)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.drain()

    async def _serve(self, listen: Listen) -> Server:
        return await serve(
            self._gates.admit,
            listen.host,
            None if listen.unix is not None else listen.port,
            unix=listen.unix,
            path=PATH,
            ssl=self._ssl,
            transports=("websocket",),
            limits=self._limits,
            observer=self._observer,
            request_timeout=HELLO_SECONDS,
            errors=self._errors,
            keepalive=self._ttl / 2,
            close_timeout=self._ttl / 2,
            interceptors=self._interceptors,
        )

    def _check_guarded(self) -> None:
        """Raises ValueError if whoever reaches the port could come in."""
        mutual = self._ssl is not None and self._ssl.verify_mode is ssl_module.CERT_REQUIRED
        if self._secret is None and not mutual:
            raise ValueError(
                "whoever reaches the port of the workers could call their objects: give secret=, the same for all "
                "workers, or ssl= with verify_mode CERT_REQUIRED and client_ssl= with a certificate"
            )
