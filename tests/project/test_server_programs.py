"""The programs of docs/server.md from "Methods that block" on do what the text says, behind a real nginx too."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from capnweb_runtime import Peer, RpcTarget, SessionClosed, connect, serve
from capnweb_runtime.objects.any_stub import AnyStub
from tests.needs import needs_nginx
from tests.project.sources import ROOT
from tests.runtime.transports.example_api import Example

TEXT = (ROOT / "docs" / "server.md").read_text("utf-8").partition("## Methods that block")[2]
PROGRAMS = dict(re.findall(r"```python\n# (\S+)\n(.*?)```", TEXT, re.DOTALL))
(NGINX,) = re.findall(r"```nginx\n(.*?)```", TEXT, re.DOTALL)
CERTIFICATE = ROOT / "tests" / "runtime" / "localhost.pem"

SCHEMAS = {
    "schemas/__init__.py": "",
    "schemas/library.py": """
from typing import Protocol
from pydantic import BaseModel

class Book(BaseModel):
    title: str
    year: int

class Library(Protocol):
    async def search(self, word: str) -> list[int]: ...
    async def book(self, number: int) -> Book: ...
""",
    "schemas/shop.py": """
from typing import Protocol

class Customer(Protocol):
    @property
    def name(self) -> str: ...

class Shop(Protocol):
    async def sign_in(self, token: str) -> Customer: ...
""",
    "library.py": """
from generated.library import LibraryTarget
from schemas.library import Book

BOOKS = [Book(title="The Sea Wolf", year=1904)]

class Library(LibraryTarget):
    def search(self, word: str) -> list[int]:
        return [number for number, book in enumerate(BOOKS) if word in book.title]

    def book(self, number: int) -> Book:
        return BOOKS[number]
""",
}
SIGNING_IN = """
import asyncio
from capnweb_runtime import SessionClosed, connect, serve
from generated.shop import CustomerStub, ShopStub
import by_certificate, by_cookie, by_header, by_token
import ssl, sys

async def main() -> None:
    async with serve(lambda peer: by_token.Shop(), "127.0.0.1", 0) as server, connect(server.url, ShopStub) as shop:
        print(await shop.sign_in("secret").name)
        try:
            await shop.sign_in("wrong").name
        except PermissionError as error:
            print(error)
    header, cookie = {"Authorization": "Bearer secret"}, {"Cookie": "session=secret"}
    for main, right in ((by_header.main, header), (by_cookie.main, cookie)):
        async with serve(main, "127.0.0.1", 0) as server:
            async with connect(server.url, CustomerStub, headers=right) as customer:
                print(await customer.name)
            try:
                async with connect(server.url, CustomerStub) as customer:
                    await customer.name
            except SessionClosed as error:
                print(error.status)
    file = sys.argv[1]
    async with serve(by_certificate.main, "127.0.0.1", 0, ssl=by_certificate.context(file, file)) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        known, unknown = (ssl.create_default_context(cafile=file) for _ in range(2))
        known.load_cert_chain(file)
        async with connect(url, CustomerStub, ssl=known) as customer:
            print(await customer.name)
        try:
            await connect(url, CustomerStub, ssl=unknown)
        except SessionClosed as error:
            print(error.status)

asyncio.run(main())
"""
ENTERED = """
import asyncio
import limits, watched
from capnweb_runtime import connect
from generated.library import LibraryStub

async def main() -> None:
    for module in (limits, watched):
        async with module.serving as server, connect(server.url, LibraryStub) as library:
            print(await library.search("Sea"))
            try:
                await library.book(7)
            except Exception as error:
                print(type(error).__name__, getattr(error, "name", None))
    print(dict(watched.observer.failures))

asyncio.run(main())
"""
SERVING = """
import logging, runpy, sys
logging.basicConfig(level=logging.INFO)
runpy.run_path(sys.argv[1], run_name="__main__")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with every program, compiled."""
    made = tmp_path_factory.mktemp("programs")
    for name, text in {**SCHEMAS, **PROGRAMS}.items():
        (made / name).parent.mkdir(exist_ok=True)
        (made / name).write_text(text, "utf-8")
    run(made, "-m", "capnweb_gen.cli", "schemas", "--out", "generated")
    return made


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def serving(folder: Path, program: str, ports: dict[str, int], stdout: int | None = None) -> subprocess.Popen[str]:
    """A program of the text on other ports, as soon as it serves on all of them."""
    text = PROGRAMS[program]
    for written, port in ports.items():
        assert written in text
        text = text.replace(written, str(port))
    (folder / f"on_other_ports_{program}").write_text(text, "utf-8")
    process = subprocess.Popen(
        [sys.executable, "-c", SERVING, f"on_other_ports_{program}"],
        cwd=folder,
        env={**environment(), "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    heard = [process.stderr.readline() for _ in ports]
    assert all(":serving " in line for line in heard), heard + process.stderr.readlines()
    return process


def stopped(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_the_programs_are_well_typed(folder: Path) -> None:
    run(folder, "-m", "mypy", "--strict", "--no-error-summary", *PROGRAMS)


async def test_tls(folder: Path) -> None:
    for name in ("certificate.pem", "key.pem"):
        shutil.copy(CERTIFICATE, folder / name)
    port = free_port()
    server = serving(folder, "tls.py", {"8443": port})
    try:
        trust = ssl.create_default_context(cafile=CERTIFICATE)
        async with connect(f"wss://localhost:{port}/rpc", AnyStub, ssl=trust) as library:
            assert await library.call("search", "Sea") == [0]
    finally:
        stopped(server)


async def test_several_servers(folder: Path) -> None:
    ports = {"8080": free_port(), "8081": free_port()}
    server = serving(folder, "two.py", ports)
    try:
        for port, path in zip(ports.values(), ("rpc", "admin"), strict=True):
            async with connect(f"ws://127.0.0.1:{port}/{path}", AnyStub) as library:
                assert await library.call("search", "Sea") == [0]
    finally:
        stopped(server)


def test_signing_in(folder: Path) -> None:
    told = ["ada", "no such token", "ada", "401", "ada", "401", "localhost", "401", ""]
    assert run(folder, "-c", SIGNING_IN, str(CERTIFICATE)).split("\n") == told


def test_bounds_and_watching(folder: Path) -> None:
    told = "[0]\nRpcError Error\n[0]\nRpcError NotFound\n{'Library.book': 1}\n"
    assert run(folder, "-c", ENTERED) == told
    assert run(folder, "full.py") == "0 of 500 connections, 0 refused\n"


def test_methods_that_block(folder: Path) -> None:
    with sqlite3.connect(folder / "books.db") as database:
        database.execute("CREATE TABLE books (number, title, year)")
        database.execute("INSERT INTO books VALUES (3, 'The Sea Wolf', 1904)")
    program = """
import asyncio
from capnweb_runtime.testing import pair
from blocking import Library
from generated.library import LibraryStub

async def main() -> None:
    async with pair(Library("books.db"), LibraryStub) as library:
        print(await library.search("Sea").map(lambda number: library.book(number).title))

asyncio.run(main())
"""
    assert run(folder, "-c", program) == "['The Sea Wolf']\n"


def test_a_file_and_a_socket_that_is_ready(folder: Path) -> None:
    assert run(folder, "by_file.py") == "True [0]\n"
    assert not (folder / "app.sock").exists()
    with socket.create_server(("127.0.0.1", 0)) as ready:
        # What systemd does: the socket is number 3, and the environment says whose it is.
        start = (
            "import os, runpy, sys; os.dup2(int(sys.argv[1]), 3); "
            "os.environ |= {'LISTEN_PID': str(os.getpid()), 'LISTEN_FDS': '1'}; "
            "runpy.run_path('by_systemd.py', run_name='__main__')"
        )
        with subprocess.Popen(
            [sys.executable, "-c", start, str(ready.fileno())],
            cwd=folder,
            env={**environment(), "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])},
            pass_fds=[ready.fileno()],
        ) as server:
            try:
                assert asyncio.run(found(f"ws://127.0.0.1:{ready.getsockname()[1]}/rpc")) == [0]
                server.send_signal(signal.SIGTERM)
                assert server.wait(60) == 0
            finally:
                server.kill()


async def found(url: str) -> object:
    async with asyncio.timeout(60), connect(url, AnyStub) as library:  # it waits in the kernel until somebody accepts
        return await library.call("search", "Sea")


# ---- nginx


@contextmanager
def behind_nginx(folder: Path, backend: str) -> Iterator[int]:
    """The port of an nginx with the configuration of the text, before a server."""
    port = free_port()
    assert "listen 8000;" in NGINX
    assert "http://127.0.0.1:8080" in NGINX
    block = NGINX.replace("listen 8000;", f"listen 127.0.0.1:{port};").replace("http://127.0.0.1:8080", backend)
    (folder / "nginx.conf").write_text(
        f"daemon off;\nmaster_process off;\npid {folder}/nginx.pid;\nerror_log stderr notice;\nevents {{}}\n"
        f"http {{\naccess_log off;\nclient_body_temp_path {folder}/body;\nproxy_temp_path {folder}/proxy;\n"
        f"fastcgi_temp_path {folder}/f;\nuwsgi_temp_path {folder}/u;\nscgi_temp_path {folder}/s;\n{block}}}\n",
        "utf-8",
    )
    nginx = subprocess.Popen(
        ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")], stderr=subprocess.PIPE, text=True
    )
    assert nginx.stderr is not None
    heard = [nginx.stderr.readline()]
    while heard[-1] and "using the" not in heard[-1]:  # told once it listens
        heard.append(nginx.stderr.readline())
    try:
        assert heard[-1], heard
        yield port
    finally:
        stopped(nginx)


@needs_nginx
async def test_behind_nginx_both_transports_work_and_the_origin_is_compared_with_the_host_asked_for(
    tmp_path: Path, folder: Path
) -> None:
    server = serving(folder, "two.py", {"8080": (port := free_port()), "8081": free_port()})
    try:
        with behind_nginx(tmp_path, f"http://127.0.0.1:{port}") as front:
            for scheme in ("ws", "http"):
                page = {"Origin": f"http://127.0.0.1:{front}"}
                async with connect(f"{scheme}://127.0.0.1:{front}/rpc", AnyStub, headers=page) as library:
                    assert await library.call("search", "S" * 2_000_000) == []  # nginx itself takes 1 MB
    finally:
        stopped(server)


@needs_nginx
async def test_behind_nginx_the_address_of_the_client_is_in_a_header(tmp_path: Path) -> None:
    forwarded: list[str] = []

    def main(peer: Peer) -> RpcTarget:
        forwarded.append(peer.headers["X-Forwarded-For"])
        raise ValueError

    async with serve(main, "127.0.0.1", 0, path="/rpc") as server:
        with behind_nginx(tmp_path, f"http://127.0.0.1:{server.port}") as front, pytest.raises(ConnectionError):
            async with connect(f"ws://127.0.0.1:{front}/rpc", AnyStub):
                pass
    assert forwarded == ["127.0.0.1"]


@needs_nginx
async def test_behind_nginx_that_is_believed_the_peer_is_the_client(tmp_path: Path, folder: Path) -> None:
    server = serving(folder, "behind.py", {"8080": (port := free_port())}, stdout=subprocess.PIPE)
    try:
        with behind_nginx(tmp_path, f"http://127.0.0.1:{port}") as front:
            for scheme in ("ws", "http"):
                page = {
                    "Host": "example.org",
                    "Origin": "http://example.org",
                    "X-Forwarded-For": "6.6.6.6",
                    "X-Forwarded-Proto": "https",
                    "X-Forwarded-Host": "evil.example",
                    "Forwarded": "for=6.6.6.6;proto=https;host=evil.example",
                }
                async with connect(f"{scheme}://127.0.0.1:{front}/rpc", AnyStub, headers=page) as library:
                    assert await library.call("search", "Sea") == [0]
                assert server.stdout is not None
                assert server.stdout.readline() == "('127.0.0.1', 0) http example.org\n"
    finally:
        stopped(server)


@needs_nginx
@pytest.mark.parametrize("scheme", ["ws", "http"])
async def test_nginx_may_connect_to_a_file_and_be_believed(tmp_path: Path, scheme: str) -> None:
    peers: list[Peer] = []

    def main(peer: Peer) -> RpcTarget:
        peers.append(peer)
        return Example()

    file = tmp_path / "app.sock"
    assert "`proxy_pass http://unix:/run/app.sock;`" in TEXT
    async with serve(main, unix=file, path="/rpc", forwarded=["unix"]):
        with behind_nginx(tmp_path, f"http://unix:{file}") as front:
            page = {"Origin": f"http://127.0.0.1:{front}"}
            async with connect(f"{scheme}://127.0.0.1:{front}/rpc", AnyStub, headers=page) as api:
                assert await api.call("add", 1, 2) == 3
    (peer,) = peers
    assert (peer.address, peer.host) == (("127.0.0.1", 0), f"127.0.0.1:{front}")


@needs_nginx
@pytest.mark.parametrize("scheme", ["ws", "http"])
async def test_behind_nginx_that_ends_tls_name_and_origin_are_those_that_are_listed(
    tmp_path: Path, scheme: str
) -> None:
    options: Any = {"hosts": ["example.org"], "origins": ["https://example.org"]}
    page = {"Host": "example.org", "Origin": "https://example.org"}

    async def ask(front: int, headers: dict[str, str]) -> object:
        async with connect(f"{scheme}://127.0.0.1:{front}/rpc", AnyStub, headers=headers) as books:
            return await books.call("add", 1, 2)

    async with serve(Example, "127.0.0.1", 0, path="/rpc", **options) as server:
        with behind_nginx(tmp_path, f"http://127.0.0.1:{server.port}") as front:
            assert await ask(front, page) == 3
            with pytest.raises(SessionClosed, match="421"):
                await ask(front, page | {"Host": "evil.example"})
            with pytest.raises(SessionClosed, match="403"):
                await ask(front, page | {"Origin": "https://evil.example"})
