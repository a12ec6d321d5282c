"""Servers that are told to stop, as programs of their own."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from capnweb_runtime.connecting.connect import connect
from capnweb_runtime.errors import GoingAway, SessionClosed
from capnweb_runtime.serving.serve import serve
from tests.runtime.transports.example_api import Example, ExampleStub

ROOT = Path(__file__).parents[3]
PROGRAM = """
import asyncio, sys
from capnweb_runtime import serve
from tests.runtime.transports.example_api import Example

opened = asyncio.Event()

class Served(Example):
    async def wait(self, gate: str) -> str:
        print("called", flush=True)
        try:
            await opened.wait()
            return gate
        except asyncio.CancelledError:
            print("cancelled", flush=True)
            if gate == "stubborn":
                await opened.wait()
            raise

    def echo(self, value: object) -> None:
        opened.set()

    def dispose(self) -> None:
        print("disposed", flush=True)

async def main() -> None:
    async with serve(Served, "127.0.0.1", 0) as server:
        print(server.url, flush=True)
        await server.run(grace=GRACE)
    print("stopped", flush=True)

LOOP.run(main())
"""
SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])


class Program:
    """A server in a process of its own."""

    def __init__(self, process: Process, url: str) -> None:
        self.process = process
        self.url = url

    async def line(self) -> str:
        assert self.process.stdout is not None
        return (await self.process.stdout.readline()).decode().rstrip()

    async def rest(self) -> tuple[int | None, list[str], str]:
        """Exit code, what else it printed, and what stands on its standard error."""
        out, err = await self.process.communicate()
        return self.process.returncode, out.decode().split(), err.decode()


@asynccontextmanager
async def program(grace: str = "60", loop: str = "asyncio") -> AsyncIterator[Program]:
    text = PROGRAM.replace("GRACE", grace).replace("LOOP", loop)
    text = text if loop == "asyncio" else f"import {loop}\n{text}"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", text, cwd=ROOT, stdout=PIPE, stderr=PIPE)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            yield Program(process, (await process.stdout.readline()).decode().rstrip())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@SIGNALS
async def test_a_signal_lets_calls_end_and_the_program_after_them(number: signal.Signals, loop: str) -> None:
    async with program(loop=loop) as server, connect(server.url, ExampleStub) as api:
        waiting = asyncio.ensure_future(api.wait("gate"))
        assert await server.line() == "called"
        server.process.send_signal(number)
        await refuses(server.url)
        assert not waiting.done()
        await api.echo("open")
        assert await waiting == "gate"
        code, printed, err = await server.rest()
        assert (code, printed[-1], set(printed), err) == (0, "stopped", {"disposed", "stopped"}, "")


@SIGNALS
async def test_an_idle_server_stops_at_once(number: signal.Signals) -> None:
    async with program() as server:
        async with connect(server.url, ExampleStub) as api:
            await api.add(1, 2)  # what is printed comes before signals are handled, and this after it
        server.process.send_signal(number)
        assert await server.rest() == (0, ["disposed", "stopped"], "")


async def test_calls_that_do_not_end_are_cancelled_once_the_grace_is_over() -> None:
    async with program(grace="0.05") as server, connect(server.url, ExampleStub) as api:
        waiting = asyncio.ensure_future(api.wait("gate"))
        assert await server.line() == "called"
        server.process.send_signal(signal.SIGTERM)
        with pytest.raises(SessionClosed, match="The server is shutting down"):
            await waiting
        code, printed, err = await server.rest()
        assert (code, sorted(printed)) == (0, ["cancelled", "disposed", "stopped"])
        assert "closing with 1 calls in progress after waiting 0.05 s for them" in err
        assert "Traceback" not in err


@SIGNALS
async def test_a_second_signal_cancels_calls_at_once(number: signal.Signals) -> None:
    async with program() as server, connect(server.url, ExampleStub) as api:
        waiting = asyncio.ensure_future(api.wait("gate"))
        assert await server.line() == "called"
        server.process.send_signal(number)
        await refuses(server.url)
        server.process.send_signal(number)
        with pytest.raises(SessionClosed, match="The server is shutting down"):
            await waiting
        code, printed, err = await server.rest()
        assert (code, set(printed), err) == (0, {"cancelled", "disposed", "stopped"}, "")


async def test_a_third_signal_ends_a_program_whose_calls_do_not() -> None:
    async with program() as server, connect(server.url, ExampleStub) as api:
        waiting = asyncio.ensure_future(api.wait("stubborn"))
        assert await server.line() == "called"
        server.process.send_signal(signal.SIGTERM)
        await refuses(server.url)
        server.process.send_signal(signal.SIGTERM)
        while await server.line() != "cancelled":
            pass
        server.process.send_signal(signal.SIGTERM)
        code, _, _ = await server.rest()
        assert code == -signal.SIGTERM
        with pytest.raises(SessionClosed):
            await waiting


async def refuses(url: str) -> None:
    """Waits until a server accepts nobody any more."""
    while True:
        try:
            await (await connect(url, ExampleStub)).add(1, 2)
        except SessionClosed:
            return


async def test_a_server_that_is_closed_otherwise_ends_the_wait_and_handlers_are_as_before() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    async with asyncio.timeout(60), serve(Example, "127.0.0.1", 0) as server:
        running = asyncio.ensure_future(server.run())
        await asyncio.sleep(0)
        assert signal.getsignal(signal.SIGTERM) != before[1]
        await server.close()
        await running
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


async def test_the_application_is_asked_to_stop_before_anybody_is_refused() -> None:
    seen: list[int] = []
    async with asyncio.timeout(60), serve(Example, "127.0.0.1", 0) as server:
        api = await connect(server.url, ExampleStub)

        async def stop() -> None:
            async with connect(server.url, ExampleStub) as other:
                seen.append(await other.add(1, await api.add(1, 1)))

        running = asyncio.ensure_future(server.run(on_stop=stop))
        await asyncio.sleep(0)
        signal.raise_signal(signal.SIGTERM)
        await running
        with pytest.raises(GoingAway):
            await api.add(1, 2)
    assert seen == [3]


@pytest.mark.parametrize("way", ["raises", "hangs"])
async def test_an_application_that_fails_to_stop_is_logged_and_the_server_stopped(
    way: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def stop() -> None:
        if way == "raises":
            raise LookupError("no such queue")
        await asyncio.Event().wait()

    async with asyncio.timeout(60), serve(Example, "127.0.0.1", 0) as server:
        running = asyncio.ensure_future(server.run(grace=60 if way == "raises" else 0.01, on_stop=stop))
        await asyncio.sleep(0)
        signal.raise_signal(signal.SIGTERM)
        await running
        await server.wait_closed()
    assert ("on_stop of run() has failed" if way == "raises" else "was given up after 0.01 s") in caplog.text


async def test_a_second_signal_gives_up_an_application_that_does_not_stop() -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def stop() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with asyncio.timeout(60), serve(Example, "127.0.0.1", 0) as server:
        running = asyncio.ensure_future(server.run(grace=None, on_stop=stop))
        await asyncio.sleep(0)
        signal.raise_signal(signal.SIGTERM)
        await begun.wait()
        signal.raise_signal(signal.SIGTERM)
        await running
        assert cancelled.is_set()


async def test_cancelling_the_wait_puts_the_handlers_back_and_leaves_the_server_alone() -> None:
    before = signal.getsignal(signal.SIGTERM)
    async with asyncio.timeout(60), serve(Example, "127.0.0.1", 0) as server:
        running = asyncio.ensure_future(server.run())
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert signal.getsignal(signal.SIGTERM) == before
        async with connect(server.url, ExampleStub) as api:
            assert await api.add(1, 2) == 3


def test_another_thread_is_told_what_to_do_instead() -> None:
    told: list[str] = []

    async def main() -> None:
        async with serve(Example, "127.0.0.1", 0) as server:
            with pytest.raises(RuntimeError) as caught:
                await server.run()
            told.append(str(caught.value))

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    thread.join(60)
    assert "works in the main thread only" in told[0]
    assert "drain()" in told[0]


async def test_a_loop_that_knows_no_signals_is_told_by_the_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> None:
        raise NotImplementedError

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "add_signal_handler", refuse)
    monkeypatch.setattr(loop, "remove_signal_handler", refuse)
    async with asyncio.timeout(60), serve(Example, "127.0.0.1", 0) as server:
        running = asyncio.ensure_future(server.run())
        await asyncio.sleep(0)
        signal.raise_signal(signal.SIGTERM)
        await running
        await server.wait_closed()
