"""A client and a server in one process, joined by bytes. Rule: between the stub and the target everything is as it is
in production; only the socket is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Generic, TypeVar

from capnweb_runtime.core.hook import Disclosure
from capnweb_runtime.core.session import SessionStats
from capnweb_runtime.driving.attending import Terms
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.driving.interceptors import Interceptor
from capnweb_runtime.limits import DEFAULT_LIMITS, Limits
from capnweb_runtime.objects.stub import RpcStub
from capnweb_runtime.objects.target import RpcTarget
from capnweb_runtime.observe import Observer
from capnweb_runtime.testing.fakes import BareFake, let_go, verify
from capnweb_runtime.testing.faults import Faults
from capnweb_runtime.testing.leaks import Ends, places_known
from capnweb_runtime.testing.recording import Record
from capnweb_runtime.transports.memory import join

S = TypeVar("S", bound=RpcStub)


class Pair(Ends, Generic[S]):
    """What `pair` returns: `async with pair(Library(), LibraryStub) as library:` joins the two sessions, and gives the
    client's stub.

    Attributes:
        client: connection of the client, once this has been entered.
        server: connection of the server, likewise.
    """

    def __init__(
        self,
        target: RpcTarget,
        stub: type[S],
        *,
        main: RpcTarget | None,
        limits: Limits,
        observer: Observer | None,
        errors: Disclosure,
        interceptors: Sequence[Interceptor],
        client_interceptors: Sequence[Interceptor],
        record: Record | None,
        faults: Faults | None,
        plans: bool,
        no_leaks: bool,
    ) -> None:
        super().__init__(no_leaks)
        self._target = target
        self._stub = stub
        self._main = main
        self._limits = limits
        self._observer = observer
        self._errors: Disclosure = errors
        self._interceptors = (*interceptors, *(() if record is None else (record,)))
        self._client_interceptors = tuple(client_interceptors)
        self._record = record
        self._faults = faults
        self._plans = plans
        self._joined: tuple[Connection, Connection] | None = None
        self._api: S | None = None

    @property
    def client(self) -> Connection:
        return self._both()[0]

    @property
    def server(self) -> Connection:
        return self._both()[1]

    def stats(self) -> SessionStats:
        """Counts of what the client's session holds and has done.

        Raises:
            RuntimeError: this has not been entered yet.
        """
        return self.client.stats()

    async def __aenter__(self) -> S:
        if self._joined is not None:
            raise RuntimeError("pair(...) gives one session; call it again for another")
        debug = places_known() if self._no_leaks else None
        client = Connection(
            self._main,
            limits=self._limits,
            observer=self._observer,
            label="the server",
            debug=debug,
            terms=Terms(interceptors=self._client_interceptors) if self._client_interceptors else None,
        )
        server = Connection(
            self._target,
            limits=self._limits,
            observer=self._observer,
            errors=self._errors,
            label="the client",
            debug=debug,
            terms=Terms(interceptors=self._interceptors) if self._interceptors else None,
            plans=self._plans,
        )
        self._joined = client, server
        for end in self._joined:
            end.session.carry_calls()  # as two ends of this implementation agree to
        if self._record is not None:
            client.tap(self._record._of_wire("client"))
            self._record._watch(client.stats)
        if self._faults is None:
            join(client, server)
        else:
            self._faults._join(client, server)
        self._api = client.main(self._stub)
        self._begun()
        return self._api

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        __tracebackhide__ = True  # see assert_no_leaks
        client, server = self._both()
        try:
            if self._faults is not None:
                self._faults._mend()
            if isinstance(self._target, BareFake):
                (let_go if kind else verify)(self._target)
            await self._search(kind)
        finally:
            self._over()
            if self._api is not None:
                self._api.dispose()
            await client.wait_closed()
            await server.wait_closed()

    def _pairs(self) -> list[tuple[Connection, Connection]]:
        return [self._both()]

    def _both(self) -> tuple[Connection, Connection]:
        if self._joined is None:
            raise RuntimeError("the sessions have not been joined: enter pair(...) with `async with` first")
        return self._joined


def pair(
    target: RpcTarget,
    stub: type[S],
    *,
    main: RpcTarget | None = None,
    limits: Limits = DEFAULT_LIMITS,
    observer: Observer | None = None,
    errors: Disclosure = "plain",
    interceptors: Sequence[Interceptor] = (),
    client_interceptors: Sequence[Interceptor] = (),
    record: Record | None = None,
    faults: Faults | None = None,
    plans: bool = False,
    no_leaks: bool = False,
) -> Pair[S]:
    """Joins a client to a target for a test, in this process and without a socket. Everything else is as it is over a
    socket: calls and answers are encoded, passed on as bytes, validated, and held to limits.

    Parameters:
        target: main object of the server. A generated fake is verified on leaving.
        stub: class of the client's stub, generated from the target's interface.
        main: object of the client that the server may call.
        limits: bounds of both sessions.
        observer: is told of failures on both sides; by default they are logged.
        errors: which exceptions the server sends as they are; see `serve`.
        interceptors: functions around the calls on the server's side; see `Interceptor`.
        client_interceptors: functions around the calls on the client's side.
        record: keeps calls and messages; `record()` makes one.
        faults: faults of the line between the two; see `Faults`.
        plans: whether the server takes plans; see `serve`.
        no_leaks: True makes leaving fail if either side still holds something of the other; see `assert_no_leaks`.

    Returns:
        An object to enter with `async with`, which gives the stub, and ends both sessions on leaving.
    """
    return Pair(
        target,
        stub,
        main=main,
        limits=limits,
        observer=observer,
        errors=errors,
        interceptors=interceptors,
        client_interceptors=client_interceptors,
        record=record,
        faults=faults,
        plans=plans,
        no_leaks=no_leaks,
    )
