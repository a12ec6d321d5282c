"""SIGHUP: every worker is followed by another one, and clients that come again notice nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from capnweb_gen.cli import main
from capnweb_runtime import Reconnect, connect
from capnweb_runtime.connecting.reconnect import Connected
from capnweb_runtime.errors import SessionError
from capnweb_runtime.scale import Cursor
from tests.needs import needs_redis
from tests.rolling.app import TEXT
from tests.rolling.generated.rooms import RoomStub
from tests.rolling.schema.rooms import Said, Served
from tests.runtime.running.program import ROOT, program, serving
from tests.runtime.running.restarting import ALL, Restarted
from tests.runtime.scale.conftest import CURRENT
from tests.runtime.scale.servers import Server

FOLDER = ROOT / "tests" / "rolling"
AHEAD = 200
"""How much may be said that has not been heard: far less than is kept for those who come again."""
WORKERS = ("--workers", "2", "--drain", "20", "--log-level", "info")


def test_generated_code_is_up_to_date() -> None:
    done = CliRunner().invoke(main, ["check", str(FOLDER / "schema"), "--out", str(FOLDER / "generated")])
    assert done.exit_code == 0, done.output


class Clients:
    """Whoever uses a server while it is restarted.

    Attributes:
        said: what has been said, and answered.
        heard: what has been heard, in that order.
        versions: of the code that answered each.
        failed: what connections failed with.
        connected: how many connections of their own were made.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.said: list[str] = []
        self.heard: list[str] = []
        self.versions: dict[str, int] = {}
        self.failed: list[BaseException] = []
        self.connected = 0
        self._cursor = ""
        self._over = asyncio.Event()
        self._answered = asyncio.Event()

    @asynccontextmanager
    async def at_work(self, *kinds: str) -> AsyncIterator[None]:
        """They go on for as long as the block lasts, and until all that was said has been heard."""
        work = {"caller": self.call, "newcomer": self.come, "batcher": self.post}
        async with connect(self.url, RoomStub, reconnect=self._listening()) as room:
            await room.who()
            async with asyncio.TaskGroup() as group:
                for number, kind in enumerate(kinds):
                    group.create_task(work[kind](f"{kind}-{number}"))
                yield
                self._over.set()
            while len(self.heard) < len(self.said):
                await room.who()

    async def all_new(self, version: int) -> None:
        """Waits until everybody is answered by some version of the code."""
        while not self.versions or {*self.versions.values()} != {version}:
            self._answered.clear()
            await self._answered.wait()

    def answered(self, name: str, served: Served) -> None:
        self.versions[name] = served.version
        self._answered.set()

    def stop(self) -> None:
        """They do not go on."""
        self._over.set()

    async def call(self, name: str) -> None:
        """One who holds a session, and has another when it is lost."""
        async with connect(self.url, RoomStub, reconnect=Reconnect()) as room:
            while not self._over.is_set():
                if len(self.said) > len(self.heard) + AHEAD:
                    self.answered(name, await room.who())
                    continue
                id = f"{name}: {len(self.said)}"
                self.answered(name, await room.say(id))
                self.said.append(id)

    async def come(self, name: str) -> None:
        """One who connects, for one question."""
        while not self._over.is_set():
            try:
                async with connect(self.url, RoomStub) as room:
                    self.connected += 1
                    self.answered(name, await room.who())
            except SessionError as error:
                self.failed.append(error)

    async def post(self, name: str) -> None:
        """The same with a batch; made again if it was sent just as a machine that stood still let the time run out."""
        before: SessionError | None = None
        while not self._over.is_set():
            try:
                async with connect(self.url.replace("ws", "http", 1), RoomStub) as room:
                    self.answered(name, await room.who())
                    self.connected += 1
                    before = None
            except SessionError as error:
                if before is not None:
                    self.failed.append(error)
                before = error

    def _listening(self) -> Reconnect:
        async def subscribe(room: RoomStub, _: Connected) -> None:
            began = await room.listen(self._cursor, self._hear)
            self._cursor = self._cursor or began

        return Reconnect(on_connect=subscribe)

    def _hear(self, said: Said) -> None:
        before, now = Cursor.parse(self._cursor), Cursor.parse(said.cursor)
        if before.epoch != now.epoch or now.offset > before.offset:
            self.heard.append(said.text)
            self._cursor = said.cursor


def rewrite(folder: Path, text: str = TEXT, version: int = 1) -> None:
    (folder / "app.py").write_text(text.replace("VERSION = 1", f"VERSION = {version}"), "utf-8")


@asynccontextmanager
async def restarted(
    folder: Path, *arguments: str, named: str = "app:alone", port: str | None = "0"
) -> AsyncIterator[Restarted]:
    """A server with two workers; it ends well."""
    async with program(folder, named, *WORKERS, *arguments, app=TEXT, port=port) as it, Restarted(it) as server:
        yield server
        assert await server.ends() == 0


@pytest.fixture(params=CURRENT)
def engine(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(f"{request.param}_server")
    return found


async def test_no_call_that_may_be_repeated_and_no_event_is_lost(tmp_path: Path, engine: Server) -> None:
    shared = ("--backplane", engine.url, "--backplane-name", tmp_path.name)
    async with restarted(tmp_path, *shared, named="app:rooms") as server:
        clients = Clients(server.url)
        async with clients.at_work("caller", "caller", "caller", "newcomer", "newcomer", "batcher"):
            await clients.all_new(1)
            for times, version in enumerate((22, 333), 1):
                rewrite(tmp_path, version=version)
                server.hang_up()
                await server.logs(ALL, times)
                await clients.all_new(version)
    assert clients.failed == []
    assert sorted(clients.heard) == sorted(clients.said)
    assert clients.connected > 20


async def test_who_waits_in_the_kernel_is_served_by_the_next_one(tmp_path: Path) -> None:
    """While the old ones cannot accept anybody, and are then told to leave."""
    async with restarted(tmp_path, "--alive", "/healthz") as server:
        old = [process async for process in processes(server.url)]
        for process in old:
            os.kill(process, signal.SIGSTOP)
        while not all(is_stopped(process) for process in old):
            pass
        try:
            asked = [await asyncio.open_connection("127.0.0.1", port_of(server.url)) for _ in range(100)]
            for _, writer in asked:
                writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            server.hang_up()
            await server.logs("another process serves as worker 1, and the one before it leaves")
        finally:
            for process in old:
                os.kill(process, signal.SIGCONT)
        answers = await asyncio.gather(*(reader.read() for reader, _ in asked))
        assert {answer.partition(b"\r\n")[0] for answer in answers} == {b"HTTP/1.1 200 OK"}
        await server.logs(ALL)
        for _, writer in asked:
            writer.close()


def is_stopped(process: int) -> bool:
    return Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()[0] == "T"


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2].strip("/"))


async def processes(url: str) -> AsyncIterator[int]:
    """Those of both workers, once each."""
    found = set[int]()
    while len(found) < 2:
        async with connect(url, RoomStub) as room:
            process = (await room.who()).process
        if process not in found:
            found.add(process)
            yield process


async def test_calls_in_progress_are_answered_by_the_old_code(tmp_path: Path) -> None:
    async with restarted(tmp_path) as server, connect(server.url, RoomStub) as room:
        waiting = asyncio.ensure_future(room.wait())
        assert await server.running.line() == "waiting"
        rewrite(tmp_path, version=22)
        server.hang_up()
        await server.logs("serving", 3)
        (tmp_path / "open").touch()
        assert (await waiting).version == 1
        await server.logs(ALL)


@needs_redis
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
async def test_a_worker_is_told_that_it_is_to_leave(
    tmp_path: Path, redis_server: Server, number: signal.Signals
) -> None:
    shared = ("--backplane", redis_server.url, "--backplane-name", f"w-{number}")
    async with restarted(tmp_path, *shared, named="app:rooms") as server, connect(server.url, RoomStub) as room:
        waiting = asyncio.ensure_future(room.wait())
        assert await server.running.line() == "waiting"
        server.running.process.send_signal(number)
        assert (await waiting).version == 1


async def test_told_twice_they_are_restarted_twice(tmp_path: Path) -> None:
    async with restarted(tmp_path) as server:
        server.hang_up()
        await server.logs("restarting the workers")
        server.hang_up()
        await server.logs("restarted once more after this time")
        await server.logs(ALL, 2)


async def test_one_that_does_not_start_leaves_the_old_one_where_it_is(tmp_path: Path) -> None:
    async with restarted(tmp_path) as server, connect(server.url, RoomStub) as room:
        rewrite(tmp_path, "1 / 0")
        server.hang_up()
        await server.logs("worker 1 goes on as it is: the process to follow it ended before it served")
        await server.logs("the workers that were not restarted yet go on as they are")
        assert any("cannot import app: ZeroDivisionError: division by zero" in line for line in server.lines)
        assert (await room.who()).version == 1
        rewrite(tmp_path, version=22)
        server.hang_up()
        await server.logs(ALL)
        async with connect(server.url, RoomStub) as other:
            assert (await other.who()).version == 22


async def test_stopped_meanwhile_all_end_with_their_calls(tmp_path: Path) -> None:
    async with restarted(tmp_path) as server, connect(server.url, RoomStub) as room:
        waiting = asyncio.ensure_future(room.wait())
        assert await server.running.line() == "waiting"
        server.hang_up()
        await server.logs("serving", 3)
        server.running.process.terminate()
        await server.logs("stopping, as told by SIGTERM", 3)
        (tmp_path / "open").touch()
        assert (await waiting).version == 1
        assert await server.ends() == 0
        assert not any("killing" in line for line in server.lines)


async def test_killed_meanwhile_one_is_followed_all_the_same(tmp_path: Path) -> None:
    async with restarted(tmp_path) as server:
        old = [process async for process in processes(server.url)]
        rewrite(tmp_path, version=22)
        server.hang_up()
        await server.logs("restarting the workers")
        for process in old:
            os.kill(process, signal.SIGKILL)
        await server.logs(ALL)
        clients = Clients(server.url)
        async with connect(server.url, RoomStub, reconnect=Reconnect()) as room:
            clients.answered("one", await room.who())
        await clients.all_new(22)


async def test_a_socket_that_is_a_file_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "rooms.sock"
    async with restarted(tmp_path, "--unix", str(file), port=None) as server:
        await restart_under_clients(tmp_path, server, f"ws+unix://{file}:/")


AS_SYSTEMD = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[2], sys.argv[2:])
"""


async def test_sockets_of_systemd_are_kept(tmp_path: Path) -> None:
    rewrite(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as opened:
        served = [sys.executable, "-m", "capnweb_runtime", "serve", "app:alone", "--systemd", *WORKERS]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", AS_SYSTEMD, str(opened.fileno()), *served),
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            pass_fds=[opened.fileno()],
            stdout=PIPE,
            stderr=PIPE,
        )
        try:
            async with asyncio.timeout(60):
                async with Restarted(await serving(process)) as server:
                    await restart_under_clients(tmp_path, server, server.url)
                    assert await server.ends() == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def restart_under_clients(folder: Path, server: Restarted, url: str) -> None:
    """Restarts a server while clients come and go, whom that must not concern."""
    clients = Clients(url)
    async with asyncio.TaskGroup() as group:
        for name in ("one", "two"):
            group.create_task(clients.come(name))
        await clients.all_new(1)
        rewrite(folder, version=22)
        server.hang_up()
        await server.logs(ALL)
        await clients.all_new(22)
        clients.stop()
    assert clients.failed == []
