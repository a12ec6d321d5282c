"""Engines that are down, full, slow or locked, and clients who send what is wrong: each is told what to do, and what
was acknowledged is there, once.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator

import pytest

from capnweb_runtime import connect
from capnweb_runtime.errors import BackplaneUnavailable
from capnweb_runtime.scale import Backplane, Bounds, Event, on_redis, open_backplane
from tests.needs import needs_nats, needs_nats_of_system, needs_redis
from tests.runtime.scale.conftest import SERVED
from tests.runtime.scale.engines import SERVERS, Served, served
from tests.runtime.scale.servers import NatsServer, RedisServer, Server, SystemNatsServer
from tests.runtime.scale.test_crashes import TOPIC, Reader, surely
from tests.scale.generated.relay import RelayStub
from tests.scale.slow import slow_line
from tests.scale.workers import ROOT, start, workers

Act = Callable[[int, float], bool]
ROOM = 3_000_000
"""Bytes that a small engine has."""


class FullRedis(RedisServer):
    """One that says when it is full."""

    def command(self) -> list[str]:
        return [*super().command(), "--maxmemory", str(ROOM), "--maxmemory-policy", "noeviction"]


class LockedRedis(RedisServer):
    """One whose users may do what docs/scale.md says, and one thing less."""

    def __init__(self, without: str = "") -> None:
        self._without = without
        super().__init__()

    def command(self) -> list[str]:
        (allowed,) = re.findall(r"```conf\n(.*?)\n```", (ROOT / "docs" / "scale.md").read_text("utf-8"), re.DOTALL)
        commands = [part for part in allowed.split() if part != self._without]
        user = ["default", "on", "nopass", "resetchannels", "~locked:*", "-@all", *commands]
        return [*super().command(), "--user", *user]


class FullNats(NatsServer):
    """One whose JetStream has little room."""

    def command(self) -> list[str]:
        settings = self.data / "nats.conf"
        settings.write_text(f"jetstream {{ max_file_store: {ROOM} }}\n", "utf-8")
        return [part for part in super().command() if part != "-js"] + ["-c", str(settings)]


class FullSystemNats(FullNats, SystemNatsServer):
    """The same, of the distribution's version."""


FULL = [
    pytest.param(FullRedis, marks=needs_redis, id="redis"),
    pytest.param(FullNats, marks=needs_nats, id="nats"),
    pytest.param(FullSystemNats, marks=needs_nats_of_system, id="nats_of_system"),
]


@pytest.fixture
def full(request: pytest.FixtureRequest) -> Iterator[Served]:
    server: Server = request.param()
    yield served(server)
    server.close()


@pytest.mark.parametrize("full", FULL, indirect=True)
async def test_a_full_engine_says_so_and_keeps_what_it_has(full: Served) -> None:
    """What was refused is not there, what was acknowledged is, and who holds a lease of Redis keeps it."""
    reader = Reader()
    async with full.open() as here, full.open() as there, there.subscribe(TOPIC) as subscription:
        cursor = subscription.cursor
        lease = await here.acquire("room/7", b"", 60)
        assert lease
        done = await fill(lambda number: here.publish(TOPIC, f"{number:<100000}".encode()))
        for size in (10_000, 100):  # up to the last byte
            await fill(lambda number, size=size: here.put(f"{size} {number}", bytes(size)))  # type: ignore[misc]
        with pytest.raises(BackplaneUnavailable, match="is full"):
            await here.publish(TOPIC, b"%d" % (done + 1), id="one more")
        await reader.until(subscription, done)
        reader.last, reader.cursor = 0, None
        async with full.open() as new, new.subscribe(TOPIC, cursor) as resumed:
            await reader.until(resumed, done)
        assert not reader.gaps
        if isinstance(full.server, RedisServer):
            assert await lease.renew()
        assert lease.held


async def fill(write: Callable[[int], Awaitable[object]]) -> int:
    """Write 1, 2, ... until there is no room; returns the last one that was written."""
    for number in range(1, 100_000):
        try:
            await write(number)
        except BackplaneUnavailable as error:
            if not re.search("is full, and has done nothing: give it more .*Bounds", str(error)):
                raise
            return number - 1
    raise AssertionError("it is never full")


@needs_redis
async def test_redis_that_hides_its_restarts_is_refused() -> None:
    """Without INFO nobody could tell that it has lost something."""
    server = LockedRedis(without="+info")
    try:
        with pytest.raises(BackplaneUnavailable, match=r"does not let this user do that: allow it.*info"):
            await open_backplane(server.url, name="locked").__aenter__()
    finally:
        server.close()


@needs_redis
async def test_a_user_of_redis_needs_what_the_document_says() -> None:
    server = LockedRedis()
    try:
        async with open_backplane(server.url, name="locked") as here, here.subscribe(TOPIC) as subscription:
            cursor = await here.publish(TOPIC, b"1", id="1")
            await here.publish(TOPIC, b"2")
            assert isinstance(await anext(subscription), Event)
            async with open_backplane(server.url, name="locked") as there, there.subscribe(TOPIC, cursor) as resumed:
                assert isinstance(await anext(resumed), Event)
            lease = await here.acquire("room/7", b"", 60)
            assert lease
            assert await lease.renew()
            assert await here.holder("room/7")
            await lease.release()
            assert await here.delete("k", expect=await here.put("k", b"", expect=0))
    finally:
        server.close()


@needs_redis
async def test_a_command_that_is_forbidden_inside_of_a_script_is_told_of_as_well() -> None:
    server = LockedRedis(without="+exists")
    try:
        async with open_backplane(server.url, name="locked") as here:
            with pytest.raises(BackplaneUnavailable, match="does not let this user do that: allow it"):
                await here.acquire("room/7", b"", 60)
    finally:
        server.close()


@pytest.mark.parametrize("kind", SERVED)
async def test_an_engine_that_is_down_at_the_start_is_named(kind: str) -> None:
    """By the process that was to use it, in its last words."""
    server = SERVERS[kind]()
    try:
        server.kill()
        with pytest.raises(AssertionError, match=r"did not answer .*: see that it runs"):
            await start(server.url, "app", Bounds())
    finally:
        server.close()


@pytest.mark.parametrize("kind", SERVED)
async def test_over_a_slow_line_everything_comes_once(kind: str, request: pytest.FixtureRequest) -> None:
    """50 ms there and back: it is slower, and nothing else."""
    engine = served(request.getfixturevalue(f"{kind}_server"))
    reader = Reader()
    async with (
        slow_line(engine.server.port, 0.05) as port,
        engine.open() as quick,
        engine.open(port=port) as slow,
        slow.subscribe(TOPIC) as subscription,
    ):
        for number in range(40):
            await surely(slow if number % 8 == 0 else quick, number)
        await reader.until(subscription, 39)
        lease = await slow.acquire("room/7", b"", 60)
        assert lease
        assert await lease.renew()
        assert await quick.acquire("room/7", b"", 60) is None
    assert not reader.gaps


@needs_redis
async def test_what_was_done_by_an_engine_too_slow_to_say_so_is_not_done_again(
    redis_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer comes after nobody waits for it any more; the same id is asked for over a line that is not slow."""
    monkeypatch.setattr(on_redis, "_PATIENCE", 0.3)
    engine, reader = served(redis_server), Reader()
    async with engine.open() as quick, quick.subscribe(TOPIC) as subscription:
        await surely(quick, 0)
        async with slow_line(redis_server.port, 0.2) as port, engine.open(port=port) as slow:
            await surely(slow, 1)
            await halt(slow, redis_server)
        await surely(quick, 2)
        await surely(quick, 3)
        await reader.until(subscription, 3)
    assert not reader.gaps


async def halt(slow: Backplane, server: Server) -> None:
    """Have it read what it is told, and be stopped while it would answer."""
    asking = asyncio.create_task(slow.publish(TOPIC, b"2", id="number 2"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(asking), 0.05)
    server.pause()
    try:
        with pytest.raises(BackplaneUnavailable, match="may have done it"):
            await asking
    finally:
        server.go_on()


async def test_what_is_too_large_is_refused_with_the_bound(shared: Served) -> None:
    async with shared.open(Bounds(event_bytes=8 << 20)) as here, here.subscribe(TOPIC) as subscription:
        if isinstance(shared.server, NatsServer):
            with pytest.raises(
                ValueError, match="2097152 bytes are more than this NATS carries: raise its max_payload"
            ):
                await here.publish(TOPIC, bytes(2 << 20))
        with pytest.raises(ValueError, match=r"Bounds.event_bytes: send where they are kept"):
            await here.publish(TOPIC, bytes((8 << 20) + 1))
        await here.publish(TOPIC, b"1")
        reader = Reader()
        await reader.until(subscription, 1)
        assert not reader.gaps


async def test_a_forged_cursor_reaches_its_sender_as_an_error(shared: Served) -> None:
    async with workers(shared.server.url, shared.name, 1) as (worker,), connect(worker.url, RelayStub) as api:
        for forged in ("17", "e:-1", "e:1e9", "x" * 200 + ":1"):
            with pytest.raises(ValueError, match="is no cursor: expected epoch:offset"):
                async for _ in api.follow("t", forged):
                    pass
        async for told in api.follow("t", f"e:{'9' * 90}"):
            if told.gap:
                assert told.gap == "epoch"
                break


async def test_a_worker_with_a_wrong_clock_holds_what_it_holds(shared: Served) -> None:
    """Its time of day is five hours off: leases are had by monotonic clocks."""
    acts: list[tuple[str, int]] = []
    acted = asyncio.Event()

    def by(who: str) -> Act:
        def act(fence: int, seen: float) -> bool:
            acts.append((who, fence))
            acted.set()
            return True

        return act

    async with workers(shared.server.url, shared.name, 1) as running, asyncio.timeout(60):
        for off in (-18_000, 18_000):
            running.append(await start(shared.server.url, shared.name, Bounds(), clock_off=off))
        right, *wrong = running
        owning = [asyncio.create_task(own(worker.url, by(who))) for who, worker in zip("wx", wrong, strict=True)]
        await until(acted, lambda: len(acts) >= 3)
        owning.append(asyncio.create_task(own(right.url, by("right"))))
        await until(acted, lambda: len(acts) >= 20)
        assert len(set(acts)) == 1, "it renewed, and nobody else had it"
        first, fence = acts[0]
        wrong["wx".index(first)].kill()
        await until(acted, lambda: acts[-1][0] != first)
        assert acts[-1][1] > fence
        for task in owning:
            task.cancel()
        await asyncio.gather(*owning, return_exceptions=True)


async def own(url: str, act: Act) -> None:
    async with connect(url, RelayStub, keepalive=None, close_timeout=0.1) as api:
        await api.own("room/7", 1.0, act)


async def until(happened: asyncio.Event, met: Callable[[], bool]) -> None:
    while not met():
        happened.clear()
        await happened.wait()
