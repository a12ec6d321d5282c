"""Growth is measured at every size, one side after the other; a point that fails does not keep the others from it."""

from __future__ import annotations

import io
import sys

import pytest
from rich.console import Console

from tests.bench import growth
from tests.bench.growth import ROUND_TRIPS, Measurement, plan
from tests.bench.progress import Steps

SERVER = (sys.executable, "-c", "import signal; print('READY', flush=True); signal.pause()", "{port}")


@pytest.fixture
def steps() -> Steps:
    return Steps(Console(file=io.StringIO()))


def sizes(scale: float) -> dict[str, tuple[int, ...]]:
    return {measurement.what: measurement.sizes for measurement in plan(scale)}


def test_whole_plan_goes_up_to_what_was_promised() -> None:
    whole = sizes(1)
    assert whole["exports"] == (10, 100, 1_000, 10_000, 100_000, 1_000_000)
    assert whole["connections"] == (1, 10, 100, 1_000)
    assert whole["payload"][-1] == 10_000_000
    assert whole["pipeline"][-1] == 100
    assert whole["busy"] == (256,)


def test_smaller_scale_leaves_out_the_largest_sizes_and_never_all() -> None:
    small = sizes(0.01)
    assert small["exports"] == (10, 100, 1_000, 10_000)
    assert small["connections"] == (1, 10)
    assert all(small.values())


def test_point_that_fails_is_noted_and_the_others_go_on(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    program = (
        "import sys; sys.argv[1] == 'exports' or sys.exit('lost'); print('{\"points\": [{\"size\": 1, \"us\": 5}]}')"
    )
    monkeypatch.setattr(growth, "SERVERS", {"ours": SERVER})
    monkeypatch.setattr(growth, "CLIENTS", {"ours": (sys.executable, "-c", program)})
    results = growth.measure([Measurement(what, (1,), sides=("ours",)) for what in ("busy", "exports")], steps)
    assert results[0]["error"].endswith(": lost")
    assert results[1] == {"what": "exports", "side": "ours", "size": 1, "us": 5}


def test_pipelines_are_measured_at_each_round_trip(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "SERVERS", {"ours": SERVER})
    monkeypatch.setattr(growth, "CLIENTS", {"ours": (sys.executable, "-c", 'print(\'{"points": [{"size": 1}]}\')')})
    results = growth.measure([Measurement("pipeline", (1,), sides=("ours",))], steps)
    assert [point["round_trip"] for point in results] == list(ROUND_TRIPS)


def test_one_by_one_means_a_run_for_each_size() -> None:
    assert Measurement("connections", (1, 10), one_by_one=True).runs() == [(1,), (10,)]
    assert Measurement("exports", (1, 10)).runs() == [(1, 10)]
