"""Leases of a worker that are kept, what is led under one, and values that only the owner writes."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from capnweb_runtime.errors import BackplaneUnavailable
from capnweb_runtime.scale import Backplane, Cluster, FencedStore, Lease, LeaseLost, MemoryBackplane, MemoryStore
from capnweb_runtime.scale.cluster.renewals import Renewals
from tests.placed.workers import until
from tests.runtime.scale.engines import Engine


@pytest_asyncio.fixture
async def renewals() -> AsyncIterator[Renewals]:
    kept = Renewals(0.5)
    yield kept
    await kept.close()


# ---- renewing


async def test_leases_are_held_for_as_long_as_they_are_kept(renewals: Renewals) -> None:
    backplane, lost = MemoryBackplane(), []
    leases = [await backplane.acquire(f"{number}", b"", 0.5) for number in range(200)]
    for lease in leases:
        assert lease is not None
        renewals.add(lease, lambda: lost.append(1))
    until_then = time.monotonic() + 1.2
    await until(lambda: time.monotonic() >= until_then)
    assert all(lease is not None and lease.held for lease in leases)
    assert not lost
    assert len(renewals) == 200


class Slow:
    """A lease whose engine takes its time."""

    running = 0
    most = 0

    def __init__(self, times: list[float]) -> None:
        self.name = "slow"
        self.fence = 1
        self.held = True
        self.lost = asyncio.Event()
        self.times = times
        self.fails = 0

    async def renew(self) -> bool:
        self.times.append(time.monotonic())
        if self.fails:
            self.fails -= 1
            raise BackplaneUnavailable("not now")
        Slow.running += 1
        Slow.most = max(Slow.most, Slow.running)
        await asyncio.sleep(0.001)
        Slow.running -= 1
        return True

    async def release(self) -> None:
        self.held = False


async def test_renewals_are_spread_and_few_at_a_time() -> None:
    times: list[float] = []
    begun = time.monotonic()
    kept = Renewals(0.5, chance=random.Random(1).random)
    for _ in range(300):
        kept.add(Slow(times), lambda: None)
    await until(lambda: len(times) >= 300)
    await kept.close()
    assert Slow.most <= 32
    first = sorted(times)[:300]
    assert first[0] - begun >= 0.5 / 3 * 0.6 - 0.01
    assert len({round(one - begun, 2) for one in first}) >= 2, "not all at once"


async def test_what_could_not_be_renewed_is_tried_again_soon(
    renewals: Renewals, caplog: pytest.LogCaptureFixture
) -> None:
    times: list[float] = []
    lease = Slow(times)
    lease.fails = 2
    renewals.add(lease, lambda: None)
    await until(lambda: len(times) >= 3)
    assert "the lease 'slow' could not be renewed, and is tried again: not now" in caplog.text


async def test_who_has_lost_a_lease_is_told_once_whatever_another_does(
    renewals: Renewals, caplog: pytest.LogCaptureFixture
) -> None:
    store, told = MemoryStore(), []
    backplane = MemoryBackplane(store)

    def fails() -> None:
        told.append("fails")
        raise OSError

    for on_lost in (fails, lambda: told.append("told")):
        lease = await backplane.acquire(str(on_lost), b"", 0.5)
        assert lease is not None
        renewals.add(lease, on_lost)
    store.leases.clear()
    await until(lambda: len(renewals) == 0)
    assert sorted(told) == ["fails", "told"]
    assert "was lost: this process stood still" in caplog.text
    other = await backplane.acquire("other", b"", 0.5)
    assert other is not None
    renewals.add(other, lambda: None)
    renewals.remove(other)
    assert other.held, "it is the caller's to release"


# ---- leading


async def test_one_leads_and_the_next_one_when_it_has_ended(engine: Engine) -> None:
    async with (
        engine.open() as one,
        engine.open() as two,
        Cluster(one, ttl=2.0) as here,
        Cluster(two, ttl=2.0) as there,
    ):
        led: list[str] = []

        async def lead(cluster: Cluster, name: str) -> None:
            async with cluster.leader("billing") as lease:
                led.append(f"{name} begins")
                assert lease.held
                assert cluster.stats().leases == 1
                await asyncio.sleep(0)
                led.append(f"{name} ends")

        async with asyncio.timeout(60):
            await asyncio.gather(lead(here, "here"), lead(there, "there"))
        assert led[0][:4] == led[1][:4] != led[2][:4] == led[3][:4]
        assert (here.stats().leases, there.stats().leases) == (0, 0)
        async with asyncio.timeout(30), here.leader("billing"), there.leader("reports"):
            pass


async def test_who_no_longer_leads_is_stopped() -> None:
    store = MemoryStore()
    async with Cluster(MemoryBackplane(store), ttl=0.5) as cluster:
        leader = cluster.leader("billing")
        leases: list[Lease] = []

        async def lead() -> None:
            async with leader as lease:
                leases.append(lease)
                store.leases.clear()
                await asyncio.Event().wait()

        with pytest.raises(LeaseLost, match="no longer leads 'billing'"):
            await lead()
        assert not leases[0].held
        current = asyncio.current_task()
        assert current is not None
        assert current.cancelling() == 0, "it was not this task that was to end"
        with pytest.raises(RuntimeError, match="leads once"):
            async with leader:
                pass


async def test_a_leader_that_is_cancelled_is_cancelled_and_gives_the_lease_back() -> None:
    store = MemoryStore()
    async with Cluster(MemoryBackplane(store), ttl=5.0) as cluster:
        entered = asyncio.Event()

        async def lead() -> None:
            async with cluster.leader("billing"):
                entered.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(lead())
        await entered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await MemoryBackplane(store).holder("lead/billing") is None


async def test_what_a_leader_raises_is_what_comes_out() -> None:
    store = MemoryStore()
    async with Cluster(MemoryBackplane(store), ttl=0.5) as cluster:

        async def lead() -> None:
            async with cluster.leader("billing"):
                store.leases.clear()
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    raise OSError("of its own") from None

        with pytest.raises(OSError, match="of its own"):
            await lead()


async def test_an_election_waits_for_an_engine_that_is_down(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    backplane = MemoryBackplane()
    acquire: Any = backplane.acquire
    failed: list[str] = []

    async def at_first(name: str, value: bytes, ttl: float) -> Any:
        if not failed:
            failed.append(name)
            raise BackplaneUnavailable("not now")
        return await acquire(name, value, ttl)

    monkeypatch.setattr(backplane, "acquire", at_first)
    async with Cluster(backplane, ttl=0.2) as cluster, asyncio.timeout(30), cluster.leader("billing") as lease:
        assert lease.held
    assert "nobody can be elected to lead 'billing' now" in caplog.text


# ---- values that only the owner writes


async def stores(backplane: Backplane) -> tuple[FencedStore, FencedStore]:
    """Of an owner, and of the one after it."""
    fences = []
    for _ in range(2):
        lease = await backplane.acquire("own/Room/7", b"", 60)
        assert lease is not None
        fences.append(lease.fence)
        await lease.release()
    return FencedStore(backplane, fences[0]), FencedStore(backplane, fences[1])


async def test_who_has_been_succeeded_cannot_write(engine: Engine) -> None:
    async with engine.open() as backplane:
        before, after = await stores(backplane)
        assert await before.load("room") is None
        await before.save("room", b"one")
        assert await after.load("room") == b"one"
        with pytest.raises(LeaseLost, match="'room' belongs to a later owner, with fence"):
            await before.save("room", b"stale")
        with pytest.raises(LeaseLost):
            await before.load("room")
        assert await after.load("room") == b"one"
        await after.save("room", None)
        with pytest.raises(LeaseLost):
            await before.save("room", b"stale, of what is not there")
        assert await after.load("room") is None


async def test_taking_over_what_is_not_there_yet_counts(engine: Engine) -> None:
    async with engine.open() as backplane:
        before, after = await stores(backplane)
        assert await after.load("new") is None
        with pytest.raises(LeaseLost):
            await before.save("new", b"stale")


async def test_writes_at_once_are_made_in_their_order(engine: Engine) -> None:
    async with engine.open() as backplane:
        before, store = await stores(backplane)
        for one in (before, store):
            await asyncio.gather(*(one.save("room", b"%d" % number) for number in range(10)))
            assert await one.load("room") == b"9"
        await store.save("room", b"")
        assert await store.load("room") == b""


async def test_a_write_of_which_the_outcome_is_not_known_stands_in_the_way_of_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backplane = MemoryBackplane()
    _, store = await stores(backplane)
    await store.save("room", b"one")
    put: Any = backplane.put

    async def unknown(*args: Any, **kwargs: Any) -> int:
        await put(*args, **kwargs)
        raise BackplaneUnavailable("it may have been written")

    monkeypatch.setattr(backplane, "put", unknown)
    with pytest.raises(BackplaneUnavailable):
        await store.save("room", b"two")
    monkeypatch.undo()
    await store.save("room", b"three")
    assert await store.load("room") == b"three"


async def test_a_value_that_is_known_is_written_in_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    backplane = MemoryBackplane()
    _, store = await stores(backplane)
    assert await store.load("room") is None

    async def never(key: str) -> None:
        raise AssertionError("there is nothing to read")

    monkeypatch.setattr(backplane, "get", never)
    await store.save("room", b"one")
    await store.save("room", b"two")


async def test_a_value_of_another_kind_is_left_alone(engine: Engine) -> None:
    async with engine.open() as backplane:
        await backplane.put("motd", b"hi")
        with pytest.raises(ValueError, match="'motd' was not written by a FencedStore"):
            await FencedStore(backplane, 1).load("motd")
