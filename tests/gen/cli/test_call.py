"""`capnweb-gen call`: one question, one answer, from a real server."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp.web
import pytest
from click.testing import CliRunner, Result

from capnweb_gen.cli import main
from capnweb_runtime import Certificate, Peer, Refuse, RpcError, serve
from capnweb_runtime.serving.development_certificate import make_certificate
from capnweb_runtime.serving.peer import Transport
from capnweb_runtime.serving.server import Server
from examples.demo.server import Accounts, Front
from tests.bench.generated.plain import PlainTarget
from tests.gen.conftest import Write
from tests.project.sources import ROOT

SCHEMA = str(ROOT / "schemas" / "accounts.py")


async def run(*arguments: str, given: str | None = None) -> Result:
    """Runs the command in a thread, while servers run here."""
    return await asyncio.wait_for(asyncio.to_thread(CliRunner().invoke, main, arguments, given), 60)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The servers here log what their targets raise."""
    logger = logging.getLogger("capnweb_runtime")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(level)


def front(peer: Peer) -> Front:
    return Front(Accounts())


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """Says what it serves."""
    async with serve(front, "127.0.0.1", 0, path="/rpc", reflection=True) as serving:
        yield serving


@pytest.fixture
async def silent() -> AsyncIterator[Server]:
    """Does not."""
    async with serve(front, "127.0.0.1", 0, path="/rpc") as serving:
        yield serving


async def test_it_prints_json_and_nothing_else(server: Server) -> None:
    for url in (server.url, server.http_url):
        result = await run("call", url, 'authenticate("secret").get_profile(1)')
        assert (result.exit_code, result.stderr) == (0, "")
        assert json.loads(result.stdout) == {"id": 1, "name": "Ada", "tags": ["analyst", "poet"]}


async def test_it_prints_a_tree_for_people(server: Server) -> None:
    result = await run("call", server.url, "authenticate('secret').get_profile(user_id=2)", "--format", "tree")
    assert result.stdout == "Profile\n├─ id: 2\n├─ name: 'Grace'\n└─ tags: ['compilers']\n"


async def test_a_capability_goes_by_its_name_and_is_given_back(server: Server) -> None:
    result = await run("call", server.url, "authenticate('secret')")
    assert (result.exit_code, json.loads(result.stdout)) == (0, {"$capability": "AuthedApi"})


async def test_a_stream_is_printed_as_lines(server: Server) -> None:
    result = await run("call", server.url, "authenticate('secret').download('profiles.csv')")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert (len(lines), lines[0]) == (4, {"$bytes": "aWQsbmFtZQo="})


async def test_whoever_stops_reading_ends_it_without_a_word(server: Server) -> None:
    command = [sys.executable, "-m", "capnweb_gen.cli", "call", server.url, "authenticate('secret').me()"]
    reading, writing = os.pipe()
    os.close(reading)
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=writing, stderr=asyncio.subprocess.PIPE)
    os.close(writing)
    _, said = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, said) == (1, b"")


async def test_an_expression_may_come_from_standard_input(server: Server) -> None:
    result = await run("call", server.url, "-", given="authenticate(\n  'secret'\n).me()\n")
    assert (result.exit_code, result.stdout) == (0, "1\n")


async def test_what_a_server_answers_with_an_error_is_told(server: Server) -> None:
    result = await run("call", server.url, "authenticate('wrong').me()")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "PermissionError: invalid token\n    raised by the peer, in answer to me\n"


async def test_what_cannot_be_asked_is_underlined_and_nothing_is_sent() -> None:
    asked: list[Transport] = []

    def noting(peer: Peer) -> Front:
        asked.append(peer.transport)
        return front(peer)

    async with serve(noting, "127.0.0.1", 0, reflection=True) as server:
        result = await run("call", server.url, "authenticate(token='secret').get_profile('x')")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "expression:1:42: user_id has to be int, and is str 'x'\n"
        "    1 | authenticate(token='secret').get_profile('x')\n"
        "      |                                          ^^^\n"
    )
    assert asked == ["http"]  # what it serves


async def test_what_is_no_expression_is_told_before_a_server_is_looked_for() -> None:
    result = await run("call", "ws://127.0.0.1:1/", "one(\n  2 + '寸', 3)")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "expression:2:3: arithmetic cannot be used here\n"
        "    2 |   2 + '寸', 3)\n"
        "      |   ^^^^^^^^\n"
        "    hint: literals, calls, attributes and items are all there is\n"
    )


async def test_of_a_long_line_a_part_is_shown() -> None:
    result = await run("call", "ws://127.0.0.1:1/", f"one({'1, ' * 5000}2 + 3, {'4, ' * 100})")
    assert result.stderr.startswith("expression:1:15005: arithmetic cannot be used here")
    _, line, marks, _ = result.stderr.splitlines()
    assert len(line) < 200
    assert line[marks.index("^") : marks.rindex("^") + 1] == "2 + 3"


async def test_with_a_schema_a_server_need_not_say_what_it_serves(silent: Server) -> None:
    result = await run("call", silent.url, "authenticate(token='secret').me()", "--schema", SCHEMA)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "1\n", "")
    result = await run("call", silent.url, "me()", "--schema", SCHEMA, "--interface", "AuthedApi")
    assert result.exit_code == 1  # it has another
    result = await run("call", silent.url, "me()", "--schema", SCHEMA, "--interface", "Authed")
    assert (result.exit_code, "there is no interface Authed" in result.stderr) == (2, True)
    result = await run("call", silent.url, "me()", "--interface", "AuthedApi")
    assert (result.exit_code, "--interface chooses one of --schema" in result.stderr) == (2, True)


async def test_where_several_interfaces_may_be_meant_one_has_to_be_named(silent: Server, project: Write) -> None:
    text = "from typing import Protocol\n" + "".join(
        f"class {name}(Protocol):\n    async def get(self) -> int: ...\n" for name in ("One", "Two")
    )
    project({"several/__init__.py": "", "several/api.py": text, "faulty/__init__.py": "", "faulty/api.py": text + "!"})
    result = await run("call", silent.url, "get()", "--schema", "several")
    assert (result.exit_code, "may have One, Two: say which with --interface" in result.stderr) == (2, True)
    result = await run("call", silent.url, "get()", "--schema", "faulty/api.py")
    assert (result.exit_code, "faulty/api.py:6:1" in result.stderr) == (1, True)


async def test_nothing_is_checked_where_nothing_is_known(silent: Server) -> None:
    result = await run("call", silent.url, "authenticate('secret').me()")
    assert (result.exit_code, result.stdout) == (0, "1\n")
    assert result.stderr == (
        "the server does not say what it serves (405), so that nothing is checked: give its schema with --schema, or "
        "say --untyped\n"
    )
    result = await run("call", silent.url, "authenticate('secret').me()", "--untyped")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "1\n", "")


async def test_headers_are_sent_with_every_request(tmp_path: Path) -> None:
    def for_friends(peer: Peer) -> Front:
        if peer.headers.get("Authorization") != "friend":
            raise Refuse(401, "Who are you?")
        return front(peer)

    (tmp_path / "headers").write_text("Authorization: friend\n\nX-Other:  1 \n")
    async with serve(for_friends, "127.0.0.1", 0, reflection=True) as server:
        for url in (server.url, server.http_url):
            asked = ("call", url, "authenticate('secret').me()")
            for header in ("Authorization: friend", f"@{tmp_path / 'headers'}"):
                assert (await run(*asked, "--header", header)).stdout == "1\n"
            result = await run(*asked)
            assert (result.exit_code, result.stdout, "Who are you?" in result.stderr) == (1, "", True)
        result = await run("ir", server.url, "--header", "authorization:friend")
        assert json.loads(result.stdout)["main"][0]["name"] == "PublicApi"
        result = await run("ir", server.url)
        assert (result.exit_code, result.stdout, "Who are you?" in result.stderr) == (1, "", True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("ftp://a/", "a"), "the URL has to start with ws://"),
        (("ws://a/", "a", "--header", "no colon"), "--header needs a name and a value"),
        (("ws://a/", "a", "--header", "@no/such/file"), "No such file"),
        (("ws://a/", "a", "--header", "a: b\r\nc: d"), "--header needs a name and a value"),
        (("wss://a/", "a", "--ca", "no/such/file"), "No such file"),
        (("ws://a/", "a", "--timeout", "0"), "--timeout"),
        (("ws://a/",), "EXPRESSION"),
    ],
)
async def test_wrong_usage_is_told(arguments: tuple[str, ...], said: str) -> None:
    result = await run("call", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


async def test_frames_are_printed_aside(server: Server) -> None:
    result = await run("call", server.http_url, "authenticate('secret').me()", "--trace")
    assert result.stdout == "1\n"
    assert '-> push 1 ["pipeline",0,["authenticate"],["secret"]]\n' in result.stderr
    assert "<- resolve 2 1\n" in result.stderr


async def test_a_call_may_take_so_long_and_no_longer() -> None:
    class Slow(PlainTarget):
        async def add(self, a: int, b: int) -> int:
            await asyncio.Event().wait()
            return a + b

    async with serve(lambda peer: Slow(), "127.0.0.1", 0) as server:
        result = await run("call", server.url, "add(1, 2)", "--untyped", "--timeout", "0.05")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("DeadlineExceeded: ")


async def test_a_server_that_is_not_there_is_told() -> None:
    result = await run("call", "ws://127.0.0.1:1/", "a")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "127.0.0.1:1/" in result.stderr


async def test_it_goes_over_tls_and_webtransport(tmp_path: Path) -> None:
    pytest.importorskip("aioquic")
    made = make_certificate(tmp_path)
    certificate = Certificate(made.certificate.chain, made.certificate.key)
    async with serve(
        front, "127.0.0.1", 0, ssl=certificate, transports=["websocket", "webtransport"], reflection=True
    ) as server:
        for url, more in ((server.url, ()), (server.http_url, ("--webtransport",))):
            asked = ("call", url, "authenticate('secret').me()", *more)
            result = await run(*asked, "--ca", str(made.authority))
            assert (result.exit_code, result.stdout, result.stderr) == (0, "1\n", "")
            result = await run(*asked)
            assert (result.exit_code, result.stdout, "certificate" in result.stderr) == (1, "", True)


HOSTILE = "\x1b[31mred\x07\n\u202e"


async def test_nothing_that_a_terminal_obeys_comes_through(server: Server) -> None:
    class Hostile(PlainTarget):
        def add(self, a: int, b: int) -> int:
            raise RpcError(HOSTILE, HOSTILE, props=HOSTILE)

    async with serve(lambda peer: Hostile(), "127.0.0.1", 0) as serving:
        result = await run("call", serving.url, "add(1, 2)", "--untyped", "--trace")
    assert result.exit_code == 1
    assert all(line.isprintable() for line in result.stderr.split("\n"))


@pytest.mark.parametrize(
    "document",
    [
        "[]", "{}", '{"schemas": []}', '{"schemas": [{}]}', '{"format": 1, "main": [], "schemas": []}',
        '{"format": 1, "main": [{"module": "a", "name": "B"}], "schemas": []}',
        '{"format": 1, "main": [{"module": "a", "name": "B"}], "schemas": [{"format": 2}]}',
        '{"format": 1, "main": [{"module": "a\\u001b", "name": "B"}], "schemas": []}',
        '{"format": 1, "main": [], "schemas": [{"format": 1, "module": "a\\u001b", "path": "", "output": "a.py"}]}',
        "[" * 100_000,
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["call", "repl"])
async def test_a_server_that_says_nonsense_of_itself_is_told(document: str, command: str) -> None:
    async def nonsense(_: aiohttp.web.BaseRequest) -> aiohttp.web.Response:
        return aiohttp.web.Response(text=document, content_type="application/json")

    server = aiohttp.web.Server(nonsense)
    runner = aiohttp.web.ServerRunner(server)
    await runner.setup()
    site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        url = f"ws://127.0.0.1:{runner.addresses[0][1]}/"
        result = await run(command, url, *(["a"] if command == "call" else []))
    finally:
        await runner.cleanup()
    assert (result.exit_code, result.stdout) == (1, "")
    assert isinstance(result.exception, SystemExit)
    assert all(line.isprintable() for line in result.stderr.split("\n"))


async def test_of_a_url_its_own_description_is_printed_which_compiles(server: Server, project: Write) -> None:
    root = project({})
    for url in (server.url, server.http_url):
        result = await run("ir", url)
        assert (result.exit_code, result.stderr) == (0, "")
        assert json.loads(result.stdout)["main"] == [{"module": "schemas.accounts", "name": "PublicApi"}]
    (root / "served.json").write_text(result.stdout)
    assert (await run("served.json", "--out", "made")).exit_code == 0
    assert "class PublicApiStub" in (root / "made" / "accounts.py").read_text()
    result = await run("call", server.url, "authenticate('secret').me()", "--schema", "served.json")
    assert result.stdout == "1\n"


async def test_ir_takes_one_url_or_schemas(silent: Server) -> None:
    assert (await run("ir", silent.url, SCHEMA)).exit_code == 2
    assert (await run("ir", SCHEMA, "--header", "a: b")).exit_code == 2
    result = await run("ir", silent.url)
    assert (result.exit_code, result.stdout, "405" in result.stderr) == (1, "", True)
