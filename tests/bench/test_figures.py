"""Figures are medians over rounds, ratios to the npm package, and unknown where nothing was measured."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bench.figures import WORKLOADS, Results

ADD = WORKLOADS[0]
STREAM = WORKLOADS[-1]


def turn(workload: str, contender: str, number: int, **figures: Any) -> dict[str, Any]:
    return {"workload": workload, "contender": contender, "round": number, **figures}


def results(*turns: dict[str, Any], growth: tuple[dict[str, Any], ...] = ()) -> Results:
    return Results({"turns": list(turns), "growth": list(growth)})


def test_median_over_rounds_counts() -> None:
    found = results(*[turn("a", "ours", number, rate=rate) for number, rate in enumerate((5.0, 100.0, 7.0))])
    assert found.median(ADD, "ours") == 7
    assert found.spread(ADD, "ours") == pytest.approx((100 - 5) / 2 / 7)


def test_each_workload_has_a_figure_of_its_own() -> None:
    found = results(turn("g", "ours", 0, rate=4000.0, MBps=250.0), turn("g", "npm", 0, rate=1600.0, MBps=100.0))
    assert found.ratio(STREAM, "ours") == 2.5


def test_ratio_is_unknown_without_either_side() -> None:
    assert results(turn("a", "ours", 0, rate=1.0)).ratio(ADD, "ours") is None
    assert results(turn("a", "npm", 0, rate=1.0)).ratio(ADD, "ours") is None


def test_failure_counts_only_if_no_round_succeeded() -> None:
    once = (turn("a", "ours", 0, error="lost"), turn("a", "ours", 1, rate=3.0))
    never = (turn("a", "rpyc", 0, error="lost"), turn("a", "rpyc", 1, error="lost again"))
    found = results(*once, *never)
    assert found.median(ADD, "ours") == 3
    assert found.errors() == {("rpyc", "a"): "lost again"}


def test_curve_is_of_one_side_and_label_and_leaves_failures_out() -> None:
    points: list[dict[str, Any]] = [
        {"what": "pipeline", "side": "ours", "round_trip": 0.1, "size": 1, "pipelined_ms": 100.0},
        {"what": "pipeline", "side": "ours", "round_trip": 0.02, "size": 1, "pipelined_ms": 20.0},
        {"what": "pipeline", "side": "npm", "round_trip": 0.1, "size": 1, "pipelined_ms": 101.0},
        {"what": "pipeline", "side": "ours", "round_trip": 0.1, "error": "lost"},
    ]
    found = results(growth=tuple(points))
    assert found.curve("pipeline", "ours", "pipelined_ms", factor=1e-3, round_trip=0.1) == [(1, 0.1)]
    assert found.growth_errors() == ["pipeline, ours: lost"]


def test_worst_compares_the_largest_with_the_first() -> None:
    points = [
        {"what": "exports", "side": "ours", "size": size, "us": us} for size, us in ((10, 4.0), (100, 6.0), (9, 5.0))
    ]
    found = results(growth=tuple(points))
    assert found.worst("exports", "ours", "us") == 1.5
    assert found.worst("exports", "npm", "us") is None
