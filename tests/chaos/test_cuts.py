"""Connections that are cut at every byte, and at random: nothing that was acknowledged is lost, nothing runs twice that
may not, and what is said not to have been sent has not run.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capnweb_runtime import Disconnected, Reconnect, SessionClosed, connect, serve
from tests.chaos.generated.bank import AccountStub, BankStub
from tests.chaos.proxy import Proxy
from tests.chaos.server import Bank, State

AT_ONCE = Reconnect(sleep=lambda seconds: asyncio.sleep(0))


class Model:
    """What may have happened to calls of `add`, each with a number of its own."""

    def __init__(self) -> None:
        self.acknowledged: set[int] = set()
        self.maybe: set[int] = set()
        self.never: set[int] = set()
        self.stubs: list[AccountStub] = []

    async def add(self, api: BankStub, number: int) -> None:
        try:
            await api.add(number)
        except Disconnected as error:
            (self.maybe if error.sent else self.never).add(number)
        else:
            self.acknowledged.add(number)

    def check(self, state: State) -> None:
        for stub in self.stubs:
            stub.dispose()
        ran = Counter(number for name, number in state.ran if name == "add")
        assert not {number for number, times in ran.items() if times > 1}, "a call ran twice"
        assert self.acknowledged <= ran.keys(), "a call was acknowledged and did not run"
        assert not self.never & ran.keys(), "a call ran of which it was said that it had not been sent"
        assert ran.keys() <= self.acknowledged | self.maybe


async def conversation(api: BankStub, model: Model) -> None:
    """Calls of every kind, some at the same time; those that are idempotent have to succeed."""
    account = await api.account("ann")
    model.stubs.append(account)
    added = [asyncio.ensure_future(model.add(api, number)) for number in (1, 2)]
    assert await api.get("four") == 4
    assert await account.owner == "ann"
    assert await api.account("bob").sub("x").owner == "bob/x"
    added.append(asyncio.ensure_future(model.add(api, 3)))
    assert await api.of(account) == "ann"
    assert await api.echo([1, 2, 3]) == [1, 2, 3]
    await asyncio.gather(*added)
    assert await api.named("ä" * 40) == "ä" * 40


async def cut_at(byte: int) -> int:
    """Has the conversation, the first connection being cut at a byte. Returns how many bytes the first one passed."""
    state, model = State(), Model()
    most = 0

    def allow(connection: int, upward: bool, passed: int, size: int) -> int:
        nonlocal most
        if connection != 1:
            return size
        most = max(most, min(passed + size, byte))
        return max(0, byte - passed)

    async with (
        serve(lambda peer: Bank(state), "127.0.0.1", 0, path="/") as server,
        Proxy(int(server.url.rsplit(":", 1)[1].split("/")[0]), allow) as proxy,
        asyncio.timeout(30),
        connect(proxy.url, BankStub, reconnect=AT_ONCE) as api,
    ):
        await conversation(api, model)
    model.check(state)
    return most


async def test_a_conversation_survives_a_cut_at_every_byte() -> None:
    whole = await cut_at(10**9)
    for byte in range(whole):
        await cut_at(byte)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 6), st.integers(1, 4000))
def test_load_survives_cuts_at_random(seed: int, callers: int, between: int) -> None:
    chance = random.Random(seed)

    async def call(api: BankStub, model: Model, caller: int) -> None:
        account = await api.account(f"caller {caller}")
        model.stubs.append(account)
        for step in range(12):
            await model.add(api, caller * 1000 + step)
            if step % 3 == caller % 3:
                assert await account.owner == f"caller {caller}"
            assert await api.get("x" * step) == step

    async def run() -> None:
        state, model = State(), Model()
        left = chance.randint(0, between)

        def allow(connection: int, upward: bool, passed: int, size: int) -> int:
            nonlocal left
            if connection > 40:  # or it might never end
                return size
            left -= size
            if left >= 0:
                return size
            cut = size + left
            left = chance.randint(0, between)
            return max(0, cut)

        async with (
            serve(lambda peer: Bank(state), "127.0.0.1", 0, path="/") as server,
            Proxy(int(server.url.rsplit(":", 1)[1].split("/")[0]), allow) as proxy,
            asyncio.timeout(60),
            connect(proxy.url, BankStub, reconnect=AT_ONCE) as api,
        ):
            await asyncio.gather(*(call(api, model, caller) for caller in range(callers)))
        model.check(state)

    asyncio.run(run())


@pytest.mark.parametrize("seed", range(3))
async def test_no_call_fails_while_a_server_is_restarted_again_and_again(seed: int) -> None:
    chance = random.Random(seed)
    state = State()
    done = asyncio.Event()
    async with Proxy(0) as proxy, asyncio.timeout(60):
        server = serve(lambda peer: Bank(state), "127.0.0.1", 0, path="/")
        running = await server.__aenter__()
        proxy.target = int(running.url.rsplit(":", 1)[1].split("/")[0])

        async def restart() -> None:
            nonlocal server, running
            for _ in range(8):
                for _ in range(chance.randint(0, 30)):
                    await asyncio.sleep(0)
                following = serve(lambda peer: Bank(state), "127.0.0.1", 0, path="/")
                started = await following.__aenter__()
                proxy.target = int(started.url.rsplit(":", 1)[1].split("/")[0])
                await running.drain(1)
                await server.__aexit__(None, None, None)
                server, running = following, started
            done.set()

        async def call(api: BankStub, caller: int) -> int:
            calls = 0
            account = await api.account(f"{caller}")
            while not done.is_set():
                assert await api.get("x" * caller) == caller
                assert await account.balance() == 0
                calls += 2
            account.dispose()
            return calls

        async with connect(proxy.url, BankStub, reconnect=AT_ONCE) as api:
            _, *counts = await asyncio.gather(restart(), *(call(api, caller) for caller in range(8)))
            assert all(counts)
        await server.__aexit__(None, None, None)


async def test_what_is_written_to_a_connection_that_is_cut_is_no_news_for_asyncios_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    numbers: list[int] = []

    def allow(connection: int, upward: bool, passed: int, size: int) -> int:
        return size if upward else min(size, max(0, 5_000 - passed))

    async def read(api: BankStub) -> None:
        async for number in api.read(5_000):
            numbers.append(number)

    async with (
        asyncio.timeout(60),
        serve(lambda peer: Bank(State()), "127.0.0.1", 0) as server,
        Proxy(server.port, allow) as proxy,
        connect(proxy.url, BankStub) as api,
    ):
        with pytest.raises(SessionClosed):
            await read(api)
    assert 0 < len(numbers) < 5_000
    assert [record for record in caplog.records if record.name == "asyncio"] == []
