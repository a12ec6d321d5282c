"""Pools: several sessions with one server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from capnweb_runtime import CallInfo, Peer, Pool, Proceed, Reconnect, Refuse, SessionClosed, serve
from tests.chaos.generated.bank import BankStub
from tests.chaos.proxy import Proxy
from tests.chaos.server import Bank, Clock, State, turns


class Numbered(Bank):
    """Says which session it is of."""

    def __init__(self, state: State, number: int) -> None:
        super().__init__(state)
        self.number = number
        self.sick = number == 1

    def get(self, key: str) -> int:
        if key == "fail" and self.sick:
            raise LookupError("sick")
        return self.number


@asynccontextmanager
async def serving(state: State | None = None) -> AsyncIterator[str]:
    numbers = iter(range(1, 1000))
    shared = state or State()
    async with serve(lambda peer: Numbered(shared, next(numbers)), "127.0.0.1", 0, path="/") as server:
        yield server.url


def policy(clock: Clock | None = None) -> Reconnect:
    if clock is not None:
        return Reconnect(clock=clock, sleep=clock.sleep, random=lambda: 0.0)
    return Reconnect(sleep=_a_turn_if_short, random=lambda: 0.0)


async def _a_turn_if_short(seconds: float) -> None:
    """Waits between attempts take no time; what a pool does now and then is not done."""
    await (asyncio.sleep(0) if seconds < 1 else asyncio.Event().wait())


async def held(api: BankStub, gate: str) -> asyncio.Future[Any]:
    return asyncio.ensure_future(_outcome(api.hold(gate)))


async def _outcome(promise: Any) -> Any:
    try:
        return await promise
    except Exception as error:
        return error


class TestPlainCalls:
    async def test_one_session_is_enough_for_one_call_after_another(self) -> None:
        async with serving() as url, Pool(url, BankStub, reconnect=policy()) as pool:
            assert pool.stats().sessions == 0
            assert [await pool.stub.get("x") for _ in range(5)] == [1] * 5
            assert pool.stats().opened == 1

    async def test_calls_at_the_same_time_get_more_up_to_the_size(self) -> None:
        state = State()
        async with serving(state) as url, Pool(url, BankStub, size=3, reconnect=policy()) as pool:
            waiting = [await held(pool.stub, f"{n}") for n in range(9)]
            for n in range(9):
                await state.at(f"{n}").wait()
            assert (pool.stats().sessions, pool.stats().calls) == (3, 9)
            for n in range(9):
                state.gate(f"{n}").set()
            assert await asyncio.gather(*waiting) == [f"{n}" for n in range(9)]
            assert pool.stats().opened == 3

    async def test_a_call_goes_to_the_least_busy(self) -> None:
        state = State()
        async with serving(state) as url, Pool(url, BankStub, size=2, reconnect=policy()) as pool:
            async with pool.session() as first, pool.session() as second:
                assert {await first.get("x"), await second.get("x")} == {1, 2}
            waiting = await held(pool.stub, "gate")
            await state.at("gate").wait()
            numbers = {await pool.stub.get("x") for _ in range(4)}
            assert len(numbers) == 1
            state.gate("gate").set()
            await waiting

    async def test_what_a_call_gives_stays_with_its_session(self) -> None:
        state = State()
        async with serving(state) as url, Pool(url, BankStub, size=2, reconnect=policy()) as pool:
            account = await pool.stub.account("ann")
            waiting = await held(pool.stub, "gate")
            await state.at("gate").wait()
            assert await account.owner == "ann"
            assert await pool.stub.account("bob").sub("x").owner == "bob/x"
            assert await pool.stub.of(account) == "ann"
            account.dispose()
            state.gate("gate").set()
            await waiting

    async def test_a_map_calls_the_stub_on_its_own_session(self) -> None:
        served: list[str] = []

        async def look(call: CallInfo, proceed: Proceed) -> Any:
            if call.served:
                served.append(call.name)
            return await proceed(call)

        async with serving() as url, Pool(url, BankStub, size=2, reconnect=policy(), interceptors=[look]) as pool:
            stub = pool.stub
            assert await stub.echo([1, 2]).map(lambda number: stub.get("abc")) == [1, 1]
        assert served == []  # of this side, which the server would have called back

    async def test_the_stub_may_be_duplicated_and_disposed(self) -> None:
        async with serving() as url, Pool(url, BankStub, reconnect=policy()) as pool:
            with pool.stub.dup() as second:
                assert await second.get("x") == 1
            with pool.stub as stub:
                assert await stub.get("x") == 1
            assert await pool.stub.get("x") == 1


class TestLeases:
    async def test_each_lease_has_a_session_of_its_own(self) -> None:
        async with serving() as url, Pool(url, BankStub, size=2, reconnect=policy()) as pool:
            async with pool.session() as first, pool.session() as second:
                one, other = await first.get("x"), await second.get("x")
                assert {one, other} == {1, 2}
                assert await first.get("x") == one
                assert pool.stats().leased == 2
            assert pool.stats().leased == 0

    async def test_leases_wait_for_each_other_in_turn(self) -> None:
        async with serving() as url, Pool(url, BankStub, size=1, reconnect=policy()) as pool:
            order: list[int] = []

            async def lease(number: int) -> None:
                async with pool.session() as api:
                    order.append(number)
                    await api.get("x")

            async with pool.session():
                waiting = [asyncio.ensure_future(lease(number)) for number in range(3)]
                await turns()
                assert (order, pool.stats().waiting) == ([], 3)
                waiting[0].cancel()
                await turns()
                assert pool.stats().waiting == 2
            await asyncio.wait(waiting)
            assert order == [1, 2]

    async def test_a_turn_that_was_cancelled_goes_to_the_next(self) -> None:
        async with serving() as url, Pool(url, BankStub, size=1, reconnect=policy()) as pool:
            lease = pool.session()
            await lease.__aenter__()
            first = asyncio.ensure_future(pool.session().__aenter__())
            second_lease = pool.session()
            second = asyncio.ensure_future(second_lease.__aenter__())
            await turns()
            await lease.__aexit__(None, None, None)
            first.cancel()  # its turn has come, and it has not run yet
            await second
            await second_lease.__aexit__(None, None, None)

    async def test_plain_calls_avoid_what_is_leased(self) -> None:
        async with serving() as url, Pool(url, BankStub, size=2, reconnect=policy()) as pool:
            async with pool.session(), pool.session():
                pass
            async with pool.session() as api:
                mine = await api.get("x")
                assert mine not in {await pool.stub.get("x") for _ in range(3)}

    async def test_but_a_pool_of_one_does_not_wait_for_itself(self) -> None:
        async with serving() as url, Pool(url, BankStub, size=1, reconnect=policy()) as pool, pool.session():
            assert await pool.stub.get("x") == 1


class TestReplacing:
    async def test_a_lost_session_is_replaced(self) -> None:
        async with (
            serving() as url,
            Proxy(int(url.split(":")[2].split("/")[0])) as proxy,
            Pool(proxy.url, BankStub, reconnect=policy()) as pool,
        ):
            assert await pool.stub.get("x") == 1
            proxy.cut()
            assert await pool.stub.get("x") == 2
            assert pool.stats().opened == 2

    async def test_one_whose_check_fails_is_replaced(self) -> None:
        state = State()
        checks: list[int] = []

        async def check(api: BankStub) -> None:
            checks.append(1)
            await api.get("fail")
            checks.append(2)

        clock, lost = Clock(), asyncio.Event()
        again = Reconnect(clock=clock, sleep=clock.sleep, on_disconnect=lambda error: lost.set())
        async with (
            serving(state) as url,
            Pool(url, BankStub, check=check, check_every=30, check_time=5, reconnect=again) as pool,
        ):
            assert await pool.stub.get("x") == 1
            await clock.until_sleeping()
            clock.advance(30)
            await lost.wait()
            await clock.until_sleeping(2)
            clock.advance(1)
            assert await pool.stub.get("x") == 2
            assert (checks, pool.stats().replaced) == ([1], 1)

    async def test_one_whose_check_takes_too_long_is_replaced(self) -> None:
        clock, state = Clock(), State()
        async with (
            serving(state) as url,
            Pool(
                url, BankStub, check=lambda api: api.wait("gate"), check_every=30, check_time=5, reconnect=policy(clock)
            ) as pool,
        ):
            assert await pool.stub.get("x") == 1
            await clock.until_sleeping()
            clock.advance(30)
            await state.at("gate").wait()
            assert pool.stats().replaced == 0
            await clock.until_sleeping(2)
            clock.advance(5)
            await clock.until_sleeping(2)
            state.gate("gate").set()
            clock.advance(1)
            assert await pool.stub.get("x") == 2
            assert pool.stats().replaced == 1

    async def test_an_old_one_ends_once_nothing_of_it_is_in_use(self) -> None:
        clock = Clock()
        async with (
            serving() as url,
            Pool(url, BankStub, max_age=100, check_every=30, reconnect=policy(clock)) as pool,
        ):
            account = await pool.stub.account("ann")
            for _ in range(4):
                await clock.until_sleeping()
                clock.advance(30)
                await turns()
            assert (pool.stats().sessions, pool.stats().retiring) == (0, 1)
            assert await pool.stub.get("x") == 2
            assert await account.owner == "ann"
            account.dispose()
            await clock.until_sleeping()
            clock.advance(30)
            await turns()
            assert (pool.stats().sessions, pool.stats().retiring) == (1, 0)

    async def test_an_old_one_that_is_lost_keeps_what_can_be_got_again(self) -> None:
        clock = Clock()
        async with (
            serve(lambda peer: Bank(State()), "127.0.0.1", 0, path="/") as server,
            Proxy(int(server.url.rsplit(":", 1)[1].split("/")[0])) as proxy,
            Pool(proxy.url, BankStub, max_age=100, check_every=30, reconnect=policy(clock)) as pool,
        ):
            account = await pool.stub.account("ann")
            for _ in range(4):
                await clock.until_sleeping()
                clock.advance(30)
                await turns()
            proxy.cut()
            await clock.until_sleeping(2)  # the pool, and the client that waits before it tries again
            clock.advance(30)
            await turns()
            assert await account.owner == "ann"
            assert pool.stats().retiring == 1
            account.dispose()

    async def test_one_that_is_refused_for_good_is_no_part_of_it(self) -> None:
        refuse = True

        def bank(peer: Peer) -> Bank:
            if refuse:
                raise Refuse(401, "unknown user")
            return Bank(State())

        async with (
            serve(bank, "127.0.0.1", 0, path="/") as server,
            Pool(server.url, BankStub, reconnect=policy()) as pool,
        ):
            with pytest.raises(SessionClosed, match="401"):
                await pool.stub.named("x")
            with pytest.raises(SessionClosed, match="401"):
                async with pool.session():
                    pass
            refuse = False
            assert await pool.stub.named("x") == "x"


class TestTheEnd:
    async def test_calls_and_leases_in_progress_end_first(self) -> None:
        state = State()
        async with serving(state) as url:
            pool = await Pool(url, BankStub, size=2, reconnect=policy()).__aenter__()
            lease = pool.session()
            api = await lease.__aenter__()
            waiting = await held(pool.stub, "gate")
            await state.at("gate").wait()
            draining = asyncio.ensure_future(pool.drain())
            await turns()
            assert isinstance(await _outcome(pool.stub.get("x")), SessionClosed)
            with pytest.raises(SessionClosed, match="has been closed"):
                async with pool.session():
                    pass
            state.gate("gate").set()
            assert await waiting == "gate"
            await turns()
            assert not draining.done()
            assert await api.named("y") == "y"
            await lease.__aexit__(None, None, None)
            await draining
            assert pool.stats().sessions == 0

    async def test_they_may_be_given_some_time_only(self) -> None:
        clock, state = Clock(), State()
        async with serving(state) as url:
            pool = await Pool(url, BankStub, reconnect=policy(clock)).__aenter__()
            waiting = await held(pool.stub, "gate")
            await state.at("gate").wait()
            draining = asyncio.ensure_future(pool.drain(3))
            await clock.until_sleeping(2)
            clock.advance(3)
            await draining
            assert isinstance(await waiting, SessionClosed)

    async def test_an_error_ends_it_at_once(self) -> None:
        state = State()
        async with serving(state) as url:
            pool = await Pool(url, BankStub, reconnect=policy()).__aenter__()
            waiting = await held(pool.stub, "gate")
            await state.at("gate").wait()
            await pool.__aexit__(KeyError, KeyError(), None)
            assert isinstance(await waiting, SessionClosed)

    async def test_a_lease_that_waits_is_told(self) -> None:
        async with serving() as url:
            pool = await Pool(url, BankStub, size=1, reconnect=policy()).__aenter__()
            async with pool.session():
                waiting = asyncio.ensure_future(pool.session().__aenter__())
                await turns()
                draining = asyncio.ensure_future(pool.drain())
                with pytest.raises(SessionClosed, match="has been closed"):
                    await waiting
            await draining

    async def test_it_is_used_between_its_beginning_and_its_end(self) -> None:
        pool = Pool("ws://127.0.0.1:1/", BankStub)
        with pytest.raises(RuntimeError, match="has not been opened"):
            _ = pool.stub
        async with pool:
            with pytest.raises(RuntimeError, match="entered once"):
                await pool.__aenter__()


@pytest.mark.parametrize(("url", "size"), [("http://host/", 1), ("ws://host/", 0)])
def test_what_makes_no_pool_is_refused(url: str, size: int) -> None:
    with pytest.raises(ValueError, match="pool"):
        Pool(url, BankStub, size=size)
