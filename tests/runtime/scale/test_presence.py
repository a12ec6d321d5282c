"""Who is where: with every engine, on a clock of the test's own, and in processes that are killed."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from capnweb_runtime.scale import (
    Backplane,
    BackplaneUnavailable,
    Bounds,
    MemoryBackplane,
    MemoryStore,
    Presence,
    PresenceChange,
    TopicEvent,
    TopicSubscription,
    Value,
)
from capnweb_runtime.scale.presence_rooms import Rooms
from tests.runtime.scale.conftest import SERVED
from tests.runtime.scale.engines import Engine, Served

ROOM = "room 7"
LIMIT = 60
TTL, EVERY = 30.0, 10.0


class Time:
    """A clock that the test moves on; who sleeps is woken when it has come."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._sleeping: list[tuple[float, asyncio.Future[None]]] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleeping.append((self.now + seconds, woken))
        await woken

    async def pass_by(self, seconds: float) -> None:
        """In small steps, each of which all who wake have time for."""
        until = self.now + seconds
        while self.now < until:
            self.now = min(self.now + 0.1, until)
            for due, woken in self._sleeping:
                if due <= self.now and not woken.done():
                    woken.set_result(None)
            self._sleeping = [(due, woken) for due, woken in self._sleeping if not woken.done()]
            await settle()


async def settle() -> None:
    for _ in range(60):
        await asyncio.sleep(0)


class Workers:
    """Workers on one store, with one clock."""

    def __init__(self) -> None:
        self.time = Time()
        self.store = MemoryStore(self.time.clock)
        self.told: list[tuple[str, str]] = []

    def presence(self, backplane: Backplane | None = None) -> Presence:
        return Presence(
            backplane or MemoryBackplane(self.store),
            ttl=TTL,
            every=EVERY,
            clock=self.time.clock,
            sleep=self.time.sleep,
            chance=lambda: 0.5,
        )

    @asynccontextmanager
    async def watched(self) -> AsyncGenerator[None]:
        """`told` is what is told of the room."""
        watcher = self.presence()
        async with watcher.topic(ROOM).subscribe() as events:

            async def watch() -> None:
                async for item in events:
                    assert isinstance(item, TopicEvent)
                    self.told.append((item.data.kind, item.data.member))

            watching = asyncio.create_task(watch())
            try:
                yield
                await settle()
            finally:
                watching.cancel()
                await asyncio.wait([watching])


@pytest.fixture
def workers() -> Workers:
    return Workers()


def crash(presence: Presence) -> None:
    """It does nothing any more, and says nothing to anybody."""
    for task in presence._tasks:
        task.cancel()


async def changes(events: TopicSubscription[PresenceChange], number: int) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    async with asyncio.timeout(LIMIT):
        for _ in range(number):
            item = await anext(events)
            assert isinstance(item, TopicEvent), item
            found.append((item.data.kind, item.data.member))
    return found


# ---- with every engine


async def test_who_comes_and_goes_is_told_and_listed_by_every_worker(engine: Engine) -> None:
    async with (
        asyncio.timeout(LIMIT),
        engine.open() as one,
        engine.open() as other,
        Presence(one) as here,
        Presence(other) as there,
        there.topic(ROOM).subscribe() as events,
    ):
        ada = await here.join(ROOM, "ada", "Countess")
        bob = await there.join(ROOM, "bob")
        assert await here.members(ROOM) == await there.members(ROOM) == {"ada": "Countess", "bob": ""}
        assert await here.members("elsewhere") == {}
        await ada.leave()
        assert await there.members(ROOM) == {"bob": ""}
        await bob.leave()
        assert await here.members(ROOM) == {}
        assert await changes(events, 4) == [("joined", "ada"), ("joined", "bob"), ("left", "ada"), ("left", "bob")]
        assert await one.get(f"presence/room/{ROOM}") is None


async def test_who_comes_back_elsewhere_has_never_been_away(engine: Engine) -> None:
    async with (
        asyncio.timeout(LIMIT),
        engine.open() as one,
        engine.open() as other,
        Presence(one, ttl=0.9, every=0.2) as here,
        Presence(other, ttl=0.9, every=0.2) as there,
        here.topic(ROOM).subscribe() as events,
    ):
        first = await here.join(ROOM, "ada")
        first.lose()
        await there.join(ROOM, "ada")
        eve = await here.join(ROOM, "eve")
        eve.lose()
        assert await changes(events, 3) == [("joined", "ada"), ("joined", "eve"), ("lost", "eve")]
        assert await here.members(ROOM) == {"ada": ""}


async def test_many_who_come_at_once_at_several_workers_are_all_there(engine: Engine) -> None:
    names = [f"member {number}" for number in range(40)]
    async with AsyncExitStack() as stack, asyncio.timeout(LIMIT):
        opened = [await stack.enter_async_context(engine.open()) for _ in range(3)]
        here = [await stack.enter_async_context(Presence(backplane)) for backplane in opened]
        events = await stack.enter_async_context(here[0].topic(ROOM).subscribe())
        memberships = await asyncio.gather(*(here[at % 3].join(ROOM, name) for at, name in enumerate(names)))
        assert sorted(await here[0].members(ROOM)) == sorted(names)
        assert sorted(await changes(events, 40)) == sorted(("joined", name) for name in names)
        await asyncio.gather(*(membership.leave() for membership in memberships))
        assert await here[1].members(ROOM) == {}
        assert sorted(await changes(events, 40)) == sorted(("left", name) for name in names)


@pytest.mark.parametrize("engine", SERVED, indirect=True)
async def test_members_of_a_worker_that_is_killed_are_lost_once_unless_they_come_back(engine: Served) -> None:
    ttl = 2.0
    async with (
        asyncio.timeout(LIMIT),
        engine.open() as one,
        engine.open() as other,
        Presence(one, ttl=ttl, every=ttl / 4) as here,
        Presence(other, ttl=ttl, every=ttl / 4),
        here.topic(ROOM).subscribe() as events,
    ):
        worker = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.runtime.scale.presence_worker"),
            *(engine.server.url, engine.name, str(ttl), ROOM, "ada", "bob", "carol"),
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            assert worker.stdout is not None
            assert await worker.stdout.readline() == b"there\n"
            assert await here.members(ROOM) == {"ada": "", "bob": "", "carol": ""}
        finally:
            worker.kill()
            await worker.wait()
        await here.join(ROOM, "ada")
        told = await changes(events, 5)
        assert told[:3] == [("joined", "ada"), ("joined", "bob"), ("joined", "carol")]
        assert sorted(told[3:]) == [("lost", "bob"), ("lost", "carol")]
        assert await here.members(ROOM) == {"ada": ""}


# ---- on a clock of the test's own


async def test_a_member_whose_connection_was_lost_is_there_until_its_time_is_over(workers: Workers) -> None:
    async with workers.watched(), workers.presence() as here:
        ada = await here.join(ROOM, "ada")
        ada.lose()
        await workers.time.pass_by(TTL - 1)
        assert await here.members(ROOM) == {"ada": ""}
        await workers.time.pass_by(1.2)
        assert await here.members(ROOM) == {}
    assert workers.told == [("joined", "ada"), ("lost", "ada")]


async def test_who_comes_back_in_time_is_no_leave_and_no_second_join(workers: Workers) -> None:
    async with workers.watched(), workers.presence() as here, workers.presence() as there:
        for worker in (here, here, there, there, here):
            membership = await worker.join(ROOM, "ada")
            await workers.time.pass_by(20)
            membership.lose()
            await workers.time.pass_by(20)
        assert await there.members(ROOM) == {"ada": ""}
        await workers.time.pass_by(11)
        assert await there.members(ROOM) == {}
    assert workers.told == [("joined", "ada"), ("lost", "ada")]


async def test_what_was_before_the_last_joining_is_over(workers: Workers) -> None:
    async with workers.watched(), workers.presence() as here, workers.presence() as there:
        first = await here.join(ROOM, "ada")
        second = await here.join(ROOM, "ada")
        await first.leave()
        third = await there.join(ROOM, "ada")
        await second.leave()
        second.lose()
        await workers.time.pass_by(TTL * 2)
        assert await here.members(ROOM) == {"ada": ""}
        await third.leave()
        await third.leave()
    assert workers.told == [("joined", "ada"), ("left", "ada")]


async def test_members_of_a_dead_worker_are_lost_within_their_time_and_a_second(workers: Workers) -> None:
    dead = workers.presence()
    async with workers.watched(), workers.presence() as here, workers.presence():
        await dead.__aenter__()
        await dead.join(ROOM, "ada")
        await here.join(ROOM, "bob")
        await workers.time.pass_by(25)
        crash(dead)
        await workers.time.pass_by(TTL - EVERY - 0.5)
        assert await here.members(ROOM) == {"ada": "", "bob": ""}
        await workers.time.pass_by(6.5)  # since it was heard of: TTL, and a second
        assert workers.told[2:] == [("lost", "ada")]
        await workers.time.pass_by(TTL * 3)
        assert await here.members(ROOM) == {"bob": ""}
        assert not [key for key in workers.store.values if key.startswith(f"presence/rooms/{dead._workers.id}")]
    await dead.close()
    assert workers.told == [("joined", "ada"), ("joined", "bob"), ("lost", "ada")]


async def test_members_of_a_dead_worker_are_lost_though_whoever_cleared_up_after_it_is_dead_too(
    workers: Workers,
) -> None:
    """Nobody else clears up for a while; whoever asks who is there is told the truth all the same."""
    dead = await workers.presence().__aenter__()
    async with workers.watched(), workers.presence() as here:
        await dead.join(ROOM, "ada")
        await workers.time.pass_by(EVERY)
        crash(dead)
        clearing = f"presence/clearing/{dead._workers.id}"
        assert await MemoryBackplane(workers.store).acquire(clearing, b"", TTL * 3) is not None
        await workers.time.pass_by(TTL + 1)
        assert await here.members(ROOM) == {}
    await dead.close()
    assert workers.told == [("joined", "ada"), ("lost", "ada")]


async def test_who_was_at_a_dead_worker_may_come_back_at_another(workers: Workers) -> None:
    dead = await workers.presence().__aenter__()
    async with workers.watched(), workers.presence() as here:
        await dead.join(ROOM, "ada")
        await dead.join(ROOM, "bob")
        crash(dead)
        await workers.time.pass_by(20)
        await here.join(ROOM, "ada")
        await workers.time.pass_by(TTL * 2)
        assert await here.members(ROOM) == {"ada": ""}
    await dead.close()
    assert workers.told == [("joined", "ada"), ("joined", "bob"), ("lost", "bob")]


async def test_a_worker_that_comes_later_gives_everybody_their_time_and_finds_no_ghosts_then(workers: Workers) -> None:
    """It cannot know whether a worker is dead, or whether the engine was away and has just come back."""
    dead = await workers.presence().__aenter__()
    async with workers.watched():
        await dead.join(ROOM, "ada")
        crash(dead)
        await workers.time.pass_by(TTL + 1)
        async with workers.presence() as here:
            assert await here.members(ROOM) == {"ada": ""}
            await workers.time.pass_by(TTL + 1)
            assert await here.members(ROOM) == {}
            assert await here.members(ROOM) == {}
    await dead.close()
    assert workers.told == [("joined", "ada"), ("lost", "ada")]


async def test_a_worker_that_stood_still_for_too_long_comes_back_with_its_members(workers: Workers) -> None:
    still = await workers.presence().__aenter__()
    async with workers.watched(), workers.presence() as here:
        await still.join(ROOM, "ada")
        gone = await still.join(ROOM, "bob")
        await workers.time.pass_by(EVERY)  # it has been heard of
        gone.lose()
        for task in still._tasks:
            task.cancel()
        await workers.time.pass_by(TTL + 2)
        assert await here.members(ROOM) == {}
        still._tasks = [asyncio.create_task(still._beat()), asyncio.create_task(still._watch())]
        await workers.time.pass_by(EVERY + 1)
        assert await here.members(ROOM) == {"ada": ""}
        await workers.time.pass_by(TTL * 2)
        assert await here.members(ROOM) == {"ada": ""}
    await still.close()
    assert sorted(workers.told[2:4]) == [("lost", "ada"), ("lost", "bob")]
    assert workers.told[4:] == [("joined", "ada")]


async def test_a_worker_that_stood_still_takes_nobody_back_who_is_elsewhere(workers: Workers) -> None:
    still = await workers.presence().__aenter__()
    async with workers.watched(), workers.presence() as here:
        await still.join(ROOM, "ada")
        crash(still)
        await workers.time.pass_by(20)
        ada = await here.join(ROOM, "ada")
        await workers.time.pass_by(TTL)
        still._tasks = [asyncio.create_task(still._beat()), asyncio.create_task(still._watch())]
        await workers.time.pass_by(EVERY + 1)
        await ada.leave()
        assert await here.members(ROOM) == {}
    await still.close()
    assert workers.told == [("joined", "ada"), ("left", "ada")]


async def test_a_worker_that_closes_leaves_its_members_the_time_to_come_back(workers: Workers) -> None:
    async with workers.watched(), workers.presence() as here:
        async with workers.presence() as restarting:
            await restarting.join(ROOM, "ada")
            await restarting.join(ROOM, "bob")
        await workers.time.pass_by(EVERY)
        await here.join(ROOM, "ada")
        await workers.time.pass_by(TTL * 2)
        assert await here.members(ROOM) == {"ada": ""}
    assert workers.told == [("joined", "ada"), ("joined", "bob"), ("lost", "bob")]


async def test_staying_costs_one_refresh_of_the_worker_however_many_members_it_has(workers: Workers) -> None:
    calls: list[str] = []

    class Counted(MemoryBackplane):
        def __getattribute__(self, name: str) -> Any:
            if name in {"get", "put", "delete", "publish", "acquire", "renew_lease"}:
                calls.append(name)
            return super().__getattribute__(name)

    async with workers.presence(Counted(workers.store)) as here:
        for number in range(50):
            await here.join(f"room {number % 5}", f"member {number}")
        calls.clear()
        await workers.time.pass_by(EVERY + 0.1)
        assert calls == ["renew_lease", "publish"]


class Faulty(MemoryBackplane):
    """An engine that does not answer for a while, or answers and is not heard."""

    is_away = False
    is_unheard = False

    async def put(self, key: str, data: bytes, *, expect: int | None = None) -> int | None:
        self._answer()
        revision = await super().put(key, data, expect=expect)
        if self.is_unheard:
            raise BackplaneUnavailable("it was not heard")
        return revision

    async def get(self, key: str) -> Value | None:
        self._answer()
        return await super().get(key)

    async def renew_lease(self, name: str, value: bytes, fence: int, ttl: float) -> bool:
        self._answer()
        return await super().renew_lease(name, value, fence, ttl)

    async def holder(self, name: str) -> Any:
        self._answer()
        return await super().holder(name)

    def _answer(self) -> None:
        if self.is_away:
            raise BackplaneUnavailable("it does not answer")


async def test_nobody_is_lost_because_the_engine_was_away(workers: Workers) -> None:
    """For less than what their leases last."""
    one, other = Faulty(workers.store), Faulty(workers.store)
    async with workers.watched(), workers.presence(one) as here, workers.presence(other) as there:
        await here.join(ROOM, "ada")
        await there.join(ROOM, "bob")
        await workers.time.pass_by(25)
        one.is_away = other.is_away = True
        await workers.time.pass_by(15)
        one.is_away = other.is_away = False
        await workers.time.pass_by(60)
        assert await here.members(ROOM) == {"ada": "", "bob": ""}
    assert workers.told == [("joined", "ada"), ("joined", "bob")]


async def test_nobody_is_lost_though_the_engine_was_away_for_longer_than_leases_last(workers: Workers) -> None:
    one, other = Faulty(workers.store), Faulty(workers.store)
    async with workers.watched(), workers.presence(one) as here, workers.presence(other) as there:
        names = [f"member {number}" for number in range(40)]
        for number, name in enumerate(names):
            await (here if number % 2 else there).join(ROOM, name)
        one.is_away = other.is_away = True
        await workers.time.pass_by(TTL * 3)
        one.is_away = other.is_away = False
        await workers.time.pass_by(60)
        assert [*await here.members(ROOM)] == names
    assert workers.told == [("joined", name) for name in names]


class Silent(MemoryBackplane):
    """An engine that stands still for a while, and answers later what it was asked meanwhile."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store)
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def renew_lease(self, name: str, value: bytes, fence: int, ttl: float) -> bool:
        await self.goes_on.wait()
        return await super().renew_lease(name, value, fence, ttl)

    async def holder(self, name: str) -> Any:
        await self.goes_on.wait()
        return await super().holder(name)


@pytest.mark.parametrize("first", [0, 1])
async def test_nobody_is_lost_because_the_engine_stood_still_for_longer_than_leases_last(
    workers: Workers, first: int
) -> None:
    """Whoever asks for the others meanwhile is told that their leases have expired, and does not believe it."""
    lines = [Silent(workers.store), Silent(workers.store)]
    async with workers.watched(), workers.presence(lines[0]) as here:
        await workers.time.pass_by(EVERY / 2)
        async with workers.presence(lines[1]) as there:
            await here.join(ROOM, "ada")
            await there.join(ROOM, "bob")
            await workers.time.pass_by(25)
            for line in lines:
                line.goes_on.clear()
            await workers.time.pass_by(TTL + 2)
            for line in (lines[first], lines[1 - first]):
                line.goes_on.set()
                await settle()
            await workers.time.pass_by(TTL * 2)
            assert sorted(await here.members(ROOM)) == ["ada", "bob"]
    assert workers.told == [("joined", "ada"), ("joined", "bob")]


async def test_nobody_is_lost_because_a_worker_begins_when_the_engine_has_just_come_back(workers: Workers) -> None:
    """It is there before the others are, whose leases have expired meanwhile."""
    line = Faulty(workers.store)
    async with workers.watched(), workers.presence(line) as here:
        await here.join(ROOM, "ada")
        line.is_away = True
        await workers.time.pass_by(TTL * 2)
        async with workers.presence() as later:
            assert await later.members(ROOM) == {"ada": ""}
            line.is_away = False
            await workers.time.pass_by(TTL * 2)
            assert await later.members(ROOM) == {"ada": ""}
    assert workers.told == [("joined", "ada")]


async def test_an_engine_that_has_forgotten_everything_is_told_anew(workers: Workers) -> None:
    async with workers.presence() as here, workers.presence() as there:
        await here.join(ROOM, "ada")
        await there.join(ROOM, "bob")
        workers.store.lose()
        await workers.time.pass_by(EVERY + 1)
        assert sorted(await here.members(ROOM)) == ["ada", "bob"]
        await workers.time.pass_by(TTL * 2)
        assert sorted(await here.members(ROOM)) == ["ada", "bob"]


async def test_a_goodbye_that_failed_is_said_again(workers: Workers) -> None:
    backplane = Faulty(workers.store)
    async with workers.watched(), workers.presence(backplane) as here:
        ada = await here.join(ROOM, "ada")
        backplane.is_away = True
        with pytest.raises(BackplaneUnavailable):
            await ada.leave()
        backplane.is_away = False
        await workers.time.pass_by(EVERY + 1)
    assert workers.told == [("joined", "ada"), ("left", "ada")]


async def test_a_joining_of_which_nothing_is_known_is_one_once_it_is_tried_again(workers: Workers) -> None:
    backplane = Faulty(workers.store)
    async with workers.watched(), workers.presence(backplane) as here:
        await here.join(ROOM, "bob")
        backplane.is_unheard = True
        for member in ("ada", "eve"):
            with pytest.raises(BackplaneUnavailable):
                await here.join(ROOM, member)
        backplane.is_unheard = False
        await here.join(ROOM, "ada")
        await workers.time.pass_by(TTL + 1)
        assert await here.members(ROOM) == {"bob": "", "ada": ""}
    assert workers.told == [("joined", "bob"), ("joined", "ada"), ("joined", "eve"), ("lost", "eve")]


async def test_what_a_dead_worker_wrote_and_did_not_tell_is_told_by_the_next_one(workers: Workers) -> None:
    async with workers.watched(), workers.presence() as here:

        async def dies(change: PresenceChange, id: str) -> None:
            raise BackplaneUnavailable("killed here")

        dying = Rooms(MemoryBackplane(workers.store), dies, lambda worker: False, lambda: 0.5)
        with pytest.raises(BackplaneUnavailable):
            await dying.edit(ROOM, lambda roll: roll.put("ada", here._workers.id, ""))
        assert await here.members(ROOM) == {"ada": ""}
    assert workers.told == [("joined", "ada")]


async def test_whoever_gives_up_joining_takes_nobody_along(workers: Workers) -> None:
    async with workers.presence() as here:
        joining = [asyncio.create_task(here.join(ROOM, name)) for name in ("ada", "bob", "eve")]
        await asyncio.sleep(0)
        joining[0].cancel()
        await asyncio.wait(joining)
        assert [task.cancelled() for task in joining] == [True, False, False]
        assert {"bob", "eve"} <= (await here.members(ROOM)).keys()
        await workers.time.pass_by(TTL + 1)
        assert sorted(await here.members(ROOM)) == ["bob", "eve"]


async def test_changes_may_be_told_otherwise(workers: Workers) -> None:
    told: dict[str, PresenceChange] = {}

    async def tell(change: PresenceChange, id: str) -> None:
        told[id] = change

    backplane = MemoryBackplane(workers.store)
    async with Presence(backplane, tell=tell) as here:
        await (await here.join(ROOM, "ada", "Countess")).leave()
    assert [*told.values()] == [
        PresenceChange("joined", ROOM, "ada", "Countess"),
        PresenceChange("left", ROOM, "ada", "Countess"),
    ]


async def test_a_room_that_is_full_says_so_and_goes_on() -> None:
    async with Presence(MemoryBackplane(bounds=Bounds(event_bytes=400))) as here:
        await here.join(ROOM, "ada")
        with pytest.raises(ValueError, match=r"the room 'room 7' has 2 members, which is more than fit into a value"):
            await here.join(ROOM, "x" * 400)
        await here.join(ROOM, "bob")
        assert await here.members(ROOM) == {"ada": "", "bob": ""}


def test_a_refresh_that_is_too_rare_is_refused() -> None:
    with pytest.raises(ValueError, match=r"every=11\.0 has to be more than 0, and a third of ttl=30\.0 at most"):
        Presence(MemoryBackplane(), every=11.0)
