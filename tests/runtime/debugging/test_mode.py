"""What debug mode shows, and where."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from capnweb_runtime import Pool, Reconnect, Sampling, connect, connect_blocking, serve
from capnweb_runtime.debugging.mode import debug_logger, main_of
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.transports import memory
from generated.accounts import PublicApiStub
from tests.bench.generated.plain import PlainStub
from tests.gen.golden.blocking.expected import CloseableBlockingStub, CloseableTarget
from tests.project.sources import ROOT
from tests.runtime.transports.example_api import Example, ExampleStub

PROGRAM = """
import asyncio, logging, sys
from capnweb_runtime.transports import memory
from tests.runtime.transports.example_api import Example, ExampleStub

{before}

async def main():
    client, _ = memory.pair(None, Example())
    api = client.main(ExampleStub)
    print(await api.add(1, 2), flush=True)
    api.dispose()

asyncio.run(main())
print("capnweb_runtime.debugging.session" in sys.modules)
"""


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Leaves the logger as other tests expect it."""
    level, handlers = debug_logger.level, [*debug_logger.handlers]
    yield
    debug_logger.setLevel(level)
    debug_logger.handlers[:] = handlers


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "capnweb_runtime.debug"]


def ran(before: str = "", said: str | None = "1") -> tuple[list[str], list[str]]:
    """What a program of its own prints, and writes to stderr."""
    environment = {key: value for key, value in os.environ.items() if key != "CAPNWEB_DEBUG"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(before=before)],
        cwd=ROOT,
        env=environment if said is None else {**environment, "CAPNWEB_DEBUG": said},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout.splitlines(), done.stderr.splitlines()


def test_the_environment_has_messages_written_to_stderr() -> None:
    printed, told = ran()
    assert printed == ["3", "True"]
    assert re.fullmatch(r"a session -> push #1 Example\.add\(a=1, b=2\) at <string>:\d+", told[0])
    assert "a session <- resolve #1 Example.add = 3" in told


def test_who_configures_logging_has_them_there() -> None:
    _, told = ran('logging.basicConfig(format="%(name)s|%(levelname)s|%(message)s")')
    assert told[0].startswith("capnweb_runtime.debug|DEBUG|a session -> push #1 Example.add(a=1, b=2)")
    assert len([one for one in told if "push #1" in one]) == 2  # at both ends, once each


def test_who_sets_a_level_is_not_overruled() -> None:
    printed, told = ran('logging.getLogger("capnweb_runtime.debug").setLevel(logging.WARNING)')
    assert (printed, told) == (["3", "True"], [])


@pytest.mark.parametrize("said", [None, "0", ""])
def test_nothing_is_imported_where_nobody_asks(said: str | None) -> None:
    assert ran(said=said) == (["3", "False"], [])


async def test_each_end_of_a_connection_says_who_the_other_is(caplog: pytest.LogCaptureFixture) -> None:
    async with serve(Example, "127.0.0.1", 0, path="/rpc", debug=True) as server:
        for url in (server.url, server.http_url):
            async with connect(url, ExampleStub, debug=True) as api:
                assert await api.add(1, 2) == 3
    told = [re.sub(r":\d+(?= over)", ":PORT", one) for one in lines(caplog)]
    for url, over in ((server.url, "websocket"), (server.http_url, "http")):
        assert f"127.0.0.1:PORT over {over} at /rpc <- push #1 Example.add(a=1, b=2)" in told
        assert f"{url} <- resolve #1 Example.add = 3" in told


async def test_whatever_opens_sessions_knows_debug_mode(caplog: pytest.LogCaptureFixture) -> None:
    async with serve(Example, "127.0.0.1", 0) as server:
        connecting = connect(server.url, ExampleStub, reconnect=Reconnect(), debug=True)
        async with connecting as api:
            assert await api.add(1, 2) == 3
            (main,) = connecting.capabilities()
            assert (main.name, main.kind) == ("Example", "main")
        async with Pool(server.url, ExampleStub, size=1, debug=True) as pool:
            assert await pool.stub.add(3, 4) == 7
        assert len([one for one in lines(caplog) if "-> push #1 Example.add(" in one]) == 2
    async with serve(lambda peer: Closing(), "127.0.0.1", 0) as server:
        await asyncio.to_thread(blocking, server.url)
    assert any("-> push #1 Closeable.close()" in one for one in lines(caplog))


class Closing(CloseableTarget):
    def close(self) -> None: ...


def blocking(url: str) -> None:
    with connect_blocking(url, CloseableBlockingStub, debug=True) as api:
        api.close()


async def test_sampling_watches_no_loop_and_shows_nothing(caplog: pytest.LogCaptureFixture) -> None:
    asyncio.get_running_loop().slow_callback_duration = 0.0
    client, _ = memory.pair(None, Example(), debug=Sampling(every=1))
    api = client.main(ExampleStub)
    assert await api.add(1, 2) == 3
    api.dispose()
    assert not caplog.records


async def test_a_tap_can_come_and_go(caplog: pytest.LogCaptureFixture) -> None:
    class Counting:
        def __init__(self) -> None:
            self.got = self.gave = 0

        def received(self, messages: list[object]) -> None:
            self.got += len(messages)

        def sent(self, messages: list[object]) -> None:
            self.gave += len(messages)

    client, _ = memory.pair(None, Example())
    plain = client._wire
    first, second = Counting(), Counting()
    api = client.main(ExampleStub)
    untap = client.tap(first)
    end_second = client.tap(second)
    assert await api.add(1, 2) == 3
    untap()
    untap()
    assert await api.add(1, 2) == 3
    await asyncio.sleep(0)
    end_second()
    assert client._wire is plain
    assert await api.add(1, 2) == 3
    assert (first.got, first.gave) == (1, 2)
    assert (second.got, second.gave) == (2, 6)
    api.dispose()


def test_the_main_object_is_known_by_its_stubs() -> None:
    known = main_of(PublicApiStub)
    assert known.name == "PublicApi"
    assert known.members is not None
    assert "authenticate" in known.members
    assert main_of(PlainStub).name == "Plain"
    assert main_of(None).name == ""
    assert main_of(object).members is None


async def test_a_level_that_shows_nothing_costs_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    debug_logger.setLevel(logging.INFO)
    monkeypatch.setattr("capnweb_runtime.debugging.mode.line", None)
    client = Connection(debug=True)
    server = Connection(Example(), debug=True)
    memory.join(client, server)
    api = client.main(ExampleStub)
    assert await api.add(1, 2) == 3
    api.dispose()
