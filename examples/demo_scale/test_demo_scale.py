"""The demonstration shows what its README claims, with a Redis and without."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections import Counter
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from capnweb_runtime import connect
from capnweb_runtime.scale import MemoryBackplane, follow
from capnweb_runtime.scale.schema import TopicGap
from capnweb_runtime.testing import PairFixture
from examples.demo_scale.__main__ import EVENTS, Heard, judged, shown
from examples.demo_scale.board import Board
from examples.demo_scale.generated.demo_scale import BoardStub
from examples.demo_scale.workers import two_workers
from examples.form.headers import ROOT
from examples.form.report import Report
from examples.form.testing import as_documented, output
from tests.needs import needs_redis


@needs_redis
def test_it_prints_what_is_documented_and_its_numbers_are_those_of_the_readme() -> None:
    ran = as_documented("demo_scale")
    assert ran.number("calls that were answered") == ran.number("different things that the client has heard") == EVENTS
    assert ran.number("of them more than once") == ran.number("gaps") == 0


def test_without_a_redis_it_says_so_and_claims_the_same(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "examples.demo_scale"],
        cwd=ROOT,
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "redis-server is not installed here" in done.stdout

    def claims(text: str) -> list[str]:
        return [line for line in text.splitlines() if "  ok  " in line]

    assert claims(done.stdout) == claims(output("demo_scale"))


async def test_what_is_said_twice_is_heard_once(capnweb_pair: PairFixture) -> None:
    async with capnweb_pair(Board(MemoryBackplane(), 1), BoardStub) as board, follow(board.events()) as events:
        for number in (1, 1, 2):
            await board.say(number)
        heard = [await anext(events), await anext(events)]
    assert [None if isinstance(item, TopicGap) else item.data.number for item in heard] == [1, 2]


async def test_without_a_redis_a_worker_that_is_killed_is_replaced_at_its_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    async with two_workers() as workers, asyncio.timeout(60):
        await workers.kill(2)
        found: list[int] = []
        for url in workers.urls:
            async with connect(url, BoardStub) as board:
                found.append(await board.worker())
    assert found == [1, 3]


@pytest.mark.parametrize(("numbers", "broken"), [([*range(1, EVENTS)], 1), ([*range(1, EVENTS), 1], 2)])
def test_what_is_missing_or_doubled_is_told(numbers: list[int], broken: int) -> None:
    """The last one is missing, and in its place there is nothing, or the first one again."""
    report = Report(console=Console(file=StringIO()))
    judged(report, Heard(numbers, [7] * len(numbers), 0, [7, 8]), Counter({8: EVENTS}))
    assert len([claim for claim in report.broken if "order" not in claim]) == broken


def test_on_a_terminal_there_is_a_picture() -> None:
    screen = StringIO()
    shown(
        Report(console=Console(file=screen, force_terminal=True)), Heard([*range(20)], [7] * 10 + [8] * 10, 0, [7, 8])
    )
    assert (screen.getvalue().count("■"), screen.getvalue().count("□")) == (3, 3)
