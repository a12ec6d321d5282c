"""`serve --backplane`: what workers are given, and what becomes of them when the engine is not there."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp import ClientSession

from capnweb_runtime.connecting.connect import connect
from capnweb_runtime.errors import SessionClosed
from capnweb_runtime.running.application import opened, place_of
from capnweb_runtime.running.failures import Failed
from tests.needs import needs_redis
from tests.runtime.running.program import failed, program, serving, started
from tests.runtime.scale.conftest import CURRENT
from tests.runtime.scale.servers import RedisServer, Server
from tests.runtime.transports.example_api import ExampleStub

APP = """
import os
from contextlib import asynccontextmanager
from capnweb_runtime.worker import Worker
from tests.runtime.transports.example_api import Example

class Keeps(Example):
    def __init__(self, backplane):
        self.backplane = backplane

    async def echo(self, value):
        if value == "who":
            return os.getpid()
        if isinstance(value, list):
            return await self.backplane.put(value[0], value[1].encode()) is not None
        found = await self.backplane.get(value)
        return None if found is None else found.data.decode()

def shared(worker: Worker):
    return lambda peer: Keeps(worker.backplane)

async def later(worker: Worker):
    await worker.backplane.put("set up", b"once")
    return lambda peer: Keeps(worker.backplane)

@asynccontextmanager
async def held(worker: Worker):
    print("begun", flush=True)
    try:
        yield lambda peer: Keeps(worker.backplane)
    finally:
        found = await worker.backplane.get("said")
        print("ended", found.data.decode(), flush=True)

def main_object(worker):
    return Keeps(worker.backplane)

def number(worker):
    return 7

def nothing():
    return None

def broken(worker):
    raise LookupError("no rooms in the database")

def alone(peer):
    return Example()
"""


@pytest.fixture(params=CURRENT)
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(f"{request.param}_server")
    return found


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """One that may be killed."""
    server = RedisServer()
    yield server
    server.close()


async def ask(url: str, value: object) -> tuple[object, object]:
    """What one of the workers answers, and which it was; again if it was accepted by one that had been killed."""
    while True:
        try:
            async with connect(url, ExampleStub) as api:
                return await api.echo("who"), await api.echo(value)
        except SessionClosed:
            continue


class TestWorkers:
    async def test_they_share_what_the_engine_keeps_and_so_does_one_that_follows(
        self, tmp_path: Path, server: Server
    ) -> None:
        shared = ("app:shared", "--workers", "2", "--backplane", server.url, "--backplane-name", tmp_path.name)
        async with program(tmp_path, *shared, app=APP) as running:
            writer, wrote = await ask(running.url, ["motd", "hello"])
            assert wrote is True
            answers = dict[object, object]()
            while len(answers) < 2:
                answers.update([await ask(running.url, "motd")])
            assert {*answers.values()} == {"hello"}
            assert isinstance(writer, int)
            os.kill(writer, signal.SIGKILL)
            while len(answers) < 3:
                answers.update([await ask(running.url, "motd")])
            assert {*answers.values()} == {"hello"}

    async def test_what_is_in_memory_is_for_one_process(self, tmp_path: Path) -> None:
        async with program(tmp_path, "app:later", "--backplane", "memory:", app=APP) as running:
            assert (await ask(running.url, "set up"))[1] == "once"
        code, line = await failed(tmp_path, "app:later", "--backplane", "memory:", "--workers", "4", app=APP)
        assert code == 2
        assert "is for one process, and 4 workers would have one each: give them redis://... or nats://..." in line

    async def test_a_url_with_a_password_may_stand_in_the_environment(self, tmp_path: Path) -> None:
        told = {"CAPNWEB_BACKPLANE": "memory:"}
        async with program(tmp_path, "app:later", "--backplane", "env:", app=APP, **told) as running:
            assert (await ask(running.url, "set up"))[1] == "once"
        code, line = await failed(tmp_path, "app:later", "--backplane", "env:", app=APP)
        assert (code, "takes the URL from CAPNWEB_BACKPLANE, which is not set" in line) == (2, True)

    async def test_what_was_set_up_ends_when_everybody_has_been_served(self, tmp_path: Path) -> None:
        process = await started(tmp_path, "app:held", "--backplane", "memory:", "--port", "0", app=APP)
        try:
            async with asyncio.timeout(60):
                assert process.stdout is not None
                assert await process.stdout.readline() == b"begun\n"
                running = await serving(process)
                await ask(running.url, ["said", "goodbye"])
                process.send_signal(signal.SIGTERM)
                assert (await running.rest())[:2] == (0, {"ended", "goodbye"})
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


STURDY = """
import os
from capnweb_runtime.sturdy import BackplaneRevocations, Restorer, SturdyRef, SturdyRefs, TokenCodec, TokenKey
from tests.runtime.transports.example_api import Example

class Room:
    def __init__(self, name, user):
        self.name = name

class User(Example):
    def __init__(self, refs):
        self.refs = refs

    async def echo(self, value):
        match value:
            case "who":
                return os.getpid()
            case "mint":
                return self.refs.mint(ROOMS, "lobby", principal="ada").token
            case ["restore", token]:
                return (await self.refs.restore(SturdyRef(token), ROOMS, principal="ada")).name
            case ["revoke", token]:
                return await self.refs.revoke(SturdyRef(token), principal="ada")

ROOMS = Restorer("room", str, Room)

def users(worker):
    codec = TokenCodec([TokenKey("2026-11", bytes.fromhex(os.environ["KEY"]))], issuer="https://x", audience="rooms")
    refs = SturdyRefs(codec, BackplaneRevocations(worker.backplane))
    return lambda peer: User(refs)
"""


async def test_a_reference_of_one_worker_is_restored_by_another_and_revoked_for_all(
    tmp_path: Path, server: Server
) -> None:
    shared = ("app:users", "--workers", "2", "--backplane", server.url, "--backplane-name", tmp_path.name)
    async with program(tmp_path, *shared, app=STURDY, KEY="ab" * 32) as running, AsyncExitStack() as held:
        workers = dict[object, ExampleStub]()
        while len(workers) < 2:
            api = await held.enter_async_context(connect(running.url, ExampleStub))
            workers[await api.echo("who")] = api
        here, there = workers.values()
        ref = await here.echo("mint")
        assert await there.echo(["restore", ref]) == "lobby"
        await here.echo(["revoke", ref])
        for worker in (there, here):
            with pytest.raises(PermissionError, match="this reference cannot be restored"):
                await worker.echo(["restore", ref])


class TestEngineThatDoesNotAnswer:
    @needs_redis
    async def test_it_is_waited_for_and_that_is_said(self, tmp_path: Path, own_redis: RedisServer) -> None:
        own_redis.kill()
        shared = ("app:shared", "--backplane", own_redis.url, "--port", "0", "--workers", "2")
        process = await started(tmp_path, *shared, app=APP)
        try:
            async with asyncio.timeout(60):
                assert process.stderr is not None
                line = (await process.stderr.readline()).decode()
                assert (
                    f"waiting up to 10 s for the backplane at redis://127.0.0.1:{own_redis.port}/0: Redis did" in line
                )
                own_redis.start()
                running = await serving(process)
                assert (await ask(running.url, ["motd", "hello"]))[1] is True
        finally:
            process.terminate()
            await process.communicate()

    @pytest.mark.parametrize("engine", ["redis", "nats"])
    async def test_after_that_it_is_told_without_the_password(
        self, tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "application_of_none.py").write_text("def shared(worker): ...", "utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        with pytest.raises(Failed) as caught:
            async with opened("application_of_none:shared", f"{engine}://ada:secret@127.0.0.1:1/0", "x", patience=0):
                raise AssertionError("nothing answers at port 1")
        assert str(caught.value).startswith(f"the backplane at {engine}://127.0.0.1:1/0 does not answer: ")
        assert "secret" not in str(caught.value)

    @needs_redis
    async def test_a_server_is_ready_while_it_answers(self, tmp_path: Path, own_redis: RedisServer) -> None:
        shared = ("app:shared", "--backplane", own_redis.url, "--ready", "/readyz", "--alive", "/healthz")
        async with program(tmp_path, *shared, app=APP) as running, ClientSession() as client:
            http = running.url.replace("ws:", "http:")
            assert await status_of(client, f"{http}readyz") == 200
            own_redis.kill()
            while await status_of(client, f"{http}readyz") != 503:
                pass
            assert await status_of(client, f"{http}healthz") == 200
            own_redis.start()
            while await status_of(client, f"{http}readyz") != 200:
                pass


async def status_of(client: ClientSession, url: str) -> int:
    async with client.get(url) as answer:
        return answer.status


class TestWhatIsNoApplication:
    @pytest.mark.parametrize(
        ("named", "code", "said"),
        [
            ("main_object", 1, "app:main_object made a main object, of which each session needs one of its own"),
            ("number", 1, "what app:number gave is no factory: serve() needs a function that is given the peer"),
            (
                "nothing",
                1,
                "app:nothing cannot set up a worker (too many positional arguments): with --backplane, name",
            ),
            ("broken", 1, "app:broken cannot be set up: LookupError: no rooms in the database"),
        ],
    )
    async def test_it_is_told(self, tmp_path: Path, named: str, code: int, said: str) -> None:
        ended_with, line = await failed(tmp_path, f"app:{named}", "--backplane", "memory:", app=APP)
        assert (ended_with, said in line) == (code, True), line

    async def test_one_that_is_served_without_a_backplane(self, tmp_path: Path) -> None:
        code, line = await failed(tmp_path, "app:shared", app=APP)
        assert (code, "app:shared sets up a worker: serve it with --backplane, which may be memory:" in line) == (
            2,
            True,
        )

    async def test_a_url_of_nothing(self, tmp_path: Path) -> None:
        code, line = await failed(tmp_path, "app:shared", "--backplane", "kafka://x", app=APP)
        assert (code, "no backplane has a URL that begins with 'kafka'" in line) == (2, True)


def test_nothing_of_a_url_is_shown_but_where_it_leads() -> None:
    assert place_of("rediss://ada:se%40cret@db.example:6380/3?password=x#y") == "rediss://db.example:6380/3"
