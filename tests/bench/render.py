"""Writes docs/performance.md and its plots from what docs/performance holds, results.json, mounts.json, plans.json and
scale.json: `python -m tests.bench.render [--check]`.

Rule: the same results and the same template give the same bytes; nothing is measured here.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path
from textwrap import fill
from typing import Any

import jinja2

from tests.bench import carriers, scale_texts
from tests.bench.carriers import BATCH_FIGURES, BATCHES, SESSION_FIGURES, SESSIONS, Carrier, Known
from tests.bench.contenders import CONTENDERS, EITHER_END, OURS, REFERENCE, Contender
from tests.bench.figures import WORKLOADS, Results, Workload
from tests.bench.growth_texts import sections
from tests.bench.plots import plots
from tests.bench.processes import ROOT

DOCUMENT = ROOT / "docs" / "performance.md"
FOLDER = ROOT / "docs" / "performance"
RESULTS = FOLDER / "results.json"
MOUNTS = FOLDER / "mounts.json"
PLANS = FOLDER / "plans.json"
SCALE = FOLDER / "scale.json"
TEMPLATE = Path(__file__).with_name("performance.md.jinja")
NONE = "–"
_STEPS = {
    "call": "a call, one in flight",
    "call_together": "a call, 500 in flight",
    "calling_turn": "a turn of a loop in a plan: a comparison and a call",
    "empty_turn": "a turn of a loop in a plan: a comparison and `not_`, and no call",
}
_ROWS = {
    "OneByOne": "row by row, on the event loop",
    "Together": "`@batched`, on the event loop",
    "OneByOneInThread": "row by row, in a thread",
    "TogetherInThread": "`@batched`, in a thread",
}
Row = dict[str, Any]


def everything() -> dict[str, Any]:
    """What was measured: the contents of all files, those beside results.json by the names of the files."""
    data: dict[str, Any] = json.loads(RESULTS.read_text("utf-8"))
    others = {"mounts": MOUNTS, "plans": PLANS, "scale": SCALE}
    return data | {
        name: json.loads(path.read_text("utf-8")) if path.exists() else None for name, path in others.items()
    }


def rendered(data: dict[str, Any]) -> dict[Path, str]:
    """The document and its plots, by path."""
    results = Results(data)
    drawn = plots(results) | scale_texts.plots(data.get("scale"))
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False)
    template = environment.from_string(TEMPLATE.read_text("utf-8"))
    text = template.render(
        **overview(results),
        plots=drawn,
        headline=[headline(results, workload) for workload in WORKLOADS],
        costs=costs(results),
        pairs=pairs(),
        pair_rows=rate_rows(results, pairs()),
        pair_costs=pair_costs(results),
        peers=peers(),
        peer_rows=rate_rows(results, peers()),
        remarks=remarks(results),
        churn=churn(results),
        growth=sections(results, drawn),
        growth_errors=results.growth_errors(),
        mounts=mounted(data["mounts"]) if data.get("mounts") else None,
        planned=planned(data["plans"]) if data.get("plans") else None,
        shared=scale_texts.section(data.get("scale")),
        cold=cold(data.get("cold", {})),
        compile=data.get("compile", []),
        breakdown=data.get("breakdown", {}),
        machine=list(data["machine"].items()),
        versions=list(data["versions"].items()),
    )
    return {DOCUMENT: text.rstrip() + "\n"} | {FOLDER / name: svg for name, svg in drawn.items()}


def overview(results: Results) -> Row:
    """What concerns the run as a whole."""
    run, versions = results.data["run"], results.data["versions"]
    spreads = [results.spread(workload, OURS[0]) or 0.0 for workload in WORKLOADS]
    return {
        "scale": run["scale"],
        "cycles": f"{run['cycles']:,}",
        "rounds": max((turn["round"] for turn in results.data["turns"]), default=0) + 1,
        "seconds": f"{run['seconds']:g}",
        "spread": f"±{max(spreads):.0%}",
        "npm_version": versions.get("npm capnweb", NONE),
        "node_version": versions.get("Node", NONE),
    }


def headline(results: Results, workload: Workload) -> Row:
    """One row of the first table."""
    ratio, best = (results.ratio(workload, loop) for loop in OURS)
    return {
        "key": workload.key,
        "what": workload.what,
        "unit": workload.unit,
        "ours": amount(results.median(workload, OURS[0])),
        "uvloop": amount(results.median(workload, OURS[1])),
        "npm": amount(results.median(workload, REFERENCE)),
        "ratio": multiple(ratio),
        "uvloop_ratio": NONE if best is None else f"**{best:.2f}**",
        "target": f"{workload.target:.2f}",
        "verdict": "" if best is None else "reached" if best >= workload.target else "missed",
    }


def costs(results: Results) -> list[Row]:
    """Rows of processor time and latency, ours and the npm package's."""
    figures = ("cli_cpu_us", "srv_cpu_us", "p50_us", "p99_us")
    rows = []
    for workload in WORKLOADS:
        cells = []
        for contender in (OURS[1], REFERENCE):
            for figure in figures:
                known = figure in figures[:2] or workload.key in {"a", "d"}  # a window's latency is not a call's
                cells.append(amount(results.median(workload, contender, figure) if known else None))
        rows.append({"key": workload.key, "cells": cells})
    return rows


def pairs() -> list[Contender]:
    """The contenders of which one end is ours and the other the npm package."""
    return [contender for contender in CONTENDERS if contender.key in {OURS[1], "ours-npm", "npm-ours", REFERENCE}]


def pair_costs(results: Results) -> list[Row]:
    """Rows of the processor time of client and server, whichever they are."""
    return [
        {
            "what": workload.key,
            "cells": [
                " + ".join(
                    amount(results.median(workload, pair.key, figure)) for figure in ("cli_cpu_us", "srv_cpu_us")
                )
                for pair in pairs()
            ],
        }
        for workload in WORKLOADS
        if workload.key in EITHER_END
    ]


def peers() -> list[Contender]:
    """Ours, and all that are neither ours nor the npm package."""
    return [one for one in CONTENDERS if one.key in OURS or one.environment is not None]


def rate_rows(results: Results, contenders: list[Contender]) -> list[Row]:
    """Rows of rate and ratio for those contenders, of the workloads that somebody new here has."""
    others = [one for one in contenders if one.key not in {*OURS, REFERENCE}]
    return [
        {
            "what": f"{workload.key}, {workload.unit}",
            "cells": [cell(results, workload, contender) for contender in contenders],
        }
        for workload in WORKLOADS
        if any(workload.key in contender.workloads for contender in others)
    ]


def cell(results: Results, workload: Workload, contender: Contender) -> str:
    """A rate with its ratio, or why there is none."""
    rate, ratio = results.median(workload, contender.key), results.ratio(workload, contender.key)
    if rate is not None:
        return _beside(rate, ratio)
    if workload.key not in contender.workloads:
        return NONE
    if contender.key in results.data["absent"]:
        return "not installed"
    return "failed" if (contender.key, workload.key) in results.errors() else NONE


def remarks(results: Results) -> list[str]:
    """What could not be installed, for reasons of the machine that results.json has; and what failed."""
    absent = [f"{name} could not be installed when this was measured." for name in results.data["absent"]]
    failed = [f"{contender}, {workload}: {reason}" for (contender, workload), reason in results.errors().items()]
    return absent + failed


def churn(results: Results) -> list[Row]:
    """Rows of memory before and after many cycles."""
    rows = []
    for contender in CONTENDERS:
        turns = results.turns("f100k", contender.key)
        if turns:
            turn = turns[-1]
            memory = [f"{turn[key]:.1f}" for key in ("cli_rss0", "cli_rss1", "srv_rss0", "srv_rss1")]
            rows.append({"title": contender.title, "cells": [*memory, amount(turn["rate"])]})
    return rows


def cold(times: dict[str, list[float]]) -> list[Row]:
    """Rows of what a program needs to start, each beside the npm package's."""
    medians = {name: statistics.median(taken) for name, taken in times.items() if taken}
    npm = medians.get("npm capnweb")
    return [
        {
            "name": name,
            "median": f"{median:.0f}",
            "least": f"{min(times[name]):.0f}",
            "multiple": multiple(median / npm if npm else None),
        }
        for name, median in medians.items()
    ]


def mounted(found: dict[str, Any]) -> Row:
    """What carries the calls, in two tables, and what it was measured with."""
    turns, machine = found["turns"], found["machine"]
    columns = ["calls/s, one in flight", "calls/s, 64 in flight", "MB/s, 1 MB there and back", "MB/s, a stream"]
    in_batches = ["calls/s, one in a batch", "calls/s, 100 in a batch", columns[2]]
    return {
        "tables": [
            {"title": title, "columns": names, "rows": [_carrier(*row) for row in carriers.rows(turns, who, figures)]}
            for title, names, who, figures in (
                ("sessions", columns, SESSIONS, SESSION_FIGURES),
                ("batches", in_batches, BATCHES, BATCH_FIGURES),
            )
        ],
        "failed": [*dict.fromkeys([*carriers.failed(turns, SESSIONS), *carriers.failed(turns, BATCHES)])],
        "rounds": found["run"]["rounds"],
        "measured": _measured("make bench-mounts", machine, found["versions"]),
    }


def _measured(command: str, machine: dict[str, str], versions: dict[str, str]) -> str:
    """When, with what, and how to do it again."""
    made_of = "".join(f", {name} {version}" for name, version in versions.items()).replace(", ", "; ", 1)
    text = (
        f"`{command}` measures this again, and nothing else. Measured {machine['Measured']}, with Python "
        f"{machine['Python']}; load before: {machine['Load before']}{made_of}."
    )
    return fill(text, 118, break_long_words=False, break_on_hyphens=False)


def planned(found: dict[str, Any]) -> Row:
    """What plans save and cost, in three tables."""
    per_step = found["steps"]
    return {
        "pagination": [
            {
                "line": f"{line['round_trip'] * 1e3:g} ms",
                "plan": f"{line['plan']:.1f}",
                "calls": f"{line['calls']:.1f}",
                "times": f"{line['calls'] / line['plan']:.1f}",
                "trips": f"{line['plan_trips']:g} and {line['calls_trips']:g}",
            }
            for line in found["pagination"]
        ],
        "steps": [
            {"what": what, "us": f"{per_step[name]:.0f}", "times": f"{per_step[name] / per_step['call']:.2f}"}
            for name, what in _STEPS.items()
        ],
        "batched": [
            {
                "what": _ROWS[kind["kind"]],
                "queries": f"{kind['queries']:.0f}",
                "ms": f"{kind['ms']:.1f}",
                "times": "{1:.2f} ({0:.2f} to {2:.2f})".format(*kind["times"]) if "times" in kind else "1",
            }
            for kind in found["batched"]
        ],
        "rounds": found["run"]["rounds"],
        "measured": _measured("make bench-plans", found["machine"], {}),
    }


def _carrier(carrier: Carrier, figures: list[Known]) -> Row:
    cells = [NONE if known is None else _beside(*known) for known in figures]
    return {"title": carrier.title, "cells": cells}


def _beside(value: float, ratio: float | None) -> str:
    return amount(value) if ratio is None else f"{amount(value)} ({ratio:.2f})"


def amount(value: float | None) -> str:
    """A figure to three digits at most after the point that matter."""
    if value is None:
        return NONE
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}"


def multiple(value: float | None) -> str:
    """A ratio."""
    return NONE if value is None else f"{value:.2f}"


def write(data: dict[str, Any]) -> list[Path]:
    """Writes the document and its plots, and removes plots that are no more; gives what it wrote."""
    files = rendered(data)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in FOLDER.glob("*.svg"):
        if path not in files:
            path.unlink()
    for path, text in files.items():
        path.write_text(text, "utf-8")
    return list(files)


def stale(data: dict[str, Any]) -> list[Path]:
    """The files that differ from what the results say, or are missing, or should not be there."""
    files = rendered(data)
    differ = [path for path, text in files.items() if not path.exists() or path.read_text("utf-8") != text]
    return differ + [path for path in FOLDER.glob("*.svg") if path not in files]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail if a file is not up to date, and write nothing")
    options = parser.parse_args()
    data = everything()
    if not options.check:
        for path in write(data):
            print("wrote", path.relative_to(ROOT))
        return
    old = [str(path.relative_to(ROOT)) for path in stale(data)]
    if old:
        sys.exit(f"not up to date: {', '.join(old)}; run: python -m tests.bench.render")


if __name__ == "__main__":
    main()
