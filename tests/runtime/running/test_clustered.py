"""`serve --cluster`: workers that reach each other's objects."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from capnweb_runtime import Disconnected, Reconnect, RpcError, SessionError, connect
from capnweb_runtime.running.clustered import clustered, secret_in
from capnweb_runtime.running.failures import Failed
from capnweb_runtime.scale import MemoryBackplane, MemoryStore
from capnweb_runtime.worker import Worker
from tests.placed.generated.rooms import FrontStub
from tests.runtime.running.program import failed, program
from tests.runtime.scale.conftest import CURRENT
from tests.runtime.scale.servers import Server

APP = """
import os
from tests.placed.generated.rooms import RoomStub
from tests.placed.service import Front, rooms

def fronts(worker):
    name = str(os.getpid())
    worker.cluster.register(RoomStub, rooms([], name))
    return lambda peer: Front(worker.cluster, name)
"""


@pytest.fixture(params=CURRENT)
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(f"{request.param}_server")
    return found


async def test_an_object_has_one_owner_whichever_worker_is_asked_and_another_one_after_a_restart(
    tmp_path: Path, server: Server
) -> None:
    shared = ("--backplane", server.url, "--backplane-name", tmp_path.name, "--cluster", "127.0.0.1:0")
    async with program(tmp_path, "app:fronts", "--workers", "2", *shared, app=APP) as running:
        async with AsyncExitStack() as held:
            fronts = dict[str, FrontStub]()
            while len(fronts) < 2:
                front = await held.enter_async_context(connect(running.url, FrontStub))
                fronts[await front.worker()] = front
            here, there = fronts.values()
            assert await here.room("7").add("hello") == 1
            assert await there.room("7").add("hi") == 2
            assert await there.room("7").worker() == await here.room("7").worker() in fronts
        running.process.send_signal(signal.SIGHUP)
        async with connect(running.url, FrontStub, reconnect=Reconnect()) as front:
            while await told(front.worker) in fronts or await told(lambda: front.room("7").worker()) in fronts:
                pass
            assert [line.text for line in await front.room("7").lines()] == ["hello", "hi"]


async def told(question: Callable[[], Awaitable[str]]) -> str:
    """The answer; asked again where who was asked has just left, or given the room up."""
    while True:
        try:
            return await question()
        except (Disconnected, RpcError, SessionError):
            continue


class TestWhereWorkersListen:
    async def test_the_first_port_of_some_that_is_free(self, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.write_text("s" * 32 + "\n")
        store = MemoryStore()
        async with clustered(MemoryBackplane(store), "127.0.0.1:0", str(secret)) as first:
            port = int(first.url.rpartition(":")[2].partition("/")[0])
            place = f"127.0.0.1:{port}-{port + 20}"
            async with clustered(MemoryBackplane(store), place, str(secret)) as second:
                other = int(second.url.rpartition(":")[2].partition("/")[0])
                assert port < other <= port + 20
            with pytest.raises(Failed, match=f"finds no port that is free among 127.0.0.1:{port}-{port}: there have"):
                async with clustered(MemoryBackplane(store), f"127.0.0.1:{port}-{port}", str(secret)):
                    raise AssertionError("the port is taken")
            with pytest.raises(Failed, match=f"cannot listen at 127.0.0.1:{port}: "):
                async with clustered(MemoryBackplane(store), f"127.0.0.1:{port}", str(secret)):
                    raise AssertionError("the port is taken")

    @pytest.mark.parametrize(
        ("options", "code", "said"),
        [
            (["--cluster", "127.0.0.1:0"], 2, "--cluster needs --backplane, by which workers find each other"),
            (["--backplane", "memory:", "--cluster", "0.0.0.0:0"], 2, "is every address of this machine"),
            (
                ["--backplane", "memory:", "--cluster", "10.0.0.1:0"],
                2,
                "The secret stands in CAPNWEB_CLUSTER_SECRET, or",
            ),
            (["--backplane", "memory:", "--cluster", "nonsense"], 2, "listen='nonsense' is no address"),
            (["--backplane", "memory:"], 1, "this worker is in no cluster: serve it with --cluster 127.0.0.1:0"),
        ],
    )
    async def test_nowhere(self, tmp_path: Path, options: list[str], code: int, said: str) -> None:
        ended_with, line = await failed(tmp_path, "app:fronts", *options, app=APP)
        assert (ended_with, said in line) == (code, True), line

    def test_a_secret_that_cannot_be_read(self, tmp_path: Path) -> None:
        with pytest.raises(Failed, match=r"cannot read .*nothing: No such file or directory"):
            secret_in(str(tmp_path / "nothing"))
        (tmp_path / "binary").write_bytes(b"\xff\xfe")
        with pytest.raises(Failed, match=r"cannot read .*binary: it is no text"):
            secret_in(str(tmp_path / "binary"))

    def test_that_of_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(os.environ, "CAPNWEB_CLUSTER_SECRET", "x" * 32)
        assert secret_in(None) == "x" * 32


async def test_a_worker_without_a_cluster_says_how_to_have_one() -> None:
    async with MemoryBackplane() as backplane:
        with pytest.raises(RuntimeError, match="or give Worker"):
            _ = Worker(backplane).cluster
