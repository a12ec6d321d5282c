"""Many clients who lose their worker at once: the engine is read once for all, and they do not come all at once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable

from capnweb_runtime import Reconnect, SessionClosed, connect
from capnweb_runtime.connecting.succession import Succession
from capnweb_runtime.driving.connection import Connection
from tests.chaos.generated.bank import BankStub
from tests.chaos.server import Clock, Line, State
from tests.needs import needs_redis
from tests.runtime.scale.engines import served
from tests.runtime.scale.servers import Server, history_reads
from tests.scale.generated.relay import RelayStub
from tests.scale.subscriber import Record
from tests.scale.workers import workers

CLIENTS = 500
TOPICS = ("t", "u")
MISSED = 40


@needs_redis
async def test_500_clients_who_reconnect_at_once_read_the_history_once_for_each_topic(redis_server: Server) -> None:
    engine = served(redis_server)
    records = [Record(lambda: 0) for _ in range(CLIENTS)]
    async with workers(redis_server.url, engine.name, 2) as (first, second), engine.open() as backplane:
        async with asyncio.timeout(120):
            held = [connect(first.url, RelayStub, keepalive=None, close_timeout=0.1) for _ in records]
            apis = await asyncio.gather(*(one.__aenter__() for one in held))
            await asyncio.gather(
                *(read(api, record, place, 0) for place, (api, record) in enumerate(zip(apis, records, strict=True)))
            )
            first.kill()
            await asyncio.gather(*(one.__aexit__(None, None, None) for one in held), return_exceptions=True)
            for number in range(1, MISSED + 1):
                for topic in TOPICS:
                    await backplane.publish(topic, b"%d" % number)
            before = history_reads(redis_server)
            await asyncio.gather(*(again(second.url, record, place) for place, record in enumerate(records)))
            assert history_reads(redis_server) - before <= len(TOPICS)
    assert {(record.events, tuple(record.gaps)) for record in records} == {(MISSED, ())}


async def read(api: RelayStub, record: Record, place: int, until: int) -> None:
    """Follow one of the topics until a number."""
    async for told in api.follow(TOPICS[place % len(TOPICS)], record.cursor):
        record.see(told)
        if record.last >= until:
            return


async def again(url: str, record: Record, place: int) -> None:
    async with connect(url, RelayStub, keepalive=None, open_timeout=60) as api:
        await read(api, record, place, MISSED)


async def test_clients_who_lose_their_worker_come_back_spread_over_time() -> None:
    """Each waits for a time of its own: of 500, none of 25 parts of the first quarter of a second has twice its share,
    and while nobody answers, attempts become fewer and stay spread.
    """
    clock, attempts = Clock(), list[float]()
    chance = random.Random(17)
    policy = Reconnect(clock=clock, sleep=clock.sleep, random=chance.random)
    lines = [Line(State()) for _ in range(CLIENTS)]
    clients = [Succession(counted(line, clock, attempts), policy, BankStub) for line in lines]
    for client in clients:
        await client.wait_ready()
    attempts.clear()
    for line in lines:
        line.refuse = [SessionClosed("nobody is there")] * 100
        line.cut()
    async with asyncio.timeout(60):
        for _ in range(400):
            await clock.until_sleeping(CLIENTS)
            clock.advance(0.01)
            await asyncio.sleep(0)
        await clock.until_sleeping(CLIENTS)
    for client in clients:
        client.shut_down()
        await client.wait_closed()
    first = Counter(int(at / 0.01) for at in attempts if at < 0.25)
    assert max(first.values()) < 2.5 * CLIENTS / 25
    seconds = [sum(second <= at < second + 1 for at in attempts) for second in range(4)]
    assert seconds == sorted(seconds, reverse=True)
    assert seconds[3] < CLIENTS
    tenths = Counter(int(at / 0.1) for at in attempts if at >= 2)
    assert max(tenths.values()) < 0.2 * CLIENTS


def counted(line: Line, clock: Clock, attempts: list[float]) -> Callable[[], Awaitable[Connection]]:
    async def dial() -> Connection:
        attempts.append(clock())
        return await line.dial()

    return dial
