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
    """Counts of one worker's part in a cluster; see `Cluster.stats`.

    Attributes:
        objects: objects that this worker owns.
        leases: leases that it holds, those of `Cluster.leader` included.
        links: sessions that it has opened with other workers.
        guests: sessions that other workers have opened with it.
        refused: connections to its port that were refused.
    """

    objects: int
    leases: int
    links: int
    guests: int
    refused: int


class Cluster:
    """One worker's part in a cluster, in which each object that has a name lives in one worker, its owner, and can be
    called from all: `async with Cluster(backplane, listen="127.0.0.1:0", secret=secret) as cluster:`.

    Leaving the block ends the objects that this worker owns, and gives their leases back, so that other workers may
    own them at once.

    Parameters:
        backplane: backplane that all workers share. Enter it before the cluster, and leave it after that.
        listen: address at which other workers reach this one: "127.0.0.1:0", "[::1]:4000" or
            "unix:/run/app/worker-1.sock"; port 0 means a free one. None means nowhere: then nobody else can call the
            objects of this worker.
        secret: text or bytes that all workers have and nobody else knows, 16 bytes or more. Each side proves to the
            other that it knows the secret, which is never sent.
        advertise: host and port that other workers are told, if they differ from those of `listen`, as behind a
            translation of addresses. This worker alone has to answer there. Port 0 means that of `listen`.
        ssl: settings of TLS for `listen`. With `verify_mode` CERT_REQUIRED, certificates may take the place of the
            secret.
        client_ssl: settings of TLS for connections to other workers; None means the system's defaults.
        ttl: seconds after which another worker may take over the objects of one that is gone; 0.1 or more. A process
            that stands still for so long loses its objects.
        idle: seconds after which an object that is not in use is released; None means never. Stubs that anybody has,
            calls in progress and `Ownership.hold` are use.
        patience: seconds for which `get` looks for an owner that answers; None means three times `ttl`, and at least
            30.
        limits: what other workers may make this one do and hold, in each session.
        errors: which exceptions of objects are sent to other workers as they are; see `serve`.
        interceptors: functions around the calls between workers, in both directions; see `Interceptor`.
        observer: is told of failures; by default they are logged.

    Raises:
        ValueError: with `listen` there is neither a secret nor an `ssl` that asks for certificates; the secret is too
            short; an address is not understood; or a number is out of range.
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
        """URL at which other workers reach this one; "" if they cannot."""
        return self._gates.url

    def register(self, stub: type[RpcStub], factory: Factory, *, kind: str | None = None) -> None:
        """Tells this worker how to make objects of an interface, so that it can become the owner of some.

        Parameters:
            stub: class of stubs generated from the interface.
            factory: function, plain or async, that is given an `Ownership`, and returns the object, a target of the
                interface. It is called each time that this worker becomes the owner of a name.
            kind: name of this kind of objects in the whole cluster; None means the name of the interface.

        Raises:
            ValueError: there is a factory for that kind already.
            TypeError: `stub` is no generated class.
        """
        self._placement.register(stub, factory, kind_of(stub, kind))

    async def get(self, stub: type[S], name: str, *, kind: str | None = None) -> S:
        """Gets an object by name, wherever it lives. If no worker owns it, this one becomes its owner, and makes it.

        Parameters:
            stub: class of stubs generated from the object's interface.
            name: name of the object among those of its kind; both together have 140 bytes at most.
            kind: see `register`.

        Returns:
            A stub, which the caller has to dispose. It breaks when the owner is gone: calls in progress raise a
            `Disconnected`, whose `sent` tells whether they may have been carried out. Get the object again then.

        Raises:
            LookupError: no worker owns the object, and this one has no factory for its kind.
            BackplaneUnavailable: the engine did not answer.
            ConnectionLost: the owner cannot be reached, and its lease has not expired.
            ConnectionRefused: the owner and this worker do not have the same secret, or do not trust each other's
                certificates.
            GoingAway: this worker is leaving the cluster.
            DeadlineExceeded: a `deadline` block around this ended first.
            RuntimeError: the cluster has not been entered.
        """
        key = Key(kind_of(stub, kind), name)
        self._placement.check(stub, key.kind)
        return stub(await in_time(self._placement.get(key)))

    def lasting(self, stub: type[S], name: str, *, kind: str | None = None) -> S:
        """Makes a stub of an object by name that does not break when the owner is gone: to be handed out to clients,
        say.

        A call on it looks for the owner first, as `get` does, unless the owner is known, and raises what `get` raises.
        Calls that are in progress when the owner goes raise a `Disconnected`, and are not made again.

        Parameters:
            stub: class of stubs generated from the object's interface.
            name: name of the object among those of its kind.
            kind: see `register`.

        Returns:
            The stub, at once. The caller has to dispose it.

        Raises:
            RuntimeError: the cluster has not been entered.
        """
        key = Key(kind_of(stub, kind), name)
        self._placement.check(stub, key.kind)
        return stub(NamedHook(Named(partial(self._placement.get, key), self._placement.running_host())))

    def leader(self, name: str) -> Leader:
        """Gives a block that one worker at a time runs: `async with cluster.leader("billing") as lease:`. Entering it
        waits until this worker may run it. If it may no longer, the block is cancelled, and raises LeaseLost.

        Parameters:
            name: name of what is to be done; each name has its own leader.

        Returns:
            A context manager that gives the `Lease`, which is renewed by itself.
        """
        me = Owner(self._worker, self.url)
        return Leader(self._backplane, self._renewals, name, me.encode(), self._ttl)

    def stats(self) -> ClusterStats:
        """Counts this worker's objects, leases and sessions with other workers."""
        return ClusterStats(
            objects=len(self._placement.objects),
            leases=len(self._renewals),
            links=len(self._links),
            guests=self._gates.entered,
            refused=self._gates.refused,
        )

    async def drain(self, timeout: float = 5.0) -> None:  # noqa: ASYNC109  (a grace period; nothing times out)
        """Ends this worker's part in the cluster, as leaving `async with` does: takes over no objects any more, waits
        until calls in progress have ended, ends the objects that it owns, and gives their leases back.

        Parameters:
            timeout: seconds for all of this: calls of other workers and of this one, factories, and `dispose` of
                objects. What takes longer is cancelled.
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
            raise RuntimeError("a Cluster is entered once: make another Cluster(...)")
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
