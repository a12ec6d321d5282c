"""What docs/performance.md says of processes that share an engine, and its plots. Rule: as in `growth_texts`, what was
measured is said, whatever came out.
"""

from __future__ import annotations

from textwrap import fill
from typing import Any

from tests.bench.chart import Axis, Series, lines

TITLES = {"memory": "memory", "redis": "Redis", "nats": "NATS", "nats_of_system": "NATS, Debian's"}
NONE = "–"
Row = dict[str, Any]


def section(data: dict[str, Any] | None) -> Row | None:
    """All tables; None if nothing was measured."""
    if data is None:
        return None
    return {
        "scale": data["run"]["scale"],
        "engines": [engine(data, name) for name in TITLES if data["latency"].get(name)],
        "owners": [owners(data, name) for name in data["takeover"]],
        "subscribers": [
            {"count": f"{row['subscribers']:,.0f}", "kb": f"{row['kb']:.0f}", "cpu": f"{row['cpu_us']:.0f}"}
            for row in data["subscribers"]
        ],
        "model": [modelled(row) for row in data["model"]],
        "given": given(data["model"]),
        "failed": data["failed"],
        "measured": fill(
            f"`make bench-scale` measures this again, and nothing else. Measured {data['machine']['Measured']}, with "
            f"Python {data['machine']['Python']}; load before: {data['machine']['Load before']}; "
            + ", ".join(f"{name} {version}" for name, version in data["versions"].items())
            + ".",
            118,
            break_long_words=False,
            break_on_hyphens=False,
        ),
    }


def engine(data: dict[str, Any], name: str) -> Row:
    """One row of what engines give."""
    latency, told = data["latency"][name], data["told"].get(name) or {}
    one, two = told.get("1"), told.get("2")
    reads = data["reads"].get(name)
    cells = [
        f"{latency['p50_us'] / 1e3:.2f} ms",
        f"{latency['p99_us'] / 1e3:.2f} ms",
        *(NONE if row is None else f"{row['rate']:,.0f}" for row in (one, two)),
        *(NONE if row is None else f"{row['cpu_us']:.0f} µs" for row in (one, two)),
        NONE if reads is None else f"{reads['rate']:,.0f}",
    ]
    return {"title": TITLES[name], "cells": cells}


def owners(data: dict[str, Any], name: str) -> Row:
    """One row of what becomes of owners, and of calls to them."""
    takeover, calls = data["takeover"][name], data["calls"][name] or {}
    times = [takeover[key] for key in ("killed", "left", "resumed")]
    cells = [NONE if seconds is None else f"{seconds:.2f} s" for seconds in times]
    for where in ("local", "remote"):
        found = calls.get(where)
        cells += [NONE, NONE] if found is None else [f"{found['rate']:,.0f}", f"{found['p50_us'] / 1e3:.2f} ms"]
    return {"title": TITLES[name], "cells": cells}


def modelled(row: dict[str, Any]) -> Row:
    """One row of the model."""
    storm = row["storm"]
    return {
        "cells": [
            f"{row['workers']:,}",
            f"{row['subscribers']:,}",
            f"{row['pairs']:,}",
            f"{storm['positions'] + storm['history']:,}",
            f"{storm['peak']:,}",
            f"{storm['seconds']:.1f} s",
            f"{row['parts']['memory of a worker']:.0%}",
            f"{row['first']}, {row['parts'][row['first']]:.0%}",
        ]
    }


def given(model: list[Row]) -> str:
    """What the model was given of what was measured."""
    if not model:
        return NONE
    known = model[0]["given"]
    return fill(
        "A model on a clock of its own (`python -m tests.scale.simulation`), which says of few workers what the "
        "implementation does (`tests/scale/test_simulation.py`): each worker has 1,000 subscribers, 100 of each topic, "
        "spread by chance, and an event comes to each topic every ten seconds. It was given what Redis takes for a "
        f"read, which are {known['reads']:,.0f} a second of its one core, {known['deliveries']:,.0f} deliveries a "
        f"second of a worker, and {known['bytes'] / 1e3:.0f} KB for a subscriber with its session. All come "
        "back at once, as after the loss of a balancer, having been away for ten seconds.",
        118,
        break_long_words=False,
        break_on_hyphens=False,
    )


def plots(data: dict[str, Any] | None) -> dict[str, str]:
    """The model's parts of each bound over the number of workers."""
    if data is None or not data["model"]:
        return {}
    series = [
        Series(name, [(row["workers"], row["parts"][name] * 100) for row in data["model"]], colour)
        for colour, name in enumerate(data["model"][0]["parts"])
    ]
    ticks = [row["workers"] for row in data["model"]]
    x = Axis("workers, each with 1,000 subscribers", log=True, ticks=ticks)
    return {"bounds.svg": lines("What is used of each bound", x, Axis("% of what there is", log=True), series)}
