"""What the fixtures for pytest are: `pair` and `serve_local`, with what a test has asked for otherwise. Rule: a fixture
gives something to enter, not something that has been entered, so that no plugin for asyncio has to know of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from capnweb_runtime.core.hook import Disclosure
from capnweb_runtime.driving.interceptors import Interceptor
from capnweb_runtime.limits import DEFAULT_LIMITS, Limits
from capnweb_runtime.objects.stub import RpcStub
from capnweb_runtime.objects.target import RpcTarget
from capnweb_runtime.observe import Observer
from capnweb_runtime.serving.admission import MainFactory
from capnweb_runtime.testing.faults import Faults
from capnweb_runtime.testing.local_server import LocalServer, serve_local
from capnweb_runtime.testing.pairing import Pair, pair
from capnweb_runtime.testing.recording import Record

S = TypeVar("S", bound=RpcStub)


class _Asked:
    """What the test has asked for.

    Parameters:
        record: keeps what passes; None if nobody wants to look at it.
        no_leaks: whether leaving demands that nothing is held any more.
    """

    def __init__(self, record: Record | None, no_leaks: bool) -> None:
        self._record = record
        self._no_leaks = no_leaks


class PairFixture(_Asked):
    """The pytest fixture `capnweb_pair`: a function like `pair`. Its sessions are recorded in the fixture
    `capnweb_calls` if the test has that, too, and are checked for leaks if the test is marked
    `@pytest.mark.capnweb(no_leaks=True)`.
    """

    def __call__(
        self,
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
        no_leaks: bool | None = None,
    ) -> Pair[S]:
        """See `pair`; `no_leaks` is by default what the test is marked with."""
        return pair(
            target,
            stub,
            main=main,
            limits=limits,
            observer=observer,
            errors=errors,
            interceptors=interceptors,
            client_interceptors=client_interceptors,
            record=record or self._record,
            faults=faults,
            plans=plans,
            no_leaks=self._no_leaks if no_leaks is None else no_leaks,
        )


class ServerFixture(_Asked):
    """The pytest fixture `capnweb_server`: a function like `serve_local`, recorded and checked for leaks as those of
    `PairFixture` are.
    """

    def __call__(
        self,
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
        no_leaks: bool | None = None,
    ) -> LocalServer[S]:
        """See `serve_local`; `no_leaks` is by default what the test is marked with."""
        return serve_local(
            main_factory,
            stub,
            batch=batch,
            path=path,
            headers=headers,
            main=main,
            limits=limits,
            errors=errors,
            interceptors=interceptors,
            client_interceptors=client_interceptors,
            record=record or self._record,
            plans=plans,
            no_leaks=self._no_leaks if no_leaks is None else no_leaks,
        )
