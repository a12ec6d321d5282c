"""The port at which workers meet: who is none of ours gets a refusal, and nothing else."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from capnweb_runtime import AnyStub, ConnectionRefused, SessionClosed, connect, serve
from capnweb_runtime.core.interface import Interface, method, param
from capnweb_runtime.objects.any_stub import ANY_VALUE
from capnweb_runtime.objects.target import RpcTarget
from capnweb_runtime.scale import Cluster, MemoryBackplane
from capnweb_runtime.scale.cluster import gate
from capnweb_runtime.scale.cluster.owner import Owner, listen_of
from capnweb_runtime.scale.cluster.proof import Meeting
from tests.placed.generated.rooms import RoomStub
from tests.placed.workers import SECRET, Worker, Workers, until

CERTIFICATE = Path(__file__).parents[1] / "localhost.pem"
ID = "1" * 32
NONCE = "2" * 32
OTHER = "another secret, of somebody else"


@pytest_asyncio.fixture
async def workers() -> AsyncIterator[Workers]:
    async with AsyncExitStack() as stack:
        yield Workers(stack)


async def owning(workers: Workers, **settings: Any) -> Worker:
    a = await workers.one("a", **settings)
    (await a.cluster.get(RoomStub, "7")).dispose()
    return a


class Stranger:
    """A session with a worker's port, of somebody who knows the protocol."""

    def __init__(self, stub: AnyStub, client: Any) -> None:
        self.stub = stub
        self._client = client

    async def is_refused(self, *call: Any) -> None:
        """The call fails, nothing is said but whose port it is, and the session ends."""
        with pytest.raises(Exception, match=r"you are none of them|shut down|ended|closed"):
            await self.stub.call(*call)
        async with asyncio.timeout(30):
            await self._client._connection.wait_closed()


@pytest_asyncio.fixture
async def stranger(workers: Workers) -> AsyncIterator[Stranger]:
    a = await owning(workers)
    client = connect(a.cluster.url, AnyStub)
    async with client as stub:
        yield Stranger(stub, client)
    assert a.cluster.stats().refused == 1
    assert a.cluster.stats().guests == 0
    assert a.cluster._gates._strangers == 0
    assert a.made[0]._texts == []


async def test_nobody_reaches_an_object_before_it_has_said_who_it_is(
    stranger: Stranger, caplog: pytest.LogCaptureFixture
) -> None:
    await stranger.is_refused("get", "Room", "7", 1)
    assert "refused 127.0.0.1:" in caplog.text
    assert "has asked for an object before it has said who it is" in caplog.text


async def test_who_does_not_know_the_secret_is_refused(
    stranger: Stranger, workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    url = workers.all[0].cluster.url
    host, answered = await stranger.stub.call("hello", ID, NONCE)
    await stranger.is_refused("enter", Meeting(url, ID, host, NONCE, answered).proof(OTHER.encode(), "caller"))
    assert "does not know our secret" in caplog.text
    assert "give every worker the same secret=" in caplog.text
    assert SECRET not in caplog.text


async def test_a_proof_of_the_other_side_is_none(stranger: Stranger, workers: Workers) -> None:
    host, answered = await stranger.stub.call("hello", ID, NONCE)
    meeting = Meeting(workers.all[0].cluster.url, ID, host, NONCE, answered)
    await stranger.is_refused("enter", meeting.proof(SECRET.encode(), "host"))


async def test_a_proof_for_another_address_is_none(stranger: Stranger) -> None:
    host, answered = await stranger.stub.call("hello", ID, NONCE)
    meeting = Meeting("ws://127.0.0.1:1/cluster", ID, host, NONCE, answered)
    await stranger.is_refused("enter", meeting.proof(SECRET.encode(), "caller"))


async def test_a_proof_of_another_time_is_none(stranger: Stranger, workers: Workers) -> None:
    url = workers.all[0].cluster.url
    async with connect(url, AnyStub) as earlier:
        host, answered = await earlier.call("hello", ID, NONCE)
        proof = Meeting(url, ID, host, NONCE, answered).proof(SECRET.encode(), "caller")
        assert isinstance(await earlier.call("enter", proof), str)
    await stranger.stub.call("hello", ID, NONCE)
    await stranger.is_refused("enter", proof)


@pytest.mark.parametrize(
    "call",
    [("enter", ""), ("hello", "x", NONCE), ("hello", ID, "x"), ("hello", ID.upper() + "A", NONCE)],
    ids=lambda call: "-".join(call)[:12],
)
async def test_what_is_no_greeting_is_refused(stranger: Stranger, call: tuple[str, ...]) -> None:
    await stranger.is_refused(*call)


async def test_a_greeting_is_said_once(stranger: Stranger) -> None:
    await stranger.stub.call("hello", ID, NONCE)
    await stranger.is_refused("hello", ID, NONCE)


async def test_who_says_nothing_is_refused_in_time(
    workers: Workers, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(gate, "HELLO_SECONDS", 0.05)
    a = await owning(workers)
    client = connect(a.cluster.url, AnyStub)
    async with client:
        assert client._connection is not None
        async with asyncio.timeout(30):
            await client._connection.wait_closed()
    assert "has not said who it is within 0.05 seconds" in caplog.text
    assert a.cluster._gates._strangers == 0


async def test_there_is_room_for_few_who_have_proven_nothing(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "_STRANGERS", 3)
    a = await owning(workers)
    async with AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(connect(a.cluster.url, AnyStub))
        with pytest.raises(SessionClosed, match="503"):
            await connect(a.cluster.url, AnyStub)
    await until(lambda: a.cluster._gates._strangers == 0)
    b = await workers.one("b")
    with await b.cluster.get(RoomStub, "7") as room:
        assert await room.worker() == "a"


async def test_the_log_is_not_filled_by_strangers(
    workers: Workers, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(gate, "_SAY_AGAIN", 3600.0)
    a = await owning(workers)
    for number in range(5):
        if number == 4:
            monkeypatch.setattr(gate, "_SAY_AGAIN", 0.0)
        async with connect(a.cluster.url, AnyStub) as stub:
            with pytest.raises(Exception, match="you are none of them"):
                await stub.call("enter", "")
    lines = [record.getMessage() for record in caplog.records if record.name == "capnweb_runtime.cluster"]
    assert len(lines) == 2
    assert lines[1].endswith("(3 more were refused since the last line)")
    assert a.cluster.stats().refused == 5


# ---- the other side


async def test_a_worker_with_another_secret_is_told_what_to_do(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    await owning(workers)
    b = await workers.one("b", secret=OTHER)
    with pytest.raises(ConnectionRefused, match=r"is not trusted: .*; give every worker the same secret="):
        await b.cluster.get(RoomStub, "7")
    assert [record.levelno for record in caplog.records if record.name == "capnweb_runtime.cluster"] == [
        logging.WARNING,
        logging.WARNING,
    ]


class FakeSpec(Interface):
    hello = method("hello", ANY_VALUE, param("worker", ANY_VALUE), param("nonce", ANY_VALUE))
    enter = method("enter", ANY_VALUE, param("proof", ANY_VALUE))


class Fake(RpcTarget, spec=FakeSpec):
    """What somebody else has put at an address that a lease says."""

    def __init__(self, worker: str, through: AnyStub | None = None) -> None:
        self._worker = worker
        self._through = through

    async def hello(self, worker: str, nonce: str) -> Any:
        if self._through is not None:
            return await self._through.call("hello", worker, nonce)
        return [self._worker, NONCE]

    async def enter(self, proof: str) -> Any:
        if self._through is not None:
            return await self._through.call("enter", proof)
        return "f" * 64


async def held_by(workers: Workers, owner: Owner) -> None:
    assert await MemoryBackplane(workers.store).acquire("own/Room/7", owner.encode(), 60)


async def test_what_cannot_prove_that_it_knows_the_secret_gets_no_call(workers: Workers) -> None:
    b = await workers.one("b")
    async with serve(lambda peer: Fake(ID), "127.0.0.1", 0, path="/cluster") as server:
        await held_by(workers, Owner(ID, server.url))
        with pytest.raises(ConnectionRefused, match="it does not know our secret"):
            await b.cluster.get(RoomStub, "7")


async def test_what_is_no_worker_gets_no_call(workers: Workers) -> None:
    b = await workers.one("b")
    async with serve(lambda peer: Fake(5), "127.0.0.1", 0, path="/cluster") as server:  # type: ignore[arg-type]  # that is the test
        await held_by(workers, Owner(ID, server.url))
        with pytest.raises(ConnectionRefused, match="what answers there is no worker"):
            await b.cluster.get(RoomStub, "7")


async def test_who_stands_between_two_workers_cannot_pass_on_what_they_prove(workers: Workers) -> None:
    a, b = await owning(workers), await workers.one("b")
    workers.store.leases.clear()
    async with (
        connect(a.cluster.url, AnyStub) as through,
        serve(lambda peer: Fake("", through), "127.0.0.1", 0, path="/cluster") as server,
    ):
        await held_by(workers, Owner(a.cluster._worker, server.url))
        with pytest.raises(ConnectionRefused):
            await b.cluster.get(RoomStub, "7")
    assert a.cluster.stats().refused == 1


async def test_a_worker_that_was_started_again_is_not_the_one_that_was_meant(workers: Workers) -> None:
    a = await owning(workers)
    b = await workers.one("b", patience=0.2)
    workers.store.leases.clear()
    await held_by(workers, Owner(ID, a.cluster.url))
    with pytest.raises(ConnectionError, match="could not be got") as caught:
        await b.cluster.get(RoomStub, "7")
    assert "a worker that was started later" in str(caught.value.__cause__)
    workers.store.leases.clear()
    with await b.cluster.get(RoomStub, "7") as room:
        assert await room.worker() == "b"


async def test_an_address_at_which_nobody_answers_is_tried_until_its_lease_is_over(workers: Workers) -> None:
    b = await workers.one("b")
    assert await MemoryBackplane(workers.store).acquire(
        "own/Room/7", Owner(ID, "ws://127.0.0.1:1/cluster").encode(), 0.5
    )
    async with asyncio.timeout(30):
        with await b.cluster.get(RoomStub, "7") as room:
            assert await room.worker() == "b"


# ---- where it listens


@pytest.mark.parametrize("text", ["", "8080", ":8080", "host", "host:x", "host:99999", "unix:"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no address: expected"):
        listen_of(text)


@pytest.mark.parametrize("text", ["127.0.0.1:0", "[::1]:1", "localhost:5", "unix:/a"])
def test_addresses_that_are_this_machines_alone(text: str) -> None:
    assert listen_of(text).is_local
    assert not listen_of("10.0.0.1:1").is_local


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "10.0.0.1:4000", "unix:/run/x.sock"])
def test_a_port_that_everybody_could_use_is_not_opened(listen: str) -> None:
    for context in (None, ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)):
        with pytest.raises(ValueError, match="whoever reaches the port of the workers could call their objects"):
            Cluster(MemoryBackplane(), listen=listen, ssl=context)


def test_a_secret_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ValueError, match="a secret of 15 bytes can be guessed"):
        Cluster(MemoryBackplane(), listen="127.0.0.1:0", secret="x" * 15)


def test_every_address_is_none_to_connect_to() -> None:
    with pytest.raises(ValueError, match="say which with advertise="):
        Cluster(MemoryBackplane(), listen="0.0.0.0:0", secret=SECRET)


async def test_what_can_be_read_on_the_way_is_said(caplog: pytest.LogCaptureFixture) -> None:
    cluster = Cluster(MemoryBackplane(), listen="0.0.0.0:0", advertise="127.0.0.1:0", secret=SECRET)
    async with cluster:
        assert cluster.url.startswith("ws://127.0.0.1:")
    assert "can be read on the way: give ssl=" in caplog.text


async def test_a_file_is_advertised_by_itself(workers: Workers, tmp_path: Path) -> None:
    a = await owning(workers, listen=f"unix:{tmp_path}/a.sock")
    b = await workers.one("b", listen=f"unix:{tmp_path}/b.sock")
    assert a.cluster.url == f"ws+unix://{tmp_path}/a.sock:/cluster"
    with await b.cluster.get(RoomStub, "7") as room:
        assert await room.worker() == "a"
    for listen, advertise in (("127.0.0.1:0", "unix:/x"), ("unix:/x", "127.0.0.1:0")):
        with pytest.raises(ValueError, match="a file is advertised by itself"):
            Cluster(MemoryBackplane(), listen=listen, advertise=advertise, secret=SECRET)


def contexts(*, mutual: bool) -> dict[str, ssl.SSLContext]:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(CERTIFICATE))
    server.load_cert_chain(CERTIFICATE)
    client = ssl.create_default_context(cafile=str(CERTIFICATE))
    if mutual:
        server.verify_mode = ssl.CERT_REQUIRED
        client.load_cert_chain(CERTIFICATE)
    return {"ssl": server, "client_ssl": client}


@pytest.mark.parametrize("mutual", [False, True])
async def test_workers_meet_over_tls(workers: Workers, mutual: bool) -> None:
    settings: dict[str, Any] = {"secret": None if mutual else SECRET, "advertise": "localhost:0"}
    settings |= contexts(mutual=mutual)
    a, b = await owning(workers, **settings), await workers.one("b", **settings)
    assert a.cluster.url.startswith("wss://localhost:")
    with await b.cluster.get(RoomStub, "7") as room:
        assert await room.worker() == "a"


async def test_a_worker_without_a_certificate_is_refused(workers: Workers) -> None:
    settings: dict[str, Any] = {"secret": None, "advertise": "localhost:0"}
    await owning(workers, **settings, **contexts(mutual=True))
    b = await workers.one(
        "b", **{**settings, **contexts(mutual=True), "client_ssl": contexts(mutual=False)["client_ssl"]}, patience=0.2
    )
    with pytest.raises(ConnectionError):
        await b.cluster.get(RoomStub, "7")
