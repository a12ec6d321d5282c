"""Leases, with every engine: one holder at a time, and numbers that grow."""

from __future__ import annotations

import asyncio
import time

import pytest

from capnweb_runtime.scale import Backplane, Holder, Lease, MemoryBackplane, MemoryStore
from capnweb_runtime.scale.leases import HeldLease
from tests.runtime.scale.engines import Engine


async def acquired(backplane: Backplane, ttl: float = 60.0, name: str = "room/7") -> Lease:
    lease = await backplane.acquire(name, b"10.0.0.1", ttl)
    assert lease is not None
    return lease


async def test_a_lease_has_one_holder(engine: Engine) -> None:
    async with engine.open() as here, engine.open() as there:
        assert await there.holder("room/7") is None
        lease = await acquired(here)
        assert lease.held
        assert await there.acquire("room/7", b"10.0.0.2", 60) is None
        assert await there.holder("room/7") == Holder(b"10.0.0.1", lease.fence)
        assert (await acquired(there, name="room/8")).held


async def test_of_many_who_ask_at_once_one_gets_it(engine: Engine) -> None:
    async with engine.open() as here, engine.open() as there:
        asked = await asyncio.gather(*(one.acquire("room/7", b"", 60) for one in [here, there] * 5))
        assert len([lease for lease in asked if lease is not None]) == 1


async def test_each_holder_has_a_greater_fence(engine: Engine) -> None:
    async with engine.open() as here, engine.open() as there:
        fences = []
        for backplane in (here, there, here, there):
            lease = await acquired(backplane)
            assert await lease.renew()
            fences.append(lease.fence)
            await lease.release()
            assert not lease.held
            assert lease.lost.is_set()
        assert fences == sorted(set(fences))


async def test_a_lease_expires_for_its_holder_first(engine: Engine) -> None:
    async with engine.open() as here, engine.open() as there:
        lease = await acquired(here, ttl=0.3)
        async with asyncio.timeout(30):
            await lease.lost.wait()
            assert not lease.held
            while (after := await there.acquire("room/7", b"", 60)) is None:
                pass
        assert after.fence > lease.fence
        assert not await lease.renew()
        await lease.release()
        assert await here.holder("room/7") == Holder(b"", after.fence), "whose lease is over cannot end another's"


async def test_renewing_keeps_it(engine: Engine) -> None:
    async with engine.open() as here, engine.open() as there:
        lease = await acquired(here, ttl=3.0)  # far longer than a busy machine stands still
        until = time.monotonic() + 3.2
        while time.monotonic() < until:
            assert await lease.renew()
        assert lease.held, "it has been held for longer than it was asked for"
        assert await there.holder("room/7") == Holder(b"10.0.0.1", lease.fence)


async def test_a_holder_that_slept_too_long_does_not_renew(engine: Engine) -> None:
    """By the holder's clock it is over, whatever the engine says."""
    now = [100.0]
    async with engine.open() as there:
        granted = await acquired(there)
        assert isinstance(granted, HeldLease)
        lease = HeldLease(granted._engine, granted.name, b"", granted.fence, 10.0, now[0], lambda: now[0])
        assert lease.held
        now[0] += 9.0
        assert not lease.held
        assert not await lease.renew()


async def test_a_lease_lasts_for_some_time(engine: Engine) -> None:
    async with engine.open() as here:
        for ttl in (0.0, 0.05, 86_401.0, float("nan")):
            with pytest.raises(ValueError, match="is no time for a lease"):
                await here.acquire("room/7", b"", ttl)


async def test_a_late_answer_does_not_lengthen_a_lease() -> None:
    """What is over by the holder's clock while it waits for the answer may have been used by nobody meanwhile."""
    now = [100.0]

    class Slow(MemoryBackplane):
        async def renew_lease(self, name: str, value: bytes, fence: int, ttl: float) -> bool:
            now[0] += 50.0
            return True

    lease = await acquired(Slow(MemoryStore(lambda: now[0])), ttl=10.0)
    assert not await lease.renew()
    assert not lease.held


async def test_fences_in_memory_grow_from_one_life_of_a_process_to_the_next() -> None:
    """What was written under a fence may be in a file."""
    fences = [(await acquired(MemoryBackplane(MemoryStore()))).fence for _ in range(3)]
    assert fences == sorted(set(fences))
    assert fences[0] > 1_700_000_000_000_000, "microseconds"
