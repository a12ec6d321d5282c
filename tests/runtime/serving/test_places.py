"""Where servers listen: several addresses, sockets that are ready, files."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from capnweb_runtime import Certificate, Peer, Pool, ServerLimits, connect, serve, systemd_sockets
from capnweb_runtime.errors import ConnectionLost, SessionClosed
from capnweb_runtime.objects.any_stub import AnyStub
from tests.runtime.transports.example_api import Example, ExampleStub

ROOT = Path(__file__).parents[3]
CERTIFICATE = ROOT / "tests" / "runtime" / "localhost.pem"


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(tmp_path / "app.sock")


def is_there(file: str) -> bool:
    return Path(file).exists()


def write(file: str, text: str) -> None:
    Path(file).unlink(missing_ok=True)
    Path(file).write_text(text, "utf-8")


def text_of(file: str) -> str:
    return Path(file).read_text("utf-8")


async def sums(url: str, **options: Any) -> object:
    async with connect(url, ExampleStub, **options) as api:
        return await api.add(1, 2)


class TestFiles:
    async def test_both_transports_are_served_at_the_urls_that_it_tells(self, file: str) -> None:
        async with serve(Example, unix=file, path="/rpc") as server:
            assert (server.url, server.http_url) == (f"ws+unix://{file}:/rpc", f"http+unix://{file}:/rpc")
            assert server.port == 0
            assert await sums(server.url) == await sums(server.http_url) == 3
            with pytest.raises(SessionClosed, match=r"cannot connect to ws\+unix:.*404"):
                await sums(f"ws+unix://{file}:/other")

    async def test_the_file_is_removed_at_the_end(self, file: str) -> None:
        async with serve(Example, unix=Path(file)):
            assert is_there(file)
        assert not is_there(file)
        with pytest.raises(ConnectionLost, match="No such file"):
            await sums(f"ws+unix://{file}:/")

    async def test_what_has_taken_its_place_is_not_removed(self, file: str) -> None:
        async with serve(Example, unix=file):
            write(file, "another's")
        assert text_of(file) == "another's"

    async def test_one_that_was_left_behind_is_replaced(self, file: str) -> None:
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(file)
            left.listen()
        async with serve(Example, unix=file) as server:
            assert await sums(server.url) == 3

    async def test_one_at_which_somebody_listens_is_left_alone(self, file: str) -> None:
        async with serve(Example, unix=file) as server:
            with pytest.raises(OSError, match="Somebody listens there already"):
                await serve(Example, unix=file)
            assert await sums(server.url) == 3

    async def test_one_with_a_full_queue_is_somebodys_too(self, file: str) -> None:
        with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as waiting:
            busy.bind(file)
            busy.listen(0)
            waiting.connect(file)
            with pytest.raises(OSError, match="Somebody listens there already"):
                await serve(Example, unix=file)

    async def test_a_file_that_is_no_socket_is_left_alone(self, file: str) -> None:
        write(file, "precious")
        with pytest.raises(OSError, match="no socket is there"):
            await serve(Example, unix=file)
        assert text_of(file) == "precious"

    async def test_nothing_is_left_of_a_server_that_could_not_listen_everywhere(self, file: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(OSError, match="in use"):
                await serve(Example, "127.0.0.1", port, unix=file)
            assert not is_there(file)
        with pytest.raises(OSError, match="No such file"):
            await serve(Example, "127.0.0.1", port, unix="/nowhere/app.sock")
        socket.create_server(("127.0.0.1", port)).close()  # is free

    async def test_peers_have_no_address_and_none_is_counted_for_them(self, file: str) -> None:
        peers: list[Peer] = []

        def main(peer: Peer) -> Example:
            peers.append(peer)
            return Example()

        async with (
            serve(main, unix=file, server_limits=ServerLimits(connections_per_address=1)) as server,
            connect(server.url, ExampleStub) as one,
            connect(server.url, ExampleStub) as other,
        ):
            assert sum(await asyncio.gather(one.add(1, 2), other.add(3, 4))) == 10
            assert await sums(server.http_url) == 3
        assert [peer.address for peer in peers] == [None, None, None]
        assert str(peers[0]) == "an unknown address over websocket at /"

    async def test_every_name_is_answered_to(self, file: str) -> None:
        async with serve(Example, unix=file) as server:
            assert await sums(server.url, headers={"Host": "example.org"}) == 3

    async def test_it_can_speak_tls(self, file: str) -> None:
        trust = ssl.create_default_context(cafile=CERTIFICATE)
        async with serve(Example, unix=file, ssl=Certificate(CERTIFICATE)) as server:
            assert server.url == f"wss+unix://{file}:/"
            assert await sums(server.url, ssl=trust) == 3
            with pytest.raises(ValueError, match=r"without TLS: use http\+unix:///"):
                _ = connect(server.http_url, ExampleStub)

    async def test_colons_and_blanks_in_its_name_are_escaped(self, tmp_path: Path) -> None:
        file = str(tmp_path / "a:b c%")
        async with serve(Example, unix=file) as server:
            assert server.url.endswith("/a%3Ab%20c%25:/")
            assert await sums(server.url) == await sums(server.http_url) == 3

    async def test_pools_connect_to_it(self, file: str) -> None:
        async with serve(Example, unix=file) as server, Pool(server.url, ExampleStub, size=1) as pool:
            assert await pool.stub.add(1, 2) == 3

    @pytest.mark.parametrize("url", ["ws+unix://", "ws+unix://:/rpc", "ws+unix:///run/app.sock:rpc"])
    def test_urls_without_a_file_or_a_path_are_refused(self, url: str) -> None:
        with pytest.raises(ValueError, match=r"as in ws\+unix:///run/app.sock:/rpc"):
            _ = connect(url, AnyStub)

    async def test_addresses_and_a_file_may_stand_beside_each_other(self, file: str) -> None:
        async with serve(Example, "127.0.0.1", 0, unix=file) as server:
            assert server.url == f"ws://127.0.0.1:{server.port}/"
            assert await sums(server.url) == await sums(f"ws+unix://{file}:/") == 3


class TestSeveralAddresses:
    async def test_webtransport_is_served_at_each_with_the_key_in_the_file_of_the_certificate(self) -> None:
        trust = ssl.create_default_context(cafile=CERTIFICATE)
        certificate = Certificate(CERTIFICATE)
        everything: Any = {"transports": ["http", "webtransport"], "ssl": certificate}
        async with serve(Example, ["127.0.0.2", "localhost"], 0, **everything) as server:
            url = f"https://localhost:{server.port}/"
            assert await sums(url, ssl=trust, transport="webtransport") == await sums(url, ssl=trust) == 3

    async def test_each_is_served_on_the_same_port(self) -> None:
        async with serve(Example, ["127.0.0.1", "127.0.0.2"], 0) as server:
            assert server.url == f"ws://127.0.0.1:{server.port}/"
            assert await sums(server.url) == await sums(f"http://127.0.0.2:{server.port}/") == 3
            with pytest.raises(ConnectionLost):
                await sums(f"ws://127.0.0.3:{server.port}/")

    async def test_on_loopback_addresses_only_other_names_are_not_answered_to(self) -> None:
        async with serve(Example, ["127.0.0.1", "127.0.0.2"], 0) as server:
            with pytest.raises(SessionClosed, match="421"):
                await sums(server.url, headers={"Host": "example.org"})


class TestReadySockets:
    async def test_one_that_listens_is_taken_and_closed_at_the_end(self) -> None:
        ready = socket.create_server(("127.0.0.1", 0))
        port = ready.getsockname()[1]
        async with serve(Example, sock=ready) as server:
            assert (server.port, server.url) == (port, f"ws://127.0.0.1:{port}/")
            assert await sums(server.url) == await sums(server.http_url) == 3
            with pytest.raises(SessionClosed, match="421"):
                await sums(server.url, headers={"Host": "example.org"})
        assert ready.fileno() == -1

    async def test_several_of_different_kinds(self, file: str) -> None:
        with socket.socket(socket.AF_UNIX) as unix:
            unix.bind(file)
            async with serve(Example, sock=[unix, socket.create_server(("127.0.0.1", 0))]) as server:
                assert server.url == f"ws+unix://{file}:/"
                assert await sums(server.url) == await sums(f"ws://127.0.0.1:{server.port}/") == 3
        assert is_there(file)  # whoever made it removes it

    def test_one_that_takes_datagrams_is_refused(self) -> None:
        with socket.socket(type=socket.SOCK_DGRAM) as sock, pytest.raises(ValueError, match="SOCK_STREAM"):
            _ = serve(Example, sock=sock)


class TestWhatCannotBeMeant:
    def test_no_place_at_all(self) -> None:
        with pytest.raises(TypeError, match="needs a host and a port"):
            _ = serve(Example)
        with pytest.raises(TypeError, match="needs a host and a port"):
            _ = serve(Example, "127.0.0.1")

    def test_no_address(self) -> None:
        with pytest.raises(ValueError, match="host has no address"):
            _ = serve(Example, [], 0)

    def test_a_place_for_what_is_not_served(self) -> None:
        certificate = Certificate(CERTIFICATE)
        with pytest.raises(ValueError, match="sock and unix are for WebSocket and HTTP batches"):
            _ = serve(Example, "127.0.0.1", 0, unix="app.sock", transports=["webtransport"], ssl=certificate)
        with pytest.raises(ValueError, match="WebTransport needs a host and a port"):
            _ = serve(Example, unix="app.sock", transports=["http", "webtransport"], ssl=certificate)


SYSTEMD = """
import asyncio, os, sys
from capnweb_runtime import connect, serve, systemd_sockets
from tests.runtime.transports.example_api import Example, ExampleStub

os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "LISTEN_FDNAMES": "http"}

async def main():
    sockets = systemd_sockets()
    print(len(sockets), os.get_inheritable(3), [name for name in os.environ if name.startswith("LISTEN_")])
    async with serve(Example, sock=sockets) as server, connect(server.url, ExampleStub) as api:
        print(await api.add(1, 2), server.port)

asyncio.run(main())
"""


class TestSystemd:
    def test_its_sockets_are_served(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as ready:
            done = subprocess.run(
                [sys.executable, "-c", SYSTEMD, str(ready.fileno())],
                cwd=ROOT, pass_fds=[ready.fileno()], capture_output=True, text=True, check=False, timeout=60,
            )  # fmt: skip
            assert done.stdout == f"1 False []\n3 {ready.getsockname()[1]}\n", done.stderr

    @pytest.mark.parametrize(
        "environment",
        [{}, {"LISTEN_PID": "1", "LISTEN_FDS": "1"}, {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "many"}],
    )
    def test_those_of_another_process_are_not_taken(self, environment: dict[str, str]) -> None:
        before = dict(environment)
        assert systemd_sockets(environment) == []
        assert environment == before
