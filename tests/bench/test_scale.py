"""What docs/performance.md says of processes that share an engine: what was measured, and a dash where nothing was."""

from __future__ import annotations

from typing import Any

from tests.bench import scale_texts
from tests.bench.scale import percentiles


def measured() -> dict[str, Any]:
    told = {"subscribers": 100, "rate": 5_000.0, "cpu_us": 40.0, "kb": 24.0, "gaps": 0}
    return {
        "run": {"scale": 1.0},
        "machine": {"Measured": "today", "Python": "3.11", "Load before": "0.10"},
        "versions": {"Redis": "7.0.15"},
        "latency": {"memory": {"p50_us": 100.0, "p99_us": 200.0}, "redis": {"p50_us": 700.0, "p99_us": 2_000.0}},
        "told": {"redis": {"1": told, "2": None}},
        "reads": {"redis": {"rate": 9_000.0, "engine_us": 60.0}},
        "takeover": {"redis": {"killed": 1.25, "left": 0.05, "resumed": None}},
        "calls": {"redis": {"local": {"rate": 9_000.0, "p50_us": 250.0, "p99_us": 900.0}}},
        "subscribers": [told],
        "model": [
            {
                "workers": 10,
                "subscribers": 10_000,
                "pairs": 1_000,
                "given": {"reads": 9_000.0, "deliveries": 25_000.0, "bytes": 24_000},
                "parts": {"memory of a worker": 0.04, "events sent to workers": 0.11},
                "first": "events sent to workers",
                "storm": {"positions": 1_000, "history": 1_000, "seconds": 2.1, "peak": 1_988, "attempts": 300},
            }
        ],
        "failed": ["redis, 2 workers: TimeoutError"],
    }


def test_nothing_is_said_where_nothing_was_measured() -> None:
    assert scale_texts.section(None) is None
    assert scale_texts.plots(None) == {}


def test_what_failed_is_a_dash_and_is_named() -> None:
    said = scale_texts.section(measured())
    assert said is not None
    memory, redis = said["engines"]
    assert memory["cells"] == ["0.10 ms", "0.20 ms", "–", "–", "–", "–", "–"]
    assert redis["cells"] == ["0.70 ms", "2.00 ms", "5,000", "–", "40 µs", "–", "9,000"]
    assert said["owners"][0]["cells"] == ["1.25 s", "0.05 s", "–", "9,000", "0.25 ms", "–", "–"]
    assert said["failed"] == ["redis, 2 workers: TimeoutError"]


def test_the_model_says_which_bound_is_met_first() -> None:
    said = scale_texts.section(measured())
    assert said is not None
    assert said["model"][0]["cells"][-1] == "events sent to workers, 11%"
    assert [*scale_texts.plots(measured())] == ["bounds.svg"]


def test_percentiles_are_of_what_was_taken() -> None:
    assert percentiles([number / 1e6 for number in range(1, 101)]) == {"p50_us": 50.5, "p99_us": 100.0}
