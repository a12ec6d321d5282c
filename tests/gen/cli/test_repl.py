"""`capnweb-gen repl`: lines in, answers out; on a terminal with completion."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator

import pytest

from capnweb_runtime import serve
from capnweb_runtime.serving.server import Server
from examples.demo.server import Accounts, Authed, Front
from tests.gen.cli.test_call import run
from tests.project.sources import ROOT

pty = pytest.importorskip("pty", reason="needs a system with terminals")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serve(lambda peer: Front(Accounts()), "127.0.0.1", 0, path="/rpc", reflection=True) as serving:
        yield serving


async def test_each_line_is_answered_in_one_session(server: Server) -> None:
    lines = "\nme = authenticate('secret')\nme.user_name\nhelp me.me\n  \nme.get_profile(_)\nexit\nnever\n"
    result = await run("repl", server.url, given=lines.replace("(_)", "(me.friends()[0])"))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        '"Ada"\n'
        "me() -> int\n"
        "    The id of this user.\n"
        '{\n  "id": 2,\n  "name": "Grace",\n  "tags": [\n    "compilers"\n  ]\n}\n'
    )


async def test_a_line_that_fails_does_not_end_it_but_is_told_in_the_end(server: Server) -> None:
    result = await run("repl", server.url, given="nothing\nhelp zzz\nauthenticate('secret').me()\n")
    assert (result.exit_code, result.stdout) == (1, "1\n")
    assert result.stderr == (
        "expression:1:1: PublicApi has no 'nothing'\n"
        "    1 | nothing\n"
        "      | ^^^^^^^\n"
        "    hint: there is authenticate\n"
        "expression:1:1: PublicApi has no 'zzz'\n"
        "    1 | zzz\n"
        "      | ^^^\n"
        "    hint: there is authenticate\n"
    )


async def test_it_works_over_batches_and_without_types(server: Server) -> None:
    result = await run("repl", server.http_url, "--untyped", given="authenticate('secret').me()\nx = a\n")
    assert (result.exit_code, result.stdout) == (1, "1\n")
    assert "a batch ends with its answer" in result.stderr


async def test_without_a_server_nothing_is_asked() -> None:
    for more in ((), ("--untyped",)):
        result = await run("repl", "ws://127.0.0.1:1/", *more, given="a\n")
        assert (result.exit_code, result.stdout) == (1, "")
        assert "127.0.0.1:1/" in result.stderr


async def test_on_a_terminal_words_are_completed_and_calls_given_up(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = asyncio.Event()

    async def friends(_: Authed) -> list[int]:
        waiting.set()
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(Authed, "friends", friends)
    pytest.importorskip("readline", reason="needs readline")
    ours, its = pty.openpty()
    environment = {**os.environ, "TERM": "dumb", "COLUMNS": "200", "PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "capnweb_gen.cli", "repl", server.url, stdin=its, stdout=its, stderr=its, env=environment
    )
    os.close(its)
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(os.dup(ours), "rb", buffering=0)
    )

    async def until(text: str) -> None:
        async with asyncio.timeout(60):
            await reader.readuntil(text.encode())

    try:
        await until(">>> ")
        os.write(ours, b"me = auth\t")
        await until("authenticate(")
        os.write(ours, b"'secret')\n")
        await until(">>> ")
        os.write(ours, b"me.get_pr\t")
        await until("get_profile(")
        os.write(ours, b"2).name\n")
        await until("'Grace'")
        await until(">>> ")
        os.write(ours, b"me.friends()\n")
        await asyncio.wait_for(waiting.wait(), 60)
        process.send_signal(signal.SIGINT)
        await until("given up")
        await until(">>> ")
        os.write(ours, b"me.me()\n")
        await until("1\r\n")
        await until(">>> ")
        os.write(ours, b"\x04")
        assert await asyncio.wait_for(process.wait(), 60) == 0
    finally:
        transport.close()
        os.close(ours)
        if process.returncode is None:
            process.kill()
            await process.wait()
