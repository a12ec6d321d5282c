"""What calls carry and pass, and how they are given up, when a session is lost and another takes its place."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from capnweb_runtime import (
    CallInfo,
    ConnectionLost,
    DeadlineExceeded,
    Interceptor,
    Proceed,
    Reconnect,
    connect,
    connect_blocking,
    deadline,
    serve,
    time_left,
)
from capnweb_runtime.connecting.reconnecting import Reconnecting
from tests.chaos.generated.bank import AccountStub, BankBlockingStub, BankStub
from tests.chaos.proxy import Proxy
from tests.chaos.server import Account, Bank, Client, Line, State, turns
from tests.runtime.test_cancellation import asked


class Pause:
    """A policy's `sleep` that lasts until the test says so: there is no session meanwhile."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self.over.set()
        self.lost = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.lost.set()
        await self.over.wait()


def paused(line: Line) -> Pause:
    """Cuts a connection, after which there is none until the pause is over."""
    pause = pauses[line]
    pause.over.clear()
    line.cut()
    return pause


pauses: dict[Line, Pause] = {}


@pytest.fixture
def line() -> Line:
    line = Line()
    pauses[line] = Pause()
    return line


def client(line: Line) -> Client:
    return Client(line, line.policy(sleep=pauses[line], wait_time=None))


class Timed(Bank):
    """Tells what time it has left, and what it is told beside its calls."""

    def __init__(self, state: State, left: list[float | None]) -> None:
        super().__init__(state)
        self.left = left

    def named(self, name: str) -> str:
        self.left.append(time_left())
        return super().named(name)

    def account(self, name: str) -> Account:
        self.left.append(time_left())
        return super().account(name)


class Seen:
    """An interceptor that keeps what it has seen, and adds metadata."""

    def __init__(self, **metadata: str) -> None:
        self.calls: list[CallInfo] = []
        self.metadata = metadata

    async def __call__(self, call: CallInfo, proceed: Proceed) -> Any:
        self.calls.append(call)
        call.metadata.update(self.metadata)
        return await proceed(call)

    @property
    def names(self) -> list[str]:
        return [call.name for call in self.calls]


class Holding:
    """An interceptor that holds back the first call of a method, and may answer it by itself in the end."""

    def __init__(self, method: str, answer: Any = None) -> None:
        self.method: str | None = method
        self.answer = answer
        self.held, self.may_go = asyncio.Event(), asyncio.Event()

    async def __call__(self, call: CallInfo, proceed: Proceed) -> Any:
        if call.method != self.method:
            return await proceed(call)
        self.method = None
        self.held.set()
        await self.may_go.wait()
        return self.answer if self.answer is not None else await proceed(call)


class Served:
    """A server behind a proxy, a client of it, and a pause between its attempts."""

    def __init__(self, state: State, proxy: Proxy, pause: Pause, api: BankStub, client: Reconnecting[BankStub]) -> None:
        self.state = state
        self.proxy = proxy
        self.pause = pause
        self.api = api
        self.client = client

    def cut(self) -> None:
        self.proxy.cut()

    async def lose(self) -> None:
        """Loses the session; there is none until the pause is over."""
        self.pause.over.clear()
        self.pause.lost.clear()
        self.proxy.cut()
        await self.pause.lost.wait()


@asynccontextmanager
async def served(
    making: Sequence[Interceptor] = (),
    serving: Sequence[Interceptor] = (),
    left: list[float | None] | None = None,
    **options: Any,
) -> AsyncIterator[Served]:
    state, pause = State(), Pause()
    bank = Bank(state) if left is None else Timed(state, left)
    async with (
        serve(lambda peer: bank, "127.0.0.1", 0, path="/", interceptors=serving) as server,
        Proxy(int(server.url.rsplit(":", 1)[1].split("/")[0])) as proxy,
    ):
        connecting = connect(
            proxy.url, BankStub, interceptors=making, reconnect=Reconnect(sleep=pause, wait_time=None), **options
        )
        async with connecting as api:
            yield Served(state, proxy, pause, api, connecting)


class TestDeadlines:
    async def test_a_call_that_waits_for_a_connection_fails_in_time_and_is_not_sent_later(self, line: Line) -> None:
        async with client(line) as api:
            pause = paused(line)
            with deadline(0.05), pytest.raises(DeadlineExceeded):
                await api.add(1)
            pause.over.set()
            assert await api.named("later") == "later"
            assert line.state.ran == [("named", "later")]

    async def test_so_do_properties_maps_and_what_is_pipelined(self, line: Line) -> None:
        async with client(line) as api:
            account = await api.account("ann")
            pause = paused(line)
            with deadline(0.05):
                owner = account.owner
                mapped = api.echo([1]).map(lambda number: api.get("x"))
                results = await asyncio.gather(owner, mapped, account.sub("x").owner, return_exceptions=True)
            assert [type(result) for result in results] == [DeadlineExceeded] * 3
            line.state.ran.clear()
            pause.over.set()
            await api.named("later")
            assert line.state.ran == [("named", "later")]
            account.dispose()

    async def test_one_that_nobody_waits_for_is_not_sent_too_late_either(self, line: Line) -> None:
        async with client(line) as api:
            pause = paused(line)
            with deadline(0.01):
                added = api.add(1)
            with deadline(0.05), pytest.raises(DeadlineExceeded):
                await api.get("x")
            pause.over.set()
            await api.named("later")
            assert line.state.ran == [("named", "later")]
            added.dispose()

    async def test_a_capability_is_got_again_without_the_deadline_of_the_call_that_needs_it(self) -> None:
        left: list[float | None] = []
        async with served(left=left) as s:
            account = await s.api.account("ann")
            await s.lose()
            s.pause.over.set()
            await s.client.wait_ready()
            with deadline(60):
                assert await account.owner == "ann"
            account.dispose()
        assert left == [None, None]

    async def test_the_time_of_a_connection_counts_for_the_call(self) -> None:
        left: list[float | None] = []
        async with served(left=left) as s:
            await s.lose()
            with deadline(60):
                waiting = asked(s.api.named("x"))
                await turns()
            s.pause.over.set()
            assert await waiting == "x"
        assert left[0] is not None
        assert 0 < left[0] < 60

    async def test_the_deadline_of_every_call_counts_while_it_waits(self) -> None:
        async with served(call_timeout=0.05) as s:
            await s.lose()
            with pytest.raises(DeadlineExceeded):
                await s.api.add(1)
            s.pause.over.set()
            assert await s.api.named("later") == "later"
            assert s.state.ran == [("named", "later")]

    async def test_one_that_was_sent_is_late_though_it_is_repeated(self) -> None:
        async with served() as s:
            with deadline(0.1):
                waiting = asked(s.api.wait("gate"))
                await s.state.at("gate").wait()
            await s.lose()
            with pytest.raises(DeadlineExceeded):
                await waiting
            s.pause.over.set()
            await s.api.named("later")
            assert s.state.count("wait") == 1


class TestInterceptors:
    async def test_capabilities_are_got_again_through_them(self) -> None:
        making = Seen()
        async with served([making]) as s:
            account = await s.api.account("ann")
            listing: Any = await s.api.listing(["a", "b"])
            await s.lose()
            s.pause.over.set()
            await s.client.wait_ready()
            assert await account.owner == "ann"
            assert await listing.rest[0].owner == "b"
            account.dispose()
            listing.first.dispose()
            listing.rest[0].dispose()
        assert making.names == [
            *["Bank.account", "Bank.listing"],
            *["Bank.account", "Account.owner", "Bank.listing", "rest.0", "Account.owner"],
        ]

    async def test_they_see_results_by_their_types(self) -> None:
        results: list[Any] = []

        async def keeping(call: CallInfo, proceed: Proceed) -> Any:
            result = await proceed(call)
            results.append(type(result).__name__)
            return result

        async with served([keeping]) as s:
            (await s.api.account("ann")).dispose()
            listing: Any = await s.api.listing(["a"])
            listing.first.dispose()
        assert results == ["AccountStub", "Listing"]

    async def test_metadata_reaches_the_server_after_another_session_has_begun(self) -> None:
        seen = Seen()
        async with served([Seen(user="ann")], [seen]) as s:
            await s.api.named("one")
            await s.lose()
            waiting = asked(s.api.named("two"))
            await turns()
            s.pause.over.set()
            assert await waiting == "two"
        assert [call.metadata for call in seen.calls] == [{"user": "ann"}] * 2

    async def test_a_call_passes_them_each_time_that_it_is_sent(self) -> None:
        making = Seen()
        async with served([making]) as s:
            waiting = asked(s.api.wait("gate"))
            await s.state.at("gate").wait()
            s.cut()
            s.state.gate("gate").set()
            assert await waiting == "gate"
        assert making.names == ["Bank.wait", "Bank.wait"]

    async def test_one_that_waits_for_a_connection_has_not_passed_them(self) -> None:
        making = Seen()
        async with served([making]) as s:
            await s.lose()
            waiting = asked(s.api.named("x"))
            await turns()
            assert making.names == []
            s.pause.over.set()
            assert await waiting == "x"
        assert making.names == ["Bank.named"]

    async def test_arguments_of_all_kinds_are_seen_by_their_types(self) -> None:
        making = Seen()
        async with served([making]) as s:
            assert await s.api.echo([1, 2]) == [1, 2]
            account = await s.api.account("ann")
            assert await s.api.of(account) == "ann"
            assert await s.api.of(s.api.account("bob")) == "bob"
            account.dispose()
        arguments = {call.name: call.arguments for call in making.calls[:3]}
        assert [*arguments["Bank.echo"]] == [[1, 2]]
        assert isinstance(arguments["Bank.of"][0], AccountStub)

    async def test_they_may_change_arguments_of_all_kinds(self) -> None:
        async def more(call: CallInfo, proceed: Proceed) -> Any:
            if call.method == "echo":
                call.arguments = ([*call.arguments[0], 3],)
            return await proceed(call)

        async with served([more]) as s:
            assert await s.api.echo([1, 2]) == [1, 2, 3]

    async def test_streams_and_callbacks_pass_them(self) -> None:
        making = Seen()

        async def numbers() -> AsyncIterator[int]:
            yield 1
            yield 2

        told: list[int] = []
        async with served([making]) as s:
            assert await s.api.total(numbers()) == 3
            (await s.api.told(told.append)).dispose()
        assert told == [1]
        assert [call.name for call in making.calls if not call.served] == ["Bank.total", "Bank.told"]

    async def test_what_is_idempotent_can_be_repeated_by_one(self) -> None:
        failures = {"echo", "owner"}

        async def failing(call: CallInfo, proceed: Proceed) -> Any:
            result = await proceed(call)
            if call.method in failures:
                failures.remove(call.method)
                raise TimeoutError(call.method)
            return result

        async def again(call: CallInfo, proceed: Proceed) -> Any:
            try:
                return await proceed(call)
            except TimeoutError:
                return await proceed(call)

        async with served([again], [failing]) as s:
            account = await s.api.account("ann")
            assert await s.api.echo([1]) == [1]
            assert await account.owner == "ann"
            account.dispose()
        assert not failures

    async def test_what_a_lost_session_ends_with_is_theirs_to_see_and_not_to_keep(self) -> None:
        ends: list[type[BaseException]] = []

        async def watching(call: CallInfo, proceed: Proceed) -> Any:
            try:
                return await proceed(call)
            except Exception as error:
                ends.append(type(error))
                raise

        async with served([watching]) as s:
            waiting = asked(s.api.wait("gate"))
            await s.state.at("gate").wait()
            s.cut()
            s.state.gate("gate").set()
            assert await waiting == "gate"
        assert ends == [ConnectionLost]

    @pytest.mark.parametrize("kept", [True, False])
    async def test_what_one_holds_back_has_not_been_sent_and_goes_out_on_the_next_session(self, kept: bool) -> None:
        holding = Holding("add")
        async with served([holding]) as s:
            added = asked(s.api.add(1)) if kept else None
            if not kept:
                _ = s.api.add(1)
                del _
            await holding.held.wait()
            assert await s.api.named("meanwhile") == "meanwhile"
            s.cut()
            assert await s.api.named("next") == "next"
            assert added is None or await added == 1
            await s.api.named("last")
        assert s.state.count("add") == 1

    async def test_what_one_answers_by_itself_after_the_loss_is_asked_for_again(self) -> None:
        holding = Holding("add", answer=99)
        async with served([holding]) as s:
            added = asked(s.api.add(1))
            await holding.held.wait()
            await s.lose()
            holding.may_go.set()
            await turns()
            s.pause.over.set()
            assert await added == 1
            assert s.state.count("add") == 1

    async def test_a_loss_that_one_passes_on_after_another_loss_is_a_loss(self) -> None:
        may_go, caught = asyncio.Event(), asyncio.Event()

        async def late(call: CallInfo, proceed: Proceed) -> Any:
            try:
                return await proceed(call)
            except ConnectionLost:
                if not caught.is_set():
                    caught.set()
                    await may_go.wait()
                raise

        async with served([late]) as s:
            waiting = asked(s.api.wait("gate"))
            await s.state.at("gate").wait()
            s.cut()
            await caught.wait()
            assert await s.api.named("second") == "second"
            s.cut()
            assert await s.api.named("third") == "third"
            s.state.gate("gate").set()
            may_go.set()
            assert await waiting == "gate"

    async def test_nothing_is_kept_of_what_has_been_sent(self) -> None:
        async with served([Seen()]) as s:
            for _ in range(20):
                _ = s.api.add(1)
            await s.api.named("x")
            await s.api.named("x")
            succession = s.client._succession
            assert succession is not None
            assert not succession._held_back
            assert len(succession._unsent) <= 1


class TestGivingUp:
    async def test_a_wait_that_is_cancelled_gives_up_the_call_that_waits_for_a_connection(self, line: Line) -> None:
        async def add(api: BankStub) -> None:
            await api.add(1)

        async with client(line) as api:
            pause = paused(line)
            waiting = asyncio.create_task(add(api))
            await turns()
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            gc.collect()
            await turns()
            pause.over.set()
            await api.named("later")
            assert line.state.ran == [("named", "later")]

    async def test_what_it_was_given_is_let_go_without_another_call(self) -> None:
        state, may_end, disposed = State(), asyncio.Event(), asyncio.Event()

        class Slow(Bank):
            async def of(self, account: AccountStub) -> str:
                await may_end.wait()
                return ""

        class Own(Account):
            def dispose(self) -> None:
                disposed.set()

        async with (
            serve(lambda peer: Slow(state), "127.0.0.1", 0) as server,
            connect(server.url, BankStub, reconnect=Reconnect()) as api,
        ):
            with deadline(0.05), pytest.raises(DeadlineExceeded):
                await api.of(Own(state, "ann"))
            may_end.set()
            async with asyncio.timeout(10):
                await disposed.wait()

    async def test_one_that_nobody_asked_for_is_sent_all_the_same(self, line: Line) -> None:
        async with client(line) as api:
            pause = paused(line)
            added = api.add(1)
            del added
            gc.collect()
            await turns()
            pause.over.set()
            await api.named("later")
            assert line.state.ran == [("add", 1), ("named", "later")]

    async def test_what_is_given_up_takes_no_place_among_those_that_wait(self, line: Line) -> None:
        policy = line.policy(sleep=pauses[line], wait_time=None, wait_calls=1)
        async with Client(line, policy) as api:
            pause = paused(line)
            for _ in range(2):
                with deadline(0.01), pytest.raises(DeadlineExceeded):
                    await api.get("x")
            waiting = asked(api.named("later"))
            pause.over.set()
            assert await waiting == "later"

    async def test_a_chain_that_was_made_without_a_connection_is_made_as_a_whole(self, line: Line) -> None:
        async with client(line) as api:
            pause = paused(line)
            balance = asked(api.open("ann").balance())
            await turns()
            pause.over.set()
            assert await balance == 0
            assert line.state.ran == [("open", "ann"), ("balance", "ann")]
            await turns()
            await api.named("later")
            await turns()
            assert line.server is not None
            assert line.server.stats().exports == 1

    async def test_a_chain_whose_first_promise_was_disposed_is_made_as_a_whole(self, line: Line) -> None:
        async with client(line) as api:
            pause = paused(line)
            opened = api.open("ann")
            balance = asked(opened.balance())
            opened.dispose()
            pause.over.set()
            assert await balance == 0

    async def test_a_lost_session_cancels_what_the_server_may_cancel_and_the_client_repeats_it(
        self, line: Line
    ) -> None:
        async with client(line) as api:
            sought = asked(api.seek("gate"))
            await line.state.at("gate").wait()
            for _ in range(20):  # until its result has been asked for
                await asyncio.sleep(0)
            line.cut()
            await line.state.at("gate given up").wait()
            line.state.gate("gate").set()
            assert await sought == "gate"
            assert line.state.count("seek") == 2

    async def test_what_is_given_up_on_another_session_is_cancelled_there(self, line: Line) -> None:
        async def seek(api: BankStub) -> None:
            await api.seek("gate")

        async with client(line) as api:
            seeking = asyncio.create_task(seek(api))
            await line.state.at("gate").wait()
            line.state.at("gate").clear()
            line.cut()
            await line.state.at("gate").wait()
            line.state.at("gate given up").clear()
            seeking.cancel()
            await line.state.at("gate given up").wait()
            assert line.state.count("seek") == 2


def test_blocking_clients_have_it_all_together() -> None:
    state, seen = State(), Seen()
    address: list[int] = []
    ready, cut, stop = threading.Event(), threading.Event(), threading.Event()

    async def serving() -> None:
        loop = asyncio.get_running_loop()
        async with (
            serve(lambda peer: Bank(state), "127.0.0.1", 0, path="/", interceptors=[seen]) as server,
            Proxy(int(server.url.rsplit(":", 1)[1].split("/")[0])) as proxy,
        ):
            address.append(proxy.port)
            ready.set()
            await loop.run_in_executor(None, cut.wait)
            proxy.cut()
            await loop.run_in_executor(None, stop.wait)

    thread = threading.Thread(target=asyncio.run, args=(serving(),))
    thread.start()
    try:
        assert ready.wait(60)
        url = f"ws://127.0.0.1:{address[0]}/"
        making = Seen(user="ann")
        policy = Reconnect(first=0.001, longest=0.001)
        session = connect_blocking(url, BankBlockingStub, interceptors=[making], call_timeout=60, reconnect=policy)
        with session as api:
            account = api.account("ann")
            cut.set()
            assert account.owner == "ann"
            assert api.echo([1]) == [1]
            account.dispose()
            with deadline(0.05), pytest.raises(DeadlineExceeded):
                api.seek("never")
    finally:
        cut.set()
        stop.set()
        thread.join()
    assert [(call.name, call.metadata) for call in seen.calls if call.metadata != {"user": "ann"}] == []
    assert all(call.deadline is not None for call in making.calls)
    assert {"Bank.account", "Account.owner", "Bank.echo"} <= {*seen.names}
