"""What was lost with a session is got again in the way in which it was got; what cannot be is stale."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import pytest

from capnweb_runtime import Disconnected, DisposedError, RpcError, StaleCapability
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.transports.memory import join
from tests.chaos.generated.bank import BankStub
from tests.chaos.server import Bank, Client, Line, State, turns


def exports(line: Line) -> int:
    """How many capabilities and results the server holds for the client, its main object aside."""
    assert line.server is not None
    return line.server.stats().exports - 1


async def reconnected(line: Line, api: BankStub) -> None:
    """Another session, on which nothing but a call has been made."""
    line.cut()
    await api.named("reconnected")
    line.state.ran.clear()


class TestCapabilities:
    async def test_one_is_got_again_on_its_first_use_by_the_same_call(self) -> None:
        line = Line()
        async with Client(line) as api:
            account = await api.account("ann")
            await reconnected(line, api)
            assert await account.balance() == 0
            assert await account.deposit(5) == 5
            assert line.state.ran == [("account", "ann"), ("balance", "ann"), ("deposit", 5)]

    async def test_it_is_not_got_again_before(self) -> None:
        line = Line()
        async with Client(line) as api:
            account = await api.account("ann")
            await reconnected(line, api)
            await turns()
            assert line.state.ran == []
            account.dispose()

    async def test_using_it_takes_one_round_trip(self) -> None:
        line = Line()
        async with Client(line) as api:
            account = await api.account("ann").sub("x")
            await reconnected(line, api)
            assert line.client is not None
            before = line.client.stats().round_trips
            assert await account.sub("y").owner == "ann/x/y"
            assert line.client.stats().round_trips == before + 1

    async def test_those_in_models_and_lists_are_got_again_by_their_place(self) -> None:
        line = Line()
        async with Client(line) as api:
            listing: Any = await api.listing(["a", "b", "c"])
            await reconnected(line, api)
            assert await listing.rest[1].owner == "c"
            assert await listing.first.owner == "a"
            assert line.state.ran == [("listing", ("a", "b", "c"))]

    async def test_one_that_was_got_through_another_is_got_through_that(self) -> None:
        line = Line()
        async with Client(line) as api:
            account = await api.account("ann")
            sub = await account.sub("x")
            account.dispose()
            await reconnected(line, api)
            assert await sub.owner == "ann/x"
            assert line.state.ran == [("account", "ann"), ("sub", "x")]

    async def test_one_that_was_got_for_another_is_got_for_that(self) -> None:
        line = Line()
        async with Client(line) as api:
            account = await api.account("ann")
            await reconnected(line, api)
            assert await api.of(account) == "ann"
            assert await api.of(account) == "ann"
            assert line.state.ran == [("account", "ann")]

    async def test_duplicates_are_got_again_too(self) -> None:
        line = Line()
        async with Client(line) as api:
            account = await api.account("ann")
            second = account.dup()
            account.dispose()
            await reconnected(line, api)
            assert await second.owner == "ann"
            with pytest.raises(DisposedError):
                await account.owner

    async def test_a_promise_is_got_again_as_well(self) -> None:
        line = Line()
        async with Client(line) as api:
            account = api.account("ann")
            assert await account.owner == "ann"
            await reconnected(line, api)
            assert await account.owner == "ann"

    async def test_values_that_have_come_stay(self) -> None:
        line = Line()
        async with Client(line) as api:
            echoed = api.echo([1, 2])
            assert await echoed == [1, 2]
            await reconnected(line, api)
            assert await echoed[1] == 2
            assert line.state.ran == []

    async def test_an_error_while_it_is_got_again_is_that_of_its_use(self) -> None:
        line = Line()
        async with Client(line) as api:
            account = await api.account("ann")
            await reconnected(line, api)

            def gone(name: str) -> Any:
                raise LookupError(f"{name} is gone")

            assert line.server is not None
            line.server.session._exports[0].hook._target.account = gone  # type: ignore[attr-defined]
            with pytest.raises(LookupError, match="ann is gone"):
                await account.owner


class TestStale:
    async def test_what_came_of_a_method_that_is_not_idempotent_is_stale(self) -> None:
        line = Line()
        async with Client(line) as api:
            opened = await api.open("ann")
            sub = await opened.sub("x")
            await reconnected(line, api)
            for stub in (opened, sub):
                with pytest.raises(StaleCapability, match="@idempotent"):
                    await stub.owner
            with pytest.raises(StaleCapability):
                await api.of(opened)
            assert line.state.ran == []

    async def test_so_is_what_took_a_callback(self) -> None:
        line = Line()
        async with Client(line) as api:
            told: list[int] = []
            account = await api.told(told.append)
            await reconnected(line, api)
            with pytest.raises(StaleCapability):
                await account.owner
            assert told == [1]

    async def test_what_has_been_lost_stays_lost(self) -> None:
        line = Line()
        async with Client(line) as api:
            opened = await api.open("ann")
            for _ in range(3):
                await reconnected(line, api)
                with pytest.raises(StaleCapability):
                    await opened.owner

    async def test_a_call_that_waits_for_one_fails_with_the_call_that_gave_it(self) -> None:
        line = Line()
        async with Client(line) as api:
            opened = api.open("ann")
            held = asyncio.ensure_future(_outcome(opened.owner))
            await turns(3)
            assert line.state.ran == [("open", "ann")]
            gate = asyncio.ensure_future(_outcome(api.wait("gate")))
            await line.state.at("gate").wait()
            line.state.gate("gate").set()
            line.cut()
            assert await held == "ann"  # which had been answered before
            assert await gate == "gate"
            with pytest.raises(Disconnected):
                await opened


class TestOwnership:
    async def test_the_server_holds_nothing_once_everything_is_disposed(self) -> None:
        line = Line()
        async with Client(line) as api:
            for _ in range(2):
                account = await api.account("ann")
                listing: Any = await api.listing(["a", "b"])
                assert await account.owner == "ann"
                assert await listing.first.owner == "a"
                await reconnected(line, api)
                assert await account.owner == "ann"
                assert await listing.rest[0].owner == "b"
                account.dispose()
                listing.first.dispose()
                listing.rest[0].dispose()
                del account, listing
                gc.collect()
                await turns()
                await api.named("x")
                gc.collect()
                await turns()
                assert exports(line) == 0

    async def test_what_is_dropped_is_released(self) -> None:
        line = Line()
        async with Client(line) as api:
            promise = api.account("ann")
            await turns()
            assert exports(line) == 1
            del promise
            await turns()
            await api.named("x")
            await turns()
            assert exports(line) == 0

    async def test_a_stub_that_is_dropped_warns(self) -> None:
        line = Line()
        async with Client(line) as api:
            account = await api.account("ann")
            assert await account.owner == "ann"
            kept = [account]
            del account
            with pytest.warns(ResourceWarning, match="AccountStub was dropped"):
                kept.clear()

    async def test_callbacks_are_let_go_once_the_peer_has_released_them(self) -> None:
        line = Line()
        async with Client(line) as api:
            (await api.told(lambda number: None)).dispose()
            await api.named("x")
            await turns()
            assert line.client is not None
            assert line.client.stats().exports == 1


class TestElsewhere:
    async def test_a_stub_passed_to_another_server_is_used_through_this_client(self) -> None:
        line = Line()
        other, server = Connection(), Connection(Bank(State()))
        join(other, server)
        async with Client(line) as api:
            second = other.main(BankStub)
            account = await api.account("ann")
            assert await second.of(account) == "ann"
            await reconnected(line, api)
            assert await second.of(account) == "ann"
            second.dispose()
        await other.wait_closed()

    async def test_another_thread_may_not_use_it(self) -> None:
        line = Line()
        async with Client(line) as api:
            with pytest.raises(RuntimeError):
                _ = await asyncio.to_thread(api.named, "x")


class TestMapsAndStreams:
    async def test_map_goes_through(self) -> None:
        line = Line()
        async with Client(line) as api:
            doubled = api.echo([1, 2]).map(lambda number: api.echo([1])[0])
            assert await doubled == [1, 1]
            await reconnected(line, api)
            names = api.listing(["a", "b"]).rest.map(lambda account: account.owner)
            assert await names == ["b"]

    async def test_a_stream_belongs_to_its_session(self) -> None:
        line = Line()
        async with Client(line) as api:
            read = [number async for number in api.read(3)]
            assert read == [0, 1, 2]
            stream = await api.read(10_000)
            assert await anext(stream) == 0
            line.cut()
            with pytest.raises(Exception, match="lost"):
                _ = [number async for number in stream]
            assert [number async for number in api.read(2)] == [0, 1]

    async def test_a_call_with_a_stream_is_never_made_twice(self) -> None:
        line = Line()
        gate = asyncio.Event()

        async def numbers() -> AsyncIterator[int]:
            yield 1
            await gate.wait()
            yield 2

        async with Client(line) as api:
            total = asyncio.ensure_future(_outcome(api.total(numbers())))
            await turns()
            line.cut()
            error = await total
            assert isinstance(error, Disconnected)
            assert error.sent
            unsent = api.total(numbers())
            await api.named("x")
            gate.set()
            assert await unsent == 3
            unsent = api.total(numbers())
            line.cut()
            error = await _outcome(unsent)
            assert isinstance(error, Disconnected)
            assert not error.sent
            assert line.state.count("total") <= 2

    async def test_a_map_is_repeated_if_all_that_it_calls_may_be(self) -> None:
        line = Line()
        async with Client(line) as api:
            account = await api.account("ann")
            waited = asyncio.ensure_future(_outcome(api.echo([1, 2]).map(lambda number: api.wait("gate"))))
            through = asyncio.ensure_future(_outcome(api.echo([1]).map(lambda number: account.sub("x").owner)))
            nested = api.echo([1]).map(lambda number: api.echo([2]).map(lambda inner: api.add(1)))
            added = asyncio.ensure_future(_outcome(nested))
            await line.state.at("gate").wait()
            await turns(0)
            line.state.gate("gate").set()
            line.cut()
            assert await waited == ["gate", "gate"]
            assert await through == ["ann/x"]
            assert isinstance(await added, Disconnected)
            assert line.state.count("add") <= 1

    async def test_a_map_over_what_was_lost_is_refused(self) -> None:
        line = Line()
        async with Client(line) as api:
            opened = await api.open("ann")
            await reconnected(line, api)
            with pytest.raises(StaleCapability):
                await api.echo([1]).map(lambda number: opened.sub("x").owner)

    async def test_an_error_of_a_recipe_is_an_answer_too(self) -> None:
        line = Line()
        async with Client(line) as api:
            with pytest.raises((LookupError, RpcError), match="no"):
                await api.named(api.fail("no"))  # type: ignore[arg-type]


async def _outcome(promise: Any) -> Any:
    try:
        return await promise
    except Exception as error:
        return error
