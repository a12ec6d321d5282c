"""One stub, many sessions: what becomes of calls when a session is lost."""

from __future__ import annotations

import asyncio
import gc
from functools import partial
from typing import Any

import pytest

from capnweb_runtime import Connected, Disconnected, LimitExceeded, RpcError, RpcStub, SessionClosed
from capnweb_runtime.connecting.recipes import Ask
from capnweb_runtime.core.session import Session
from tests.chaos.generated.bank import BankStub
from tests.chaos.server import Client, Clock, Line, turns


async def outcome(promise: Any) -> Any:
    """The value of a promise, or its error."""
    try:
        return await promise
    except Exception as error:
        return error


class TestCalls:
    async def test_the_stub_goes_on_with_another_session(self) -> None:
        line = Line()
        async with Client(line) as api:
            assert await api.get("one") == 3
            line.cut()
            assert await api.get("three") == 5
            assert line.dialled == 2

    async def test_a_call_that_was_not_sent_goes_out_on_the_next_session_once(self) -> None:
        line = Line()
        async with Client(line) as api:
            added = api.add(5)
            line.cut()  # in the same turn of the loop, before the outbox is written
            assert await added == 5
            assert line.state.ran == [("add", 5)]

    async def test_what_goes_out_on_the_next_session_does_not_also_go_out_on_the_one_that_ends(self) -> None:
        line = Line()
        async with Client(line) as api:
            added = api.add(5)
            assert line.client is not None
            assert line.server is not None
            before = line.server
            line.client.abort(LimitExceeded("the client's own bound"))  # while the connection is still there
            assert await added == 5
            assert line.state.ran == [("add", 5)]
            assert "the client's own bound" in str(before.session.reason)

    async def test_so_does_one_that_nobody_waits_for(self) -> None:
        line = Line()
        async with Client(line) as api:
            _ = api.add(5)
            line.cut()
            assert await api.add(1) == 6
            assert line.state.ran == [("add", 5), ("add", 1)]

    async def test_one_that_may_have_arrived_fails_and_says_so(self) -> None:
        line = Line()
        async with Client(line) as api:
            held = asyncio.ensure_future(outcome(api.hold("gate")))
            await line.state.at("gate").wait()
            line.cut()
            error = await held
            assert isinstance(error, Disconnected)
            assert error.sent
            assert "may have been carried out" in str(error)
            assert line.state.count("hold") == 1

    async def test_one_that_is_idempotent_is_repeated(self) -> None:
        line = Line()
        async with Client(line) as api:
            waiting = asyncio.ensure_future(outcome(api.wait("gate")))
            await line.state.at("gate").wait()
            line.state.gate("gate").set()
            line.cut()
            assert await waiting == "gate"
            assert line.state.count("wait") == 2

    async def test_what_is_made_again_keeps_its_order(self) -> None:
        line = Line()
        async with Client(line) as api:
            first = asyncio.ensure_future(outcome(api.wait("gate")))
            await line.state.at("gate").wait()
            line.state.gate("gate").set()
            second = asyncio.ensure_future(outcome(api.named("second")))
            third = asyncio.ensure_future(outcome(api.named("third")))
            await asyncio.sleep(0)
            line.state.ran.clear()
            line.cut()
            fourth = asyncio.ensure_future(outcome(api.named("fourth")))
            assert [await first, await second, await third, await fourth] == ["gate", "second", "third", "fourth"]
            assert [name for _, name in line.state.ran] == ["gate", "second", "third", "fourth"]

    async def test_a_promise_awaited_only_after_the_loss_is_repeated_or_fails(self) -> None:
        line = Line()
        async with Client(line) as api:
            named, added = api.named("x"), api.add(1)
            await turns()
            assert len(line.state.ran) == 2
            line.cut()
            await turns()
            assert await named == "x"
            error = await outcome(added)
            assert isinstance(error, Disconnected)
            assert error.sent
            assert line.state.count("add") == 1

    async def test_an_error_of_the_server_is_an_answer(self) -> None:
        line = Line()
        async with Client(line) as api:
            with pytest.raises(LookupError, match="no such key"):
                await api.fail("no such key")
            assert line.dialled == 1

    async def test_a_pipeline_is_one_round_trip(self) -> None:
        line = Line()
        async with Client(line) as api:
            account = api.account("ann")
            assert await api.of(account.sub("x")) == "ann/x"
            assert line.client is not None
            assert await api.named(api.named("deep")) == "deep"
            assert line.client.stats().round_trips == 2

    async def test_a_call_made_while_there_is_no_session_is_sent_with_what_was_built_on_it(self) -> None:
        line, clock = Line(), Clock()
        async with Client(line, line.policy(clock)) as api:
            line.cut()
            owner = asyncio.ensure_future(outcome(api.account("ann").sub("x").owner))
            await clock.until_sleeping(2)
            clock.advance(1)
            assert await owner == "ann/x"
            assert line.client is not None
            assert line.client.stats().round_trips == 1

    async def test_a_promise_that_is_disposed_while_it_waits_is_never_sent(self) -> None:
        line, clock = Line(), Clock()
        async with Client(line, line.policy(clock)) as api:
            line.cut()
            api.add(1).dispose()
            second = asyncio.ensure_future(outcome(api.add(2)))
            await clock.until_sleeping(2)
            clock.advance(1)
            assert await second == 2
            assert line.state.ran == [("add", 2)]

    async def test_wrong_arguments_are_refused_at_once(self) -> None:
        line = Line()
        async with Client(line) as api:
            with pytest.raises(TypeError, match="argument 'key': expected str"):
                _ = api.get(5)  # type: ignore[arg-type]
            with pytest.raises(TypeError, match=r"argument 'values\[0\]'"):
                _ = api.echo(["x"])  # type: ignore[list-item]

    async def test_arguments_are_as_they_were_when_the_call_was_made(self) -> None:
        line, clock = Line(), Clock()
        async with Client(line, line.policy(clock)) as api:
            line.cut()
            values = [1, 2]
            echoed = asyncio.ensure_future(outcome(api.echo(values)))
            await clock.until_sleeping(2)
            values.append(3)
            clock.advance(1)
            assert await echoed == [1, 2]


class TestWaiting:
    async def test_no_more_calls_wait_than_may(self) -> None:
        line, clock = Line(), Clock()
        async with Client(line, line.policy(clock, wait_calls=2)) as api:
            line.cut()
            kept = [asyncio.ensure_future(outcome(api.add(n))) for n in range(2)]
            error = await outcome(api.add(100))
            assert isinstance(error, Disconnected)
            assert not error.sent
            assert "Reconnect.wait_calls" in str(error)
            await clock.until_sleeping(2)
            clock.advance(1)
            await asyncio.gather(*kept)
            assert line.state.ran == [("add", 0), ("add", 1)]

    async def test_nor_more_bytes(self) -> None:
        line, clock = Line(), Clock()
        async with Client(line, line.policy(clock, wait_bytes=2000)) as api:
            line.cut()
            kept = asyncio.ensure_future(outcome(api.named("x" * 1000)))
            await asyncio.sleep(0)
            error = await outcome(api.named("y" * 1000))
            assert isinstance(error, Disconnected)
            assert "Reconnect.wait_bytes" in str(error)
            await clock.until_sleeping(2)
            clock.advance(1)
            assert await kept == "x" * 1000

    async def test_nor_longer(self) -> None:
        line, clock = Line(), Clock()
        async with Client(line, line.policy(clock, wait_time=10, first=100, longest=100)) as api:
            line.cut()
            first = asyncio.ensure_future(outcome(api.add(1)))
            await clock.until_sleeping(2)
            clock.advance(6)
            second = asyncio.ensure_future(outcome(api.add(2)))
            await turns()
            clock.advance(4)
            error = await first
            assert isinstance(error, Disconnected)
            assert not error.sent
            assert "no connection for 10 s" in str(error)
            assert not second.done()
            await clock.until_sleeping(2)
            clock.advance(90)
            assert await second is not None
            assert ("add", 1) not in line.state.ran

    async def test_time_is_counted_across_sessions_that_bring_nothing(self) -> None:
        line, clock = Line(), Clock()
        async with Client(line, line.policy(clock, wait_time=10, first=4, longest=4)) as api:
            waiting = asyncio.ensure_future(outcome(api.wait("gate")))
            await line.state.at("gate").wait()
            for _ in range(2):
                line.state.at("gate").clear()
                line.cut()
                await clock.until_sleeping(2)
                clock.advance(4)
                await line.state.at("gate").wait()
            line.cut()
            await clock.until_sleeping(2)
            clock.advance(2)
            error = await waiting
            assert isinstance(error, Disconnected)
            assert error.sent


class TestStates:
    async def test_states_and_callbacks_follow_the_connection(self) -> None:
        line, clock = Line(), Clock()
        told: list[object] = []

        async def on_connect(api: BankStub, info: Connected) -> None:
            told.append((info.number, info.attempts, str(info.lost)))
            told.append(await api.named("subscribed"))

        async def on_disconnect(error: BaseException) -> None:
            told.append(str(error))

        client = Client(line, line.policy(clock, on_connect=on_connect, on_disconnect=on_disconnect))
        async with client as api:
            succession = client.succession

            def state() -> str:
                return succession.state

            assert state() == "ready"
            assert told == [(1, 1, "None"), "subscribed"]
            line.refuse = [SessionClosed("not yet")]
            line.cut(SessionClosed("cut"))
            assert state() == "waiting"
            await clock.until_sleeping()
            assert told[2:] == ["cut"]
            ready = asyncio.ensure_future(succession.wait_ready())
            clock.advance(1)
            await clock.until_sleeping()
            assert not ready.done()
            clock.advance(1)
            await ready
            assert told[3:] == [(2, 2, "cut"), "subscribed"]
            api.dispose()
            assert state() == "closed"

    async def test_calls_wait_until_on_connect_has_run(self) -> None:
        line = Line()

        async def on_connect(api: BankStub, info: Connected) -> None:
            await api.named("first")

        async with Client(line, line.policy(on_connect=on_connect)) as api:
            line.cut()
            await api.named("second")
            assert [name for _, name in line.state.ran] == ["first", "first", "second"]

    async def test_a_session_lost_during_on_connect_is_not_published(self) -> None:
        line, clock = Line(), Clock()
        numbers: list[int] = []

        async def on_connect(api: BankStub, info: Connected) -> None:
            numbers.append(info.number)
            if len(numbers) == 2:
                line.cut()
                await asyncio.Event().wait()  # which nobody ends but the client

        async with Client(line, line.policy(clock, on_connect=on_connect)) as api:
            line.cut()
            named = asyncio.ensure_future(outcome(api.named("x")))
            await clock.until_sleeping(2)
            clock.advance(1)
            await clock.until_sleeping(2)
            clock.advance(1)
            assert await named == "x"
            assert numbers == [1, 2, 2]

    async def test_on_connect_that_fails_ends_the_client(self) -> None:
        line = Line()

        def on_connect(api: BankStub, info: Connected) -> None:
            raise PermissionError("unknown user")

        with pytest.raises(PermissionError, match="unknown user"):
            await Client(line, line.policy(on_connect=on_connect)).__aenter__()
        assert line.client is not None
        assert line.client.session.closed

    async def test_what_is_not_worth_another_attempt_ends_the_client(self) -> None:
        line, clock = Line(), Clock()
        client = Client(line, line.policy(clock))
        async with client as api:
            broken: list[BaseException] = []
            api.on_broken(broken.append)
            line.refuse = [SessionClosed.at("ws://host/", "unknown user", 401)]
            line.cut()
            waiting = asyncio.ensure_future(outcome(api.add(1)))
            await clock.until_sleeping(2)
            clock.advance(1)
            error = await waiting
            assert isinstance(error, Disconnected)
            assert (error.sent, error.status) == (False, 401)
            with pytest.raises(SessionClosed, match="unknown user"):
                await client.succession.wait_ready()
            with pytest.raises(Disconnected, match="the client has ended: unknown user"):
                await api.get("x")
            assert [str(error) for error in broken] == ["unknown user"]

    async def test_disposing_the_stub_ends_the_client_and_what_waits(self) -> None:
        line = Line()
        client = Client(line)
        async with client as api:
            held = asyncio.ensure_future(outcome(api.hold("gate")))
            await line.state.at("gate").wait()
            api.dispose()
            assert isinstance(await held, SessionClosed)
            await client.succession.wait_closed()
            assert line.dialled == 1
            with pytest.raises(Exception, match="after the stub had been disposed"):
                await api.get("x")

    async def test_a_call_made_right_before_the_end_is_still_sent(self) -> None:
        line = Line()
        async with Client(line) as api:
            _ = api.add(3)
        await turns()
        assert line.state.ran == [("add", 3)]


class TestBackoff:
    async def test_a_server_that_closes_each_session_at_once_is_asked_ever_less_often(self) -> None:
        line, clock = Line(), Clock()
        line.closing = True
        started = asyncio.ensure_future(Client(line, line.policy(clock)).__aenter__())
        for _ in range(10):
            await clock.until_sleeping()
            clock.advance(30)
        assert clock.slept[:8] == [0.25, 0.5, 1, 2, 4, 8, 16, 30]
        started.cancel()
        await asyncio.wait([started])

    async def test_an_answer_makes_waits_short_again(self) -> None:
        line, clock = Line(), Clock()
        async with Client(line, line.policy(clock)) as api:
            for _ in range(3):
                line.cut()
                await clock.until_sleeping()
                clock.advance(30)
                await turns()
            assert clock.slept == [0.25, 0.5, 1]
            assert await api.get("x") == 1
            line.cut()
            await clock.until_sleeping()
            assert clock.slept[-1] == 0.25

    async def test_so_does_an_answer_to_what_on_connect_has_asked(self) -> None:
        line, clock = Line(), Clock()
        attempts: list[int] = []

        async def subscribe(api: BankStub, info: Connected) -> None:
            attempts.append(info.attempts)
            await api.named("subscribed")

        async with Client(line, line.policy(clock, on_connect=subscribe)):
            for _ in range(3):
                line.cut()
                await clock.until_sleeping()
                clock.advance(30)
                await turns(20)
            assert clock.slept == [0.25] * 3
            assert attempts == [1] * 4

    @pytest.mark.parametrize("attempts", [1, 3])
    async def test_so_many_attempts_are_made_as_may_be(self, attempts: int) -> None:
        line = Line()
        line.refuse = [SessionClosed("not yet")] * 10
        with pytest.raises(SessionClosed, match="not yet"):
            await Client(line, line.policy(attempts=attempts)).__aenter__()
        assert line.dialled == attempts

        line = Line()
        async with Client(line, line.policy(attempts=attempts)) as api:
            assert await api.get("x") == 1
            line.refuse = [SessionClosed("not any more")] * 10
            line.cut()
            with pytest.raises(Disconnected, match="not any more"):
                await api.get("x")
            assert line.dialled == 1 + attempts

    async def test_a_server_that_closes_each_session_at_once_is_not_tried_more_often_than_may_be(self) -> None:
        line = Line()
        line.closing = True
        client = Client(line, line.policy(attempts=3))
        async with client:
            await client.succession.wait_closed()
            assert "closed at once" in str(client.succession.reason)
        assert line.dialled == 1 + 3

    async def test_a_session_that_the_peer_aborts_for_a_fault_does_not(self) -> None:
        line, clock = Line(), Clock()
        async with Client(line, line.policy(clock)) as api:
            for _ in range(3):
                assert await api.get("x") == 1
                assert line.server is not None
                line.server.abort(RpcError("something is wrong"))
                await clock.until_sleeping()
                clock.advance(30)
                await turns()
            assert clock.slept == [0.25, 0.5, 1]

    async def test_nor_grows_anything_while_a_server_closes_ten_thousand_sessions_at_once(self) -> None:
        line = Line()
        async with Client(line, line.policy(wait_time=None)) as api:
            line.closing = True
            line.cut()
            waiting = asyncio.ensure_future(outcome(api.named("x")))

            async def until(dialled: int) -> int:
                await line.until_dialled(dialled)
                gc.collect()
                return sum(isinstance(thing, (Session, Ask)) for thing in gc.get_objects())

            before = await until(100)
            assert await until(10_000) <= before + 2
            line.closing = False
            assert await waiting == "x"

    async def test_nothing_grows_over_ten_thousand_sessions(self) -> None:
        line = Line()
        ready = asyncio.Event()
        client = Client(line, line.policy(on_connect=lambda api, info: ready.set()))
        async with client as api:
            account = await api.account("ann")
            account.on_restored(lambda: None)

            async def reconnect(times: int) -> None:
                for _ in range(times):
                    ready.clear()
                    line.cut()
                    await ready.wait()
                    await turns(1)
                assert await account.owner == "ann"
                gc.collect()

            def counts() -> tuple[int, int, int]:
                objects = gc.get_objects()
                sessions = sum(isinstance(thing, Session) for thing in objects)
                return sessions, sum(isinstance(thing, Ask) for thing in objects), len(asyncio.all_tasks())

            await reconnect(100)
            before = counts()
            await reconnect(9_900)
            assert counts() == before
            assert len(client.succession._watched) == 1


class TestTelling:
    async def test_a_stub_that_is_got_again_does_not_break_and_is_told_of_it(self) -> None:
        line = Line()
        async with Client(line) as api:
            account, opened = await api.account("ann"), await api.open("bob")
            told: list[str] = []

            def say(what: str, error: BaseException | None = None) -> None:
                told.append(what)

            stubs: list[tuple[str, RpcStub]] = [("api", api), ("account", account), ("opened", opened)]
            for name, stub in stubs:
                stub.on_broken(partial(say, f"{name} broken"))
                stub.on_restored(partial(say, f"{name} restored"))
            line.cut()
            assert told == ["opened broken"]
            assert await api.get("x") == 1
            assert told == ["opened broken", "api restored", "account restored"]
            line.cut()
            await api.get("x")
            assert told[3:] == ["api restored", "account restored"]
        assert told[5:] == ["api broken", "account broken"]

    async def test_a_callback_that_raises_is_reported_and_harms_nobody(self, caplog: pytest.LogCaptureFixture) -> None:
        line = Line()
        async with Client(line) as api:
            told: list[str] = []

            def raises() -> None:
                raise ValueError("mine")

            api.on_restored(raises)
            api.on_restored(lambda: told.append("restored"))
            line.cut()
            await api.get("x")
            assert told == ["restored"]
        assert "on_restored raised ValueError: mine" in caplog.text

    async def test_what_on_disconnect_raises_is_reported_and_ends_nothing(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def raises(error: BaseException) -> None:
            raise ValueError("mine")

        line = Line()
        async with Client(line, line.policy(on_disconnect=raises)) as api:
            line.cut()
            assert await api.get("x") == 1
        assert "on_disconnect raised ValueError: mine" in caplog.text

    async def test_a_promise_that_cannot_be_had_any_more_breaks(self) -> None:
        line = Line()
        async with Client(line) as api:
            held = api.hold("gate")
            broken: list[BaseException] = []
            held.on_broken(broken.append)
            await line.state.at("gate").wait()
            line.cut()
            assert len(broken) == 1
