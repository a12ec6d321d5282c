"""Objects with one owner, in workers that are in one process and talk over sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from contextvars import ContextVar
from typing import Any, assert_type

import pytest
import pytest_asyncio

from capnweb_runtime import (
    CallInfo,
    Disconnected,
    GoingAway,
    Proceed,
    Reconnect,
    RpcError,
    RpcTarget,
    SessionClosed,
    connect,
    deadline,
    time_left,
)
from capnweb_runtime.errors import BackplaneUnavailable
from capnweb_runtime.scale import Cluster, MemoryBackplane, Ownership
from capnweb_runtime.scale.cluster.owner import Key
from tests.placed.generated.rooms import FrontStub, RoomStub, SeatStub
from tests.placed.schema.rooms import Full
from tests.placed.service import Front
from tests.placed.workers import SECRET, Worker, Workers, until


@pytest_asyncio.fixture
async def workers() -> AsyncIterator[Workers]:
    async with AsyncExitStack() as stack:
        workers = Workers(stack)
        yield workers
        workers.let_go()


async def owner_and_other(workers: Workers, **settings: Any) -> tuple[Worker, Worker]:
    """Two workers, the first of which owns room 7."""
    a, b = await workers.one("a", **settings), await workers.one("b", **settings)
    (await a.cluster.get(RoomStub, "7")).dispose()
    return a, b


# ---- where objects are


async def test_who_is_asked_first_owns_it_and_all_others_reach_it(workers: Workers) -> None:
    a, b = await workers.one("a"), await workers.one("b")
    here = await a.cluster.get(RoomStub, "7")
    assert_type(here, RoomStub)
    there = await b.cluster.get(RoomStub, "7")
    assert await here.worker() == "a"
    assert await there.worker() == "a"
    assert await there.add("one") == 1
    assert await here.add("two") == 2
    assert [line.text for line in await there.lines()] == ["one", "two"]
    assert (len(a.made), len(b.made)) == (1, 0)
    here.dispose()
    there.dispose()
    await workers.all_is_given_back()


async def test_of_many_who_ask_at_once_one_makes_it(workers: Workers) -> None:
    three = [await workers.one(name) for name in "abc"]
    got = await asyncio.gather(*(worker.cluster.get(RoomStub, "7") for worker in three for _ in range(10)))
    assert sum(len(worker.made) for worker in three) == 1
    assert len({await room.worker() for room in got}) == 1
    assert sorted(await asyncio.gather(*(room.add("x") for room in got))) == [*range(1, 31)]
    for room in got:
        room.dispose()
    await workers.all_is_given_back()


async def test_each_name_is_an_object_of_its_own(workers: Workers) -> None:
    a, b = await owner_and_other(workers)
    with await b.cluster.get(RoomStub, "8") as eight, await b.cluster.get(RoomStub, "7") as seven:
        assert (await eight.worker(), await seven.worker()) == ("b", "a")
    assert [b.cluster.stats().objects, b.cluster.stats().links, a.cluster.stats().guests] == [1, 1, 1]


async def test_a_worker_that_listens_nowhere_owns_for_itself() -> None:
    async with Cluster(MemoryBackplane()) as cluster:
        worker = Worker(cluster, "alone")
        with await cluster.get(RoomStub, "7") as room:
            assert await room.worker() == "alone"
            assert cluster.url == ""
        assert len(worker.made) == 1


async def test_the_object_of_a_worker_that_listens_nowhere_cannot_be_reached(workers: Workers) -> None:
    a = await workers.one("a", listen=None, secret=None)
    b = await workers.one("b", patience=0.1)
    room = await a.cluster.get(RoomStub, "7")
    with pytest.raises(ConnectionError, match=r"could not be got within 0\.1") as caught:
        await b.cluster.get(RoomStub, "7")
    assert "give its Cluster listen=" in str(caught.value.__cause__)
    room.dispose()


async def test_a_lease_that_something_else_has_written_leads_nowhere(workers: Workers) -> None:
    b = await workers.one("b", patience=0.1)
    for value in (b"", b"{}", b"[]", b'{"worker": "x", "url": ""}', b'{"worker": "%032d", "url": "http://x"}' % 1):
        lease = await MemoryBackplane(workers.store).acquire("own/Room/7", value, 60)
        with pytest.raises(ConnectionError) as caught:
            await b.cluster.get(RoomStub, "7")
        assert "something else has written there" in str(caught.value.__cause__)
        assert lease is not None
        await lease.release()


async def test_what_nobody_makes_is_not_to_be_had(workers: Workers) -> None:
    a, _ = await owner_and_other(workers)
    async with Cluster(MemoryBackplane(workers.store), secret=SECRET) as cluster:
        with pytest.raises(LookupError, match=r"nobody has Room/8, and this worker cannot make it: call cluster.reg"):
            await cluster.get(RoomStub, "8")
        with await cluster.get(RoomStub, "7") as room:
            assert await room.worker() == "a", "it can still reach what others have"
    assert len(a.made) == 1


async def test_kinds_are_told_apart_by_their_names(workers: Workers) -> None:
    a = await workers.one("a")
    with pytest.raises(ValueError, match="Room is registered already, for RoomStub"):
        a.cluster.register(RoomStub, lambda owned: Front(a.cluster, "a"))
    with pytest.raises(TypeError, match=r"Room is registered for .*RoomStub, and asked for as .*SeatStub"):
        await a.cluster.get(SeatStub, "7", kind="Room")
    with pytest.raises(TypeError, match="no generated stub class"):
        a.cluster.register(RpcTarget, lambda owned: Front(a.cluster, "a"), kind="")  # type: ignore[arg-type]
    a.cluster.register(FrontStub, lambda owned: Front(a.cluster, owned.name), kind="Entrance")
    with await a.cluster.get(FrontStub, "north", kind="Entrance") as front:
        assert await front.worker() == "north"


async def test_a_name_has_a_bound(workers: Workers) -> None:
    a = await workers.one("a")
    with pytest.raises(ValueError, match="150"):
        await a.cluster.get(RoomStub, "x" * 150)


async def test_a_cluster_is_entered_once_and_before_it_is_used() -> None:
    cluster = Cluster(MemoryBackplane())
    with pytest.raises(RuntimeError, match="has not been entered"):
        await cluster.get(RoomStub, "7")
    async with cluster:
        pass
    with pytest.raises(RuntimeError, match="entered once"):
        async with cluster:
            pass
    with pytest.raises(GoingAway, match="shutting down"):
        await cluster.get(RoomStub, "7")


# ---- making objects


async def test_a_factory_that_fails_gives_the_lease_back(workers: Workers) -> None:
    a = await workers.one("a")
    fails = [OSError("no disk"), None]

    async def make(owned: Ownership) -> Front:
        error = fails.pop(0)
        if error is not None:
            raise error
        return Front(a.cluster, f"{owned.kind} {owned.name} {owned.fence == owned.lease.fence}")

    a.cluster.register(FrontStub, make)
    with pytest.raises(OSError, match="no disk"):
        await a.cluster.get(FrontStub, "x")
    assert a.cluster.stats().leases == 0
    assert await a.cluster._backplane.holder("own/Front/x") is None
    with await a.cluster.get(FrontStub, "x") as front:
        assert await front.worker() == "Front x True"


async def test_a_factory_has_to_make_what_was_registered(workers: Workers) -> None:
    a = await workers.one("a")
    a.cluster.register(SeatStub, lambda owned: Front(a.cluster, "a"))
    a.cluster.register(FrontStub, lambda owned: "a front")  # type: ignore[arg-type, return-value]  # that is the test
    with pytest.raises(TypeError, match="factory of Seat/x returned a Front, which is no SeatTarget"):
        await a.cluster.get(SeatStub, "x")
    with pytest.raises(TypeError, match="factory of Front/x has to return a FrontTarget, not str"):
        await a.cluster.get(FrontStub, "x")


async def test_who_gives_up_leaves_the_object_to_the_others(workers: Workers) -> None:
    a = await workers.one("a")
    go = asyncio.Event()

    async def make(owned: Ownership) -> Front:
        await go.wait()
        return Front(a.cluster, "made")

    a.cluster.register(FrontStub, make)
    with deadline(0.01), pytest.raises(TimeoutError):
        await a.cluster.get(FrontStub, "x")
    first = asyncio.create_task(a.cluster.get(FrontStub, "x"))
    second = asyncio.create_task(a.cluster.get(FrontStub, "x"))
    await asyncio.sleep(0)
    first.cancel()
    go.set()
    with await second as front:
        assert await front.worker() == "made"


async def test_an_object_sees_nothing_of_who_asks_for_it(workers: Workers) -> None:
    """Neither their Context, in which it may stand whom they serve, nor their deadline."""
    serving: ContextVar[str] = ContextVar("serving", default="nobody")
    seen: list[object] = []
    a = await workers.one("a")

    async def make(owned: Ownership) -> Front:
        seen.extend((serving.get(), time_left()))
        return Front(a.cluster, "a")

    a.cluster.register(FrontStub, make)
    serving.set("Ada")
    with deadline(60):
        (await a.cluster.get(FrontStub, "x")).dispose()
    assert seen == ["nobody", None]


async def test_an_engine_that_does_not_answer_is_said(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    a = await workers.one("a")

    async def fail(name: str) -> None:
        raise BackplaneUnavailable("Redis did not answer")

    monkeypatch.setattr(a.cluster._backplane, "holder", fail)
    with pytest.raises(BackplaneUnavailable):
        await a.cluster.get(RoomStub, "7")


# ---- what goes through


async def test_a_client_pipelines_through_its_worker_to_the_owner(workers: Workers) -> None:
    _, b = await owner_and_other(workers)
    front = await workers.client(b)
    room = front.room("7")
    assert await room.add("first") == 1
    with room.sit("Ada") as seat:
        line = await seat.say("hello")  # three calls, none of which has waited for another
        assert (line.number, line.text) == (2, "hello")
    found = await front.room("7").lines().map(lambda line: line.text)
    assert found == ["first", "Ada: hello"]
    room.dispose()
    await workers.all_is_given_back()


async def test_a_pipeline_is_one_round_trip_for_the_client(workers: Workers) -> None:
    _, b = await owner_and_other(workers)
    front = await workers.client(b)
    assert await front.worker() == "b"
    assert b.server is not None
    (served,) = b.server._admission.connections
    before = served.stats().messages_received
    with front.room("7") as room, room.sit("Ada") as seat, seat.say("hello") as said:
        assert (await said).number == 1
    assert served.stats().messages_received - before <= 8, "3 pushes, a pull and 4 releases"


async def test_a_callback_of_a_client_is_called_by_the_owner(workers: Workers) -> None:
    a, b = await owner_and_other(workers)
    front = await workers.client(b)
    seen: list[str] = []

    def on_line(text: str) -> int:
        seen.append(text)
        return len(text)

    with await front.room("7") as room:
        await room.add("one")
        assert await room.watch(on_line) == 3
        assert await room.add("two") == 2
        assert seen == ["one", "two"]
    for watcher in a.made[0]._watchers:
        watcher.dispose()
    await workers.all_is_given_back()


async def test_streams_go_both_ways(workers: Workers) -> None:
    _, b = await owner_and_other(workers)
    front = await workers.client(b)
    with await front.room("7") as room:
        async with await room.record() as record:
            for number in range(50):
                await record.write(f"line {number}")
        read = [line.text async for line in room.history()]
    assert read == [f"line {number}" for number in range(50)]
    await workers.all_is_given_back()


async def test_declared_errors_arrive_as_what_they_are(workers: Workers) -> None:
    _, b = await owner_and_other(workers)
    front = await workers.client(b)
    for room in (await b.cluster.get(RoomStub, "7"), await front.room("7")):
        with await room.sit("Ada"), await room.sit("Bob"):
            with pytest.raises(Full) as caught:
                await room.sit("Cid")
            assert caught.value.seats == 2
        room.dispose()


async def test_a_deadline_goes_on_to_the_owner(workers: Workers) -> None:
    a, b = await owner_and_other(workers)
    for worker in (a, b):
        front = await workers.client(worker)
        with await front.room("7") as room:
            assert await room.time_left() is None
            with deadline(30):
                left = await room.time_left()
            assert left is not None
            assert 0 < left <= 30
            a.made[0].entered.clear()
            with deadline(0.05), pytest.raises(TimeoutError):
                await room.wait("for ever")


async def test_a_call_that_is_given_up_is_cancelled_at_the_owner(workers: Workers) -> None:
    a, b = await owner_and_other(workers)
    front = await workers.client(b)
    with await front.room("7") as room:
        nap = room.nap()
        waiting = asyncio.ensure_future(asyncio.wait_for(nap, 60))
        await a.made[0].entered.wait()
        nap.dispose()
        with pytest.raises(RpcError, match="disposed"):
            await waiting
        await until(lambda: a.made[0].cancelled)


async def test_what_calls_carry_passes_interceptors_between_workers(workers: Workers) -> None:
    seen: list[tuple[bool, str, str | None]] = []

    async def telling(call: CallInfo, proceed: Proceed) -> Any:
        if not call.served:
            call.carry("principal", "ada")
        elif call.interface == "Room":
            seen.append((call.served, call.name, call.metadata.get("principal")))
        return await proceed(call)

    _, b = await owner_and_other(workers, interceptors=[telling])
    with await b.cluster.get(RoomStub, "7") as room:
        assert await room.worker() == "a"
    assert seen == [(True, "Room.worker", "ada")]


async def test_a_stub_comes_home_as_the_object(workers: Workers) -> None:
    """It may be passed on to a third worker, and calls still reach the owner."""
    a, b = await owner_and_other(workers)
    c = await workers.one("c")
    front_of_b = await workers.client(b)
    c.cluster.register(FrontStub, lambda owned: Front(b.cluster, "through b"))
    mine, relay = await c.cluster.get(FrontStub, "x"), await a.cluster.get(FrontStub, "x")
    with await relay.room("7") as room, await front_of_b.room("7") as other:
        assert await room.add("from afar") == 1
        assert await other.add("from b") == 2
    mine.dispose()
    relay.dispose()
    await workers.all_is_given_back()
    assert len(a.made) == 1


# ---- an owner that is gone


async def test_an_owner_that_is_gone_breaks_the_stub_and_says_what_may_have_run(workers: Workers) -> None:
    a, b = await owner_and_other(workers, ttl=2.0)
    front = await workers.client(b)
    relayed = await front.room("7")
    room = await b.cluster.get(RoomStub, "7")
    await room.add("kept")
    broken: list[BaseException] = []
    room.on_broken(broken.append)
    pending = asyncio.ensure_future(room.wait("for ever"))
    client_pending = asyncio.ensure_future(relayed.wait("for ever"))
    again = asyncio.ensure_future(room.worker())
    assert await again == "a"
    await a.made[0].entered.wait()
    a.crash()
    with pytest.raises(Disconnected, match="may have been carried out") as caught:
        await pending
    assert caught.value.sent
    with pytest.raises(RpcError, match="may have been carried out"):
        await client_pending
    assert len(broken) == 1
    with pytest.raises(Disconnected, match="has not been sent") as refused:
        await room.add("lost")
    assert not refused.value.sent
    room.dispose()
    async with asyncio.timeout(30):
        with await b.cluster.get(RoomStub, "7") as after:
            assert await after.worker() == "b"
            assert [line.text for line in await after.lines()] == ["kept"]
        assert await front.room("7").worker() == "b"


async def test_a_worker_that_leaves_hands_over_at_once(workers: Workers) -> None:
    b = await workers.one("b", ttl=600)
    async with Cluster(MemoryBackplane(workers.store), listen="127.0.0.1:0", secret=SECRET, ttl=600) as cluster:
        a = Worker(cluster, "a")
        room = await b.cluster.get(RoomStub, "8")
        await (mine := await cluster.get(RoomStub, "7")).add("kept")
        there = await b.cluster.get(RoomStub, "7")
        assert await there.worker() == "a"
    assert a.made[0].disposed
    with pytest.raises(Disconnected):
        await mine.add("lost")
    mine.dispose()
    there.dispose()
    async with asyncio.timeout(30):
        with await b.cluster.get(RoomStub, "7") as after:
            assert await after.worker() == "b"
            assert [line.text for line in await after.lines()] == ["kept"]
    room.dispose()


async def test_calls_in_progress_end_before_a_worker_leaves(workers: Workers) -> None:
    a, b = await owner_and_other(workers)
    room, here = await b.cluster.get(RoomStub, "7"), await a.cluster.get(RoomStub, "7")
    waits = [asyncio.ensure_future(room.wait("there")), asyncio.ensure_future(here.wait("here"))]
    await a.made[0].entered.wait()
    await until(lambda: {"there", "here"} <= a.made[0].waiting.keys())  # both have arrived
    draining = asyncio.ensure_future(a.cluster.drain(30))
    await asyncio.sleep(0)
    for waiting in list(a.made[0].waiting.values()):
        waiting.set()
    assert await asyncio.gather(*waits) == ["there", "here"]
    await draining
    assert a.made[0].disposed
    assert a.cluster.stats()[:4] == (0, 0, 0, 0)
    room.dispose()
    here.dispose()


async def test_calls_that_take_too_long_are_not_waited_for(workers: Workers) -> None:
    a, _ = await owner_and_other(workers)
    here = await a.cluster.get(RoomStub, "7")
    wait = asyncio.ensure_future(here.wait("for ever"))
    await a.made[0].entered.wait()
    await a.cluster.drain(0.01)
    with pytest.raises(RpcError, match="cancelled"):
        await wait
    here.dispose()


# ---- an owner that is out of date


async def test_what_is_lost_ends_everywhere(workers: Workers) -> None:
    a, b = await owner_and_other(workers, ttl=0.5)
    here, there = await a.cluster.get(RoomStub, "7"), await b.cluster.get(RoomStub, "7")
    broken: list[str] = []
    here.on_broken(lambda error: broken.append("here"))
    there.on_broken(lambda error: broken.append("there"))
    seat = await there.sit("Ada")
    workers.store.leases.clear()  # the engine has lost them
    await until(lambda: len(broken) == 2)
    for lost in (here.add("x"), there.add("x"), seat.say("x")):
        with pytest.raises(Disconnected) as caught:
            await lost
        assert not caught.value.sent
    await until(lambda: a.made[0].disposed)
    assert a.cluster.stats().objects == 0
    told: list[BaseException] = []
    here.on_broken(told.append)
    assert len(told) == 1, "at once"
    for stub in (here, there, seat):
        stub.dispose()


async def test_it_is_asked_before_each_call_whether_the_lease_is_held(workers: Workers) -> None:
    """As after a stop, when what has come meanwhile is read before anything else is done."""
    a, b = await owner_and_other(workers)
    there = await b.cluster.get(RoomStub, "7")
    (owned,) = a.cluster._placement.objects.values()
    owned.lease._until = 0.0  # type: ignore[attr-defined]  # its time is over, and nothing has looked yet
    with pytest.raises((Disconnected, RpcError)):
        await there.add("stale")
    assert a.made[0]._texts == []
    there.dispose()
    assert owned.refusal() is not None


async def test_an_object_of_a_stale_owner_is_not_given_out(workers: Workers) -> None:
    a, b = await owner_and_other(workers, ttl=2.0)
    (owned,) = a.cluster._placement.objects.values()
    owned.lease._until = 0.0  # type: ignore[attr-defined]  # as above
    async with asyncio.timeout(30):
        with await b.cluster.get(RoomStub, "7") as room:
            assert await room.fence > owned.lease.fence


async def test_who_asks_under_an_earlier_lease_is_told_to_look_again(workers: Workers) -> None:
    a, _ = await owner_and_other(workers)
    key = Key("Room", "7")
    fence = a.cluster._placement.objects[key].lease.fence
    assert (await a.cluster._placement.find(key, fence)).key == key
    for asked in (fence - 1, fence + 1):
        with pytest.raises(LookupError, match="Room/7 is not here, or no longer"):
            await a.cluster._placement.find(key, asked)


# ---- objects that nobody uses


async def test_an_object_that_nobody_uses_is_released(workers: Workers) -> None:
    a, b = await owner_and_other(workers, idle=0.05)
    await until(lambda: a.made[0].disposed and a.cluster.stats()[:2] == (0, 0))
    with await b.cluster.get(RoomStub, "7") as room:
        assert await room.worker() == "b"
        there = await a.cluster.get(RoomStub, "7")
        wait = asyncio.ensure_future(there.wait("go"))
        await b.made[0].entered.wait()
        there.dispose()
    (owned,) = b.cluster._placement.objects.values()
    await until(lambda: owned._shares.count == 1)
    owned._look()
    assert owned.refusal() is None, "a call is in progress"
    b.made[0].waiting["go"].set()
    assert await wait == "go"
    await until(lambda: b.made[0].disposed)
    await workers.all_is_given_back()


async def test_what_an_object_holds_itself_by_is_let_go_once(workers: Workers) -> None:
    a = await workers.one("a", idle=0.01)
    kept: list[Ownership] = []

    def make(owned: Ownership) -> Front:
        kept.append(owned)
        return Front(a.cluster, "a")

    a.cluster.register(FrontStub, make)
    front = await a.cluster.get(FrontStub, "x")
    first, second = kept[0].hold(), kept[0].hold()
    front.dispose()
    first()
    first()
    assert a.cluster._placement.objects, "held by the second"
    second()
    await until(lambda: a.cluster.stats().objects == 0)
    with await a.cluster.get(FrontStub, "x"):
        assert len(kept) == 2


async def test_who_has_given_a_stub_back_is_not_told_that_it_broke(workers: Workers) -> None:
    a, _ = await owner_and_other(workers)
    told: list[str] = []
    given_back, kept = await a.cluster.get(RoomStub, "7"), await a.cluster.get(RoomStub, "7")
    given_back.on_broken(lambda error: told.append("given back"))
    kept.on_broken(lambda error: told.append("kept"))

    def fails(error: BaseException) -> None:
        raise OSError

    kept.on_broken(fails)
    kept.on_broken(lambda error: told.append("also kept"))
    given_back.dispose()
    await a.cluster.drain()
    assert told == ["kept", "also kept"]
    kept.dispose()


async def test_leaving_waits_for_no_factory_and_no_disposer_for_ever(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    a = await workers.one("a")

    class Slow(Front):
        async def dispose(self) -> None:
            await asyncio.Event().wait()

    async def never(owned: Ownership) -> Front:
        if owned.name == "slow":
            return Slow(a.cluster, "a")
        await asyncio.Event().wait()
        raise AssertionError

    a.cluster.register(FrontStub, never)
    front = await a.cluster.get(FrontStub, "slow")
    making = asyncio.ensure_future(a.cluster.get(FrontStub, "never"))
    await until(lambda: a.cluster.stats().leases == 2)
    async with asyncio.timeout(30):
        await a.cluster.drain(0.01)
    with pytest.raises(SessionClosed):
        await making
    assert "Front/slow was not disposed in time" in caplog.text
    assert await a.cluster._backplane.holder("own/Front/slow") is None
    assert await a.cluster._backplane.holder("own/Front/never") is None
    front.dispose()


async def test_a_disposer_that_fails_is_reported_and_the_lease_given_back(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    a = await workers.one("a")

    class Failing(Front):
        def dispose(self) -> None:
            raise OSError("no disk")

    a.cluster.register(FrontStub, lambda owned: Failing(a.cluster, "a"))
    (await a.cluster.get(FrontStub, "x")).dispose()
    await a.cluster.drain()
    assert "Failing.dispose" in caplog.text
    assert await a.cluster._backplane.holder("own/Front/x") is None


async def test_a_client_that_reconnects_gets_its_object_again_on_another_worker(workers: Workers) -> None:
    a, b = await owner_and_other(workers, ttl=2.0)
    for worker in (a, b):
        await workers.client(worker)
    assert a.server is not None
    assert b.server is not None
    policy = Reconnect(sleep=lambda seconds: asyncio.sleep(0))
    async with connect([a.server.url, b.server.url], FrontStub, reconnect=policy) as front:
        room = await front.room("7")
        assert await room.worker() == "a"
        a.crash()
        async with asyncio.timeout(30):
            assert await room.worker() == "b"
        room.dispose()
