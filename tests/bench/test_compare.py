"""A comparison goes on when a contender fails or cannot be installed, gives everybody a turn in each round, and
keeps to its time.
"""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest
from rich.console import Console

from tests.bench import compare, environments
from tests.bench.compare import Plan, available
from tests.bench.contenders import Contender
from tests.bench.progress import Steps

SERVER = (sys.executable, "-c", "import signal; print('READY', flush=True); signal.pause()", "{port}")
FINE = (sys.executable, "-c", "print('{\"rate\": 5}')")
BROKEN = (sys.executable, "-c", "raise ValueError('lost')")


def plan(*contenders: Contender, workloads: tuple[str, ...] = ("a",), rounds: int = 1, deadline: float = 60) -> Plan:
    return Plan(contenders, workloads, rounds, seconds=0, cycles=0, mib=0, deadline=deadline)


def contender(key: str, client: tuple[str, ...], workloads: tuple[str, ...] = ("a", "b64", "f100k")) -> Contender:
    return Contender(key, key, SERVER, client, workloads)


@pytest.fixture
def said() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def steps(said: io.StringIO) -> Steps:
    return Steps(Console(file=said))


def test_contender_that_fails_is_noted_and_the_others_go_on(steps: Steps, said: io.StringIO) -> None:
    results = compare.compare(plan(contender("broken", BROKEN), contender("fine", FINE)), steps)
    assert [turn["contender"] for turn in results] == ["broken", "fine"]
    assert results[0]["error"].endswith("ValueError: lost")
    assert results[1]["rate"] == 5
    assert "ValueError: lost" in said.getvalue()


def test_contender_whose_server_does_not_start_is_noted(steps: Steps) -> None:
    silent = Contender("silent", "silent", (sys.executable, "-c", "pass"), FINE)
    (turn,) = compare.compare(plan(silent), steps)
    assert turn["error"].endswith("ended before it was ready")


def test_everybody_has_a_turn_at_each_workload_in_each_round() -> None:
    first, second = contender("first", FINE), contender("second", FINE, ("b64",))
    turns = plan(first, second, workloads=("a", "b64", "f100k")).turns(0)
    assert [(workload, one.key) for workload, one in turns] == [
        ("a", "first"),
        ("b64", "first"),
        ("b64", "second"),
        ("f100k", "first"),
    ]
    assert "f100k" not in [workload for workload, _ in plan(first, workloads=("a", "f100k")).turns(1)]


def test_no_round_is_begun_for_which_there_is_no_time(steps: Steps, said: io.StringIO) -> None:
    results = compare.compare(plan(contender("fine", FINE), rounds=3, deadline=0), steps)
    assert [turn["round"] for turn in results] == [0]
    assert "no time for round 2" in said.getvalue()


def test_server_that_has_died_is_started_again() -> None:
    servers = compare.Servers()
    try:
        first = servers.get(SERVER)
        assert servers.get(SERVER) is first
        first.close()
        assert servers.get(SERVER).alive
    finally:
        servers.close()


def test_peer_that_cannot_be_installed_is_missing_with_the_reason(
    steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare(name: str, requirements: str, say: Any) -> str:
        return "rare==9: No matching distribution"

    monkeypatch.setattr(environments, "prepare", prepare)
    monkeypatch.setattr(environments, "versions", lambda python: {"common": "1"})
    rare = Contender("rare", "rare", SERVER, FINE, ("a",), "peers", "rare")
    common = Contender("common", "common", SERVER, FINE, ("a",), "peers", "common")
    own = contender("own", FINE)
    ready, absent = available([own, rare, common], steps)
    assert ready == [own, common]
    assert absent == {"rare": "not installed: rare==9: No matching distribution"}


def test_serving_runs_a_contender_by_its_title() -> None:
    with compare.serving("capnweb-gen") as port:
        assert port > 1023
