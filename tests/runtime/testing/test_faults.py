"""What goes wrong on the line of a pair, when a test says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from capnweb_runtime import RpcPromise
from capnweb_runtime.errors import ConnectionLost
from capnweb_runtime.testing import Faults, pair
from examples.demo.server import Accounts, Front
from generated.accounts import PublicApiStub
from tests.runtime.transports.example_api import Example, ExampleStub


def asked(promise: RpcPromise[int]) -> asyncio.Task[int]:
    """A task that waits for a promise."""

    async def wait() -> int:
        return await promise

    return asyncio.create_task(wait())


async def turns(number: int = 50) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_without_faults_nothing_goes_wrong() -> None:
    async with pair(Example(), ExampleStub, faults=Faults()) as api:
        assert await api.add(1, 2) == 3


async def test_a_line_that_is_cut_ends_both_sessions_as_lost() -> None:
    faults = Faults()
    joined = pair(Example(), ExampleStub, faults=faults)
    async with joined as api:
        assert await api.add(1, 2) == 3
        faults.cut()
        with pytest.raises(ConnectionLost, match="the line was cut"):
            await api.add(3, 4)
    assert type(joined.server.session.reason) is ConnectionLost


@pytest.mark.parametrize("direction", ["to_server", "to_client"])
async def test_a_line_is_cut_at_every_byte(direction: str) -> None:
    """The call has run if the server got its message, whatever the client knows of it."""

    class Counting(Example):
        ran = 0

        def add(self, a: int, b: int) -> int:
            self.ran += 1
            return a + b

    outcomes: list[tuple[int | None, int]] = []
    for size in range(0, 150, 10):
        faults = Faults()
        getattr(faults, direction).cut_after(size)
        target = Counting()
        async with pair(target, ExampleStub, faults=faults) as api:
            try:
                outcomes.append((await api.add(1, 2), target.ran))
            except ConnectionLost:
                outcomes.append((None, target.ran))
    lost: tuple[int | None, int] = (None, 0) if direction == "to_server" else (None, 1)
    assert outcomes[0] == lost
    assert outcomes[-1] == (3, 1)
    assert set(outcomes) <= {lost, (None, 1), (3, 1)}


async def test_what_is_delayed_arrives_when_the_clock_says_so() -> None:
    faults = Faults()
    faults.to_server.delay(0.2)
    faults.to_client.delay(0.3)
    async with pair(Example(), ExampleStub, faults=faults) as api:
        waiting = asked(api.add(1, 2))
        await faults.clock.advance(0.1)
        assert faults.to_server.waiting > 0
        await faults.clock.advance(0.1)
        assert (faults.to_server.waiting, waiting.done()) == (0, False)
        await faults.clock.advance(0.3)
        assert waiting.done()
        assert await waiting == 3
        second = asked(api.add(3, 4))
        await faults.clock.advance(0.5)  # both ways, one after the other
        assert second.done()
        assert faults.clock.now == pytest.approx(1.0)


async def test_what_is_held_arrives_when_it_is_released() -> None:
    faults = Faults()
    joined = pair(Example(), ExampleStub, faults=faults)
    async with joined as api:
        faults.to_server.hold()
        first, second = asked(api.add(1, 2)), asked(api.add(3, 4))
        await turns()
        assert faults.to_server.waiting == 4  # two calls, and that both are asked for
        faults.to_server.release(2)
        await turns()
        assert (faults.to_server.waiting, joined.server.stats().messages_received) == (2, 2)
        faults.to_server.release()
        assert (await first, await second) == (3, 7)
        assert await api.add(5, 6) == 11


async def test_a_slow_reader_makes_the_sender_hold_back() -> None:
    faults = Faults()
    faults.to_client.slow_reader(100)
    made = 0

    class Chunks(Example):
        async def echo(self, value: int) -> AsyncIterator[bytes]:
            nonlocal made
            for _ in range(value):
                made += 1
                yield b"x" * 10_000

    joined = pair(Chunks(), ExampleStub, faults=faults)
    async with joined as api:
        chunks = await api.echo(200)
        size = 0
        most = 0
        async for chunk in chunks:
            size += len(chunk)
            most = max(most, made - size // 10_000)
    assert size == 200 * 10_000
    assert most < 200


async def test_leaving_lets_everything_arrive() -> None:
    faults = Faults()
    faults.to_server.hold()
    faults.to_client.delay(1000)
    joined = pair(Front(Accounts()), PublicApiStub, faults=faults)
    async with joined as api:
        api.authenticate("secret").dispose()
    assert joined.client.closed
    assert joined.server.closed


async def test_faults_are_those_of_one_pair() -> None:
    faults = Faults()
    async with pair(Example(), ExampleStub, faults=faults):
        with pytest.raises(RuntimeError, match="make new ones for each pair"):
            await pair(Example(), ExampleStub, faults=faults).__aenter__()


def test_a_reader_that_reads_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"hold\(\) is for one that reads none"):
        Faults().to_server.slow_reader(0)
