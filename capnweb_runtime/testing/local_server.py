"""A server on a free port of this machine and a client that is connected to it. Rule: it is the server, and the client,
that everybody uses; what cannot be asked for here is asked of `serve` and `connect`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from types import TracebackType
from typing import Any, Generic, TypeVar

from capnweb_runtime.connecting.connect import Connecting, connect
from capnweb_runtime.core.hook import Disclosure
from capnweb_runtime.core.session import SessionStats
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.driving.interceptors import Interceptor
from capnweb_runtime.limits import DEFAULT_LIMITS, Limits
from capnweb_runtime.objects.stub import RpcStub
from capnweb_runtime.objects.target import RpcTarget
from capnweb_runtime.serving.admission import MainFactory
from capnweb_runtime.serving.peer import Peer
from capnweb_runtime.serving.serve import Serving, serve
from capnweb_runtime.serving.server import Server
from capnweb_runtime.testing.fakes import BareFake, let_go, verify
from capnweb_runtime.testing.leaks import Ends, places_known
from capnweb_runtime.testing.recording import Record

S = TypeVar("S", bound=RpcStub)


class LocalServer(Ends, Generic[S]):
    """What `serve_local` returns: `async with serve_local(...) as api:` starts the server, and gives the client's stub.

    Attributes:
        server: the `Server`, once this has been entered; further clients connect to its `url`.
    """

    def __init__(
        self,
        serving: Serving,
        stub: type[S],
        batch: bool,
        options: dict[str, Any],
        record: Record | None,
        no_leaks: bool,
    ) -> None:
        super().__init__(no_leaks)
        self._serving = serving
        self._stub = stub
        self._batch = batch
        self._options = options
        self._record = record
        self._server: Server | None = None
        self._connecting: Connecting[S] | None = None
        self._opened: list[Connection] = []
        self._fakes: list[BareFake] = []

    @property
    def server(self) -> Server:
        if self._server is None:
            raise RuntimeError("the server has not been started: enter serve_local(...) with `async with` first")
        return self._server

    def stats(self) -> SessionStats:
        """Counts of what the client's session holds and has done.

        Raises:
            RuntimeError: this has not been entered yet.
        """
        return self._client().stats()

    async def __aenter__(self) -> S:
        self._server = await self._serving.__aenter__()
        try:
            url = self._server.http_url if self._batch else self._server.url
            connecting = self._connecting = connect(url, self._stub, **self._options)
            api: S = await connecting.__aenter__()
        except BaseException:
            await self._server.close()
            raise
        if self._record is not None:
            self._record._watch(connecting.stats)
        self._begun()
        return api

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        __tracebackhide__ = True  # see assert_no_leaks
        try:
            for fake in self._fakes:
                (let_go if kind else verify)(fake)
            await self._search(kind)
        finally:
            self._over()
            await self._client().__aexit__(kind, error, traceback)
            await self._serving.__aexit__(kind, error, traceback)

    def _client(self) -> Connecting[S]:
        if self._connecting is None:
            raise RuntimeError("the server has not been started: enter serve_local(...) with `async with` first")
        return self._connecting

    def _pairs(self) -> list[tuple[Connection, Connection]]:
        client = self._client()._opened()
        return [(client, end) for end in self._opened[:1]]  # its client's; others have come by themselves

    def _made(self, main: RpcTarget) -> RpcTarget:
        """There is a main object of a session."""
        if isinstance(main, BareFake) and all(main is not fake for fake in self._fakes):
            self._fakes.append(main)
        return main

    async def _made_later(self, main: Awaitable[RpcTarget]) -> RpcTarget:
        return self._made(await main)

    def _has_opened(self, connection: Connection) -> None:
        """A session has begun at the server."""
        self._opened.append(connection)
        if self._record is not None:
            connection.tap(self._record._of_wire("server"))


def serve_local(
    main_factory: MainFactory,
    stub: type[S],
    *,
    batch: bool = False,
    path: str = "/rpc",
    headers: dict[str, str] | None = None,
    main: RpcTarget | None = None,
    limits: Limits = DEFAULT_LIMITS,
    errors: Disclosure = "plain",
    interceptors: Sequence[Interceptor] = (),
    client_interceptors: Sequence[Interceptor] = (),
    record: Record | None = None,
    plans: bool = False,
    no_leaks: bool = False,
) -> LocalServer[S]:
    """Starts a real server on a free port of 127.0.0.1 for a test, and connects a client to it.

    Parameters:
        main_factory: function that makes the main object of each session; see `serve`. Generated fakes that it makes
            are verified on leaving.
        stub: class of the client's stub, generated from the interface of the main object.
        batch: True makes the client send one HTTP batch; False opens a session over a WebSocket.
        path: URL path that is served.
        headers: further headers of the client's request.
        main: object of the client that the server may call.
        limits: bounds of each session, on both sides.
        errors: which exceptions the server sends as they are; see `serve`.
        interceptors: functions around the calls on the server's side; see `Interceptor`.
        client_interceptors: functions around the calls on the client's side.
        record: keeps calls and messages; `record()` makes one.
        plans: whether the server takes plans; see `serve`.
        no_leaks: True makes leaving fail if either side still holds something of the other; see `assert_no_leaks`.
            Without meaning for a batch, of which nothing outlives the answer.

    Returns:
        An object to enter with `async with`, which gives the stub, and closes client and server on leaving.
    """
    local: LocalServer[S]

    def factory(peer: Peer) -> RpcTarget | Awaitable[RpcTarget]:
        if peer.connection is not None:
            local._has_opened(peer.connection)
        made = main_factory(peer)
        return local._made(made) if isinstance(made, RpcTarget) else local._made_later(made)

    passed = (*interceptors, *(() if record is None else (record,)))
    no_leaks = no_leaks and not batch
    debug = places_known() if no_leaks else None
    served: dict[str, Any] = {
        "limits": limits,
        "errors": errors,
        "interceptors": passed,
        "debug": debug,
        "plans": plans,
    }
    serving = serve(factory, "127.0.0.1", 0, path=path, **served)
    options = {
        "headers": headers,
        "main": main,
        "limits": limits,
        "debug": debug,
        "interceptors": client_interceptors,
    }
    local = LocalServer(serving, stub, batch, options, record, no_leaks)
    return local
