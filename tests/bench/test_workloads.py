"""Every workload and every measurement of growth runs, with this project and with the npm package, at the smallest size
that there is. What comes out is of no interest here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.bench import growth
from tests.bench.contenders import ALL, CONTENDERS
from tests.bench.driver import ITEMS, TOTAL_SCORE
from tests.bench.growth_client import MEASUREMENTS
from tests.bench.processes import NODE, PYTHON, Server, figures
from tests.needs import needs_node

LEAST = ("--dur", "0", "--warm", "0", "--cycles", "64", "--mib", "1")
CLIENT = (*PYTHON, "tests.bench.client")
NPM_CLIENT = (*NODE, "tests/bench/client.mjs")
SIZES = {"exports": "10,100", "pipeline": "1,3"}
FIGURES = {
    "exports": {"us"},
    "capabilities": {"client_kb", "server_kb"},
    "sessions": {"client_kb", "server_kb"},
    "connections": {"rate", "p99_us"},
    "busy": {"p50_us", "p99_us"},
    "payload": {"bytes_us", "text_us"},
    "pipeline": {"pipelined_ms"},
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(growth.SERVERS[growth.OURS]) as running:
        yield running


def to(server: Server, *options: str) -> list[str]:
    return ["--port", str(server.port), *options]


@pytest.mark.parametrize("workload", ALL)
def test_workload_runs(server: Server, workload: str) -> None:
    found = figures([*CLIENT, *to(server, "--srvpid", str(server.pid), "--wl", workload, *LEAST)], 60)
    assert found["rate"] > 0
    assert found["wl"] == workload


@needs_node
@pytest.mark.parametrize("workload", ALL)
def test_workload_runs_with_the_npm_package_as_client(server: Server, workload: str) -> None:
    found = figures([*NPM_CLIENT, *to(server, "--srvpid", str(server.pid), "--wl", workload, *LEAST)], 60)
    assert found["rate"] > 0


@needs_node
def test_workloads_run_with_the_npm_package_as_server() -> None:
    with Server(growth.SERVERS[growth.NPM]) as npm:
        for workload in ("c", "d", "e", "g"):
            assert figures([*CLIENT, *to(npm, "--wl", workload, *LEAST)], 60)["rate"] > 0


@pytest.mark.parametrize("what", MEASUREMENTS)
def test_growth_is_measured(server: Server, what: str) -> None:
    options = to(server, "--dur", "0", "--sizes", SIZES.get(what, "2"), "--sequential", "3")
    points = figures([*growth.CLIENTS[growth.OURS], what, *options], 60)["points"]
    assert points
    assert all(FIGURES[what] <= set(point) for point in points)


@needs_node
@pytest.mark.parametrize("what", MEASUREMENTS)
def test_growth_is_measured_with_the_npm_package(what: str) -> None:
    with Server(growth.SERVERS[growth.NPM]) as npm:
        options = to(npm, "--dur", "0", "--sizes", SIZES.get(what, "2"), "--sequential", "3")
        points = figures([*growth.CLIENTS[growth.NPM], what, *options], 60)["points"]
    assert points
    assert all(FIGURES[what] <= set(point) for point in points)


def test_slow_line_passes_on_what_it_is_given(server: Server) -> None:
    line = (*PYTHON, "tests.bench.delay", "{port}", str(server.port), "0.001")
    with Server(line) as delayed:
        assert figures([*CLIENT, *to(delayed, "--wl", "g", *LEAST)], 60)["MBps"] > 0


def test_client_and_server_are_scripts_too() -> None:
    with Server((sys.executable, "tests/bench/server.py", "{port}")) as script:
        assert figures([sys.executable, "tests/bench/client.py", *to(script, "--wl", "a", *LEAST)], 60)["rate"] > 0


def test_items_are_distinct_and_their_scores_known() -> None:
    assert len({item["id"] for item in ITEMS}) == 100
    assert sum(i * 1.5 + 0.25 for i in range(100)) == TOTAL_SCORE


def test_every_contender_has_a_key_and_a_title_of_its_own() -> None:
    assert len({contender.key for contender in CONTENDERS}) == len(CONTENDERS)
    assert len({contender.title for contender in CONTENDERS}) == len(CONTENDERS)
    assert all(set(contender.workloads) <= set(ALL) for contender in CONTENDERS)
