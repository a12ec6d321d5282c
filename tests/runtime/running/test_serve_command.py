"""`python -m capnweb_runtime serve`, as a program of its own."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import ssl
from pathlib import Path

import pytest
from aiohttp import ClientSession

from capnweb_runtime.connecting.connect import connect
from capnweb_runtime.errors import RpcError, SessionClosed
from capnweb_runtime.plans import gt, plan, when
from tests.runtime.running.program import APP, ROOT, failed, program
from tests.runtime.transports.example_api import ExampleStub

SERVICE = f"""
from capnweb_runtime import Limits, Service
from capnweb_runtime.health import Check, Health
{APP}

async def told(info, proceed):
    print(info.method, flush=True)
    return await proceed(info)

checks = [Check("never", lambda: False)]
service = Service(
    front, plans=True, interceptors=[told], limits=Limits(plan_calls=2), health=Health(ready="/readyz", checks=checks)
)
"""
CERTIFICATE = ROOT / "tests" / "runtime" / "localhost.pem"


async def refuses(url: str) -> None:
    """Waits until a server accepts nobody any more."""
    while True:
        try:
            await (await connect(url, ExampleStub)).add(1, 2)
        except SessionClosed:
            return


class TestOneProcess:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    async def test_it_says_where_it_serves_and_a_signal_lets_calls_end(
        self, tmp_path: Path, number: signal.Signals
    ) -> None:
        async with (
            program(tmp_path, "app:front", "--path", "/rpc", "--drain", "60", "--log-level", "error") as server,
            connect(server.url, ExampleStub) as api,
        ):
            assert re.fullmatch(r"serving ws://127.0.0.1:(\d+)/rpc and http://127.0.0.1:\1/rpc", server.said)
            waiting = asyncio.ensure_future(api.wait("gate"))
            assert await server.line() == "called"
            server.process.send_signal(number)
            await refuses(server.url)
            assert not waiting.done()
            await api.echo("open")
            assert await waiting == "gate"
            assert await server.rest() == (0, {"disposed"}, "")

    async def test_calls_that_do_not_end_are_cancelled_after_the_time_for_draining(self, tmp_path: Path) -> None:
        async with program(tmp_path, "app:front", "--drain", "0.05") as server, connect(server.url, ExampleStub) as api:
            waiting = asyncio.ensure_future(api.wait("gate"))
            assert await server.line() == "called"
            server.process.send_signal(signal.SIGTERM)
            with pytest.raises(SessionClosed, match="The server is shutting down"):
                await waiting
            code, _, log = await server.rest()
            assert code == 0
            assert "closing with 1 calls in progress after waiting 0.05 s for them" in log

    async def test_the_garbage_collector_leaves_out_what_has_been_imported(self, tmp_path: Path) -> None:
        app = APP.replace("import asyncio, os", "import asyncio, gc").replace("os.getpid()", "gc.get_freeze_count()")
        async with program(tmp_path, "app:front", app=app) as server, connect(server.url, ExampleStub) as api:
            assert int(str(await api.echo("how many"))) > 10_000

    async def test_a_service_says_how_its_sessions_are_served(self, tmp_path: Path) -> None:
        """What is on the command line is added, and is the one where both say something."""
        asked = ("app:service", "--alive", "/alive")
        async with program(tmp_path, *asked, app=SERVICE) as server, connect(server.url, ExampleStub) as api:
            assert await plan(api, lambda p: when(gt(p.add(1, 2), 2), lambda: p.add(1, 1), lambda: p.add(2, 2))) == 2
            assert [await server.line() for _ in range(2)] == ["add", "add"]
            with pytest.raises(RpcError, match=r"Limits\.plan_calls"):
                await plan(api, lambda p: p.add(p.add(p.add(1, 2), 3), 4))
            site = server.url.replace("ws:", "http:")
            async with ClientSession() as http:
                for path, status in (("alive", 200), ("readyz", 503), ("other", 404)):
                    async with http.get(site + path) as said:
                        assert said.status == status

    async def test_it_speaks_tls(self, tmp_path: Path) -> None:
        trust = ssl.create_default_context(cafile=CERTIFICATE)
        async with (
            program(tmp_path, "app:front", "--tls-cert", str(CERTIFICATE)) as server,
            connect(server.url.replace("127.0.0.1", "localhost"), ExampleStub, ssl=trust) as api,
        ):
            assert server.url.startswith("wss://")
            assert await api.add(1, 2) == 3

    async def test_transports_names_and_origins_are_those_that_it_was_told(self, tmp_path: Path) -> None:
        asked = ("--transports", "websocket", "--hosts", "a.example,b.example", "--origins", "https://page.example")
        async with program(tmp_path, "app:front", *asked) as server:
            for host, origin, status in (
                ("b.example", "https://page.example", 101),
                ("c.example", "https://page.example", 421),
                ("b.example", "https://other.example", 403),
            ):
                assert await answer(server.url, {"Host": host, "Origin": origin}) == status
            with pytest.raises(SessionClosed, match="does not serve HTTP batches"):
                async with connect(
                    server.url.replace("ws:", "http:"), ExampleStub, headers={"Host": "a.example"}
                ) as api:
                    await api.add(1, 2)


class TestWorkers:
    async def test_they_share_a_port_and_end_together_after_their_calls(self, tmp_path: Path) -> None:
        async with program(tmp_path, "app:front", "--workers", "2", "--drain", "60", "--log-level", "error") as server:
            assert server.said.endswith(" with 2 workers")
            async with connect(server.url, ExampleStub) as api:
                waiting = asyncio.ensure_future(api.wait("gate"))
                assert await server.line() == "called"
                server.process.send_signal(signal.SIGTERM)
                await refuses(server.url)
                assert not waiting.done()
                await api.echo("open")
                assert await waiting == "gate"
            assert await server.rest() == (0, {"disposed"}, "")

    async def test_sessions_are_shared_out(self, tmp_path: Path) -> None:
        async with program(tmp_path, "app:front", "--workers", "2") as server:
            serving = set[object]()
            while len(serving) < 2:
                async with connect(server.url, ExampleStub) as api:
                    serving.add(await api.echo("who"))
            assert server.process.pid not in serving

    async def test_one_that_is_killed_is_followed_by_another(self, tmp_path: Path) -> None:
        async with program(tmp_path, "app:front", "--workers", "2") as server:
            async with connect(server.url, ExampleStub) as api:
                killed = await api.echo("who")
                assert isinstance(killed, int)
                os.kill(killed, signal.SIGKILL)
                with pytest.raises(SessionClosed):
                    await api.wait("gate")
            serving = set[object]()
            while len(serving) < 2:
                try:
                    async with connect(server.url, ExampleStub) as api:
                        serving.add(await api.echo("who"))
                except SessionClosed:
                    continue  # was accepted by the one that died
            assert killed not in serving
            server.process.send_signal(signal.SIGTERM)
            code, _, log = await server.rest()
            assert code == 0
            assert re.search(r"WARNING .*worker \d ended with SIGKILL; another follows in 0.25 s", log)

    async def test_they_end_when_the_process_that_started_them_is_killed(self, tmp_path: Path) -> None:
        async with program(tmp_path, "app:front", "--workers", "2") as server:
            async with connect(server.url, ExampleStub) as api:
                server.process.kill()
                with pytest.raises(SessionClosed, match="shutting down"):
                    await ended(api)
            await server.process.communicate()  # until the last of them has closed its output

    async def test_a_factory_that_cannot_be_imported_is_told_once(self, tmp_path: Path) -> None:
        code, said = await failed(tmp_path, "nowhere:front", "--workers", "2", "--port", "0")
        assert (code, "there is no module 'nowhere'" in said) == (1, True)


async def answer(url: str, headers: dict[str, str]) -> int | None:
    """The status of the answer to a request for a session."""
    try:
        async with connect(url, ExampleStub, headers=headers) as api:
            assert await api.add(1, 2) == 3
            return 101
    except SessionClosed as error:
        return error.status


class TestFilesAndReadySockets:
    @pytest.mark.parametrize("workers", [(), ("--workers", "2")], ids=["one", "two"])
    async def test_a_file_is_served_and_removed(self, tmp_path: Path, workers: tuple[str, ...]) -> None:
        file = tmp_path / "app.sock"
        async with program(tmp_path, "app:front", "--unix", str(file), *workers, port=None) as server:
            assert server.said.startswith(f"serving ws+unix://{file}:/ and http+unix://{file}:/")
            url = f"ws+unix://{file}:/"
            async with connect(url, ExampleStub) as api:
                assert await api.add(1, 2) == 3
            code, line = await failed(tmp_path, "app:front", "--unix", str(file), *workers)
            said = f"capnweb_runtime: cannot listen at {file}: Somebody listens there already"
            assert (code, line) == (1, said)
            server.process.send_signal(signal.SIGTERM)
            assert (await server.rest())[0] == 0
        assert not is_there(file)

    async def test_several_addresses_are_served_by_all_workers(self, tmp_path: Path) -> None:
        async with program(tmp_path, "app:front", "--host", "127.0.0.1,127.0.0.2", "--workers", "2") as server:
            for url in (server.url, server.url.replace("127.0.0.1", "127.0.0.2")):
                async with connect(url, ExampleStub) as api:
                    assert await api.add(1, 2) == 3

    async def test_without_sockets_of_systemd_it_says_so(self, tmp_path: Path) -> None:
        code, line = await failed(tmp_path, "app:front", "--systemd")
        assert (code, "systemd has opened no socket for this process" in line) == (1, True)


def is_there(file: Path) -> bool:
    return file.exists()


async def ended(api: ExampleStub) -> None:
    """Raises what a session ends with."""
    over: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
    api.on_broken(over.set_result)
    raise await over


class TestFailures:
    @pytest.mark.parametrize(
        ("arguments", "code", "said"),
        [
            (["nowhere:front"], 1, "there is no module 'nowhere': start the program in the folder that has it"),
            (["app.inner:front"], 1, "there is no module 'app.inner'"),
            (["app:fornt"], 1, "app has no 'fornt'; did you mean 'front'?"),
            (["app"], 1, "'app' names no factory: write module:factory"),
            (["app:number"], 1, "app:number is no factory: serve() needs a function that is given the peer"),
            (["app:Served.echo.x"], 1, "echo has no 'x'"),
            (["app:front", "--host", "192.0.2.1"], 1, "cannot listen at 192.0.2.1:8080: this machine does not have"),
            (["app:front", "--tls-cert", "none.pem"], 1, "cannot read none.pem: No such file or directory"),
            (["app:front", "--tls-cert", "app.py"], 1, "no certificate in app.py with its key in app.py"),
            (["app:front", "--tls-key", "app.py"], 2, "--tls-key is of no use without --tls-cert"),
            (["app:front", "--transports", "webtransport"], 1, "WebTransport is always encrypted"),
            (["app:front", "--path", "rpc"], 1, "path has to start with a slash"),
            (["app:front", "--port", "65536"], 2, "argument --port: '65536' is no port from 0 to 65535"),
            (["app:front", "--workers", "0"], 2, "argument --workers: '0' is no whole number of 1 or more"),
            (["app:front", "--drain", "nan"], 2, "argument --drain: 'nan' is no number of seconds"),
            (["app:front", "--origins", "a,"], 2, "argument --origins: 'a,' has nothing on one side of a comma"),
        ],
    )
    async def test_they_are_one_line(self, tmp_path: Path, arguments: list[str], code: int, said: str) -> None:
        ended_with, line = await failed(tmp_path, *arguments)
        assert ended_with == code
        assert f": {said}" in line

    async def test_a_module_that_fails_is_told_with_its_place(self, tmp_path: Path) -> None:
        for text, said in (
            ("import nothing_of_that_name", "No module named 'nothing_of_that_name' (FILE, line 1)"),
            ("\n1 / 0", "ZeroDivisionError: division by zero (FILE, line 2)"),
            ("def front(peer:\n    pass", "SyntaxError: "),
            ("import sys\nsys.exit(3)", "SystemExit: 3 (FILE, line 2)"),
        ):
            (tmp_path / "broken.py").write_text(text, "utf-8")
            code, line = await failed(tmp_path, "broken:front")
            assert code == 1
            assert line.startswith("capnweb_runtime: cannot import broken: ")
            assert said.replace("FILE", str(tmp_path / "broken.py")) in line

    @pytest.mark.parametrize("workers", ["1", "2"])
    async def test_a_port_that_is_taken_is_told(self, tmp_path: Path, workers: str) -> None:
        async with program(tmp_path, "app:front", "--workers", "2") as server:
            port = server.url.rpartition(":")[2].strip("/")
            code, line = await failed(tmp_path, "app:front", "--port", port, "--workers", workers)
        said = "another program does already; choose another port with --port"
        assert (code, line) == (1, f"capnweb_runtime: cannot listen at 127.0.0.1:{port}: {said}")

    async def test_a_port_of_a_program_that_shares_with_nobody_is_taken_too(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            code, line = await failed(tmp_path, "app:front", "--port", port, "--workers", "2")
        assert (code, "another program does already" in line) == (1, True)
