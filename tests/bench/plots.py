"""The plots of the performance document, from results. Rule: ours is always of the same colour, the npm package too; a
plot without figures is left out.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.chart import Axis, Series, bars, lines
from tests.bench.contenders import OURS
from tests.bench.figures import WORKLOADS, Results

BLUE, ORANGE, GREEN = 0, 1, 2
SIDES = (("ours", "capnweb-gen", BLUE), ("npm", "npm capnweb", ORANGE))


def plots(results: Results) -> dict[str, str]:
    """Every plot that there are figures for, by the name of its file."""
    drawn = {
        "ratios.svg": ratios(results),
        "exports.svg": curves(
            results,
            "exports",
            "us",
            "Cost of a call with many live capabilities",
            "capabilities held by the client",
            Axis("µs per call, 64 in flight"),
        ),
        "session.svg": memory(results, "sessions", "Memory of an idle session"),
        "capability.svg": memory(results, "capabilities", "Memory of a live capability"),
        "throughput.svg": curves(
            results,
            "connections",
            "rate",
            "Throughput with many connections",
            "connections, each with one call in flight",
            Axis("calls/s"),
        ),
        "latency.svg": curves(
            results,
            "connections",
            "p99_us",
            "99th percentile with many connections",
            "connections, each with one call in flight",
            Axis("ms", log=True),
            factor=1e-3,
        ),
        "busy.svg": busy(results),
        "payload.svg": payload(results),
        "pipeline.svg": pipeline(results),
    }
    return {name: svg for name, svg in drawn.items() if svg is not None}


def ratios(results: Results) -> str | None:
    """Bars of every workload's ratio to the npm package."""
    known = [workload for workload in WORKLOADS if results.ratio(workload, OURS[0]) is not None]
    series = []
    for contender, name, colour in zip(OURS, ("asyncio", "uvloop"), (BLUE, GREEN), strict=True):
        found = [(float(index), results.ratio(workload, contender)) for index, workload in enumerate(known)]
        series.append(Series(name, [(x, ratio) for x, ratio in found if ratio is not None], colour))
    if not known:
        return None
    axis = Axis("multiple of npm capnweb")
    return bars("capnweb-gen against npm capnweb", [workload.key for workload in known], axis, series, at=1.0)


def curves(results: Results, what: str, figure: str, title: str, x: str, y: Axis, *, factor: float = 1.0) -> str | None:
    """One line for each side."""
    series = [Series(name, results.curve(what, side, figure, factor=factor), colour) for side, name, colour in SIDES]
    series = [one for one in series if one.points]
    return lines(title, sizes(x, series), y, series) if series else None


def memory(results: Results, what: str, title: str) -> str | None:
    """Bars of what one thing takes at either end."""
    series = []
    for side, name, colour in SIDES:
        found = [results.curve(what, side, figure) for figure in ("client_kb", "server_kb")]
        points = [(float(index), curve[0][1]) for index, curve in enumerate(found) if curve]
        if points:
            series.append(Series(name, points, colour))
    return bars(title, ["at the client", "at the server"], Axis("KB of resident memory"), series) if series else None


def busy(results: Results) -> str | None:
    """Bars of how long a call takes alone and beside a stream."""
    series = []
    for side, name, colour in SIDES:
        found = sorted(results.points("busy", side), key=lambda point: point["size"])
        values = [point[figure] / 1e3 for point in found for figure in ("p50_us", "p99_us")]
        if len(values) == 4:
            series.append(Series(name, [(float(index), value) for index, value in enumerate(values)], colour))
    if not series:
        return None
    groups = ["median, alone", "99th percentile, alone", "median, beside it", "99th percentile, beside it"]
    return bars("A small call, alone and beside a stream", groups, Axis("ms"), series)


def payload(results: Results) -> str | None:
    """Lines of how long echoes take."""
    series = [
        Series(f"{name}, {kind}", results.curve("payload", side, f"{key}_us", factor=1e-3), colour, kind == "str")
        for side, name, colour in SIDES
        for kind, key in (("bytes", "bytes"), ("str", "text"))
    ]
    series = [one for one in series if one.points]
    x = sizes("bytes or characters", series)
    return lines("Echo of one value", x, Axis("ms", log=True), series) if series else None


def pipeline(results: Results) -> str | None:
    """Lines of what a chain takes, as a pipeline and step by step, at each round trip."""
    trips = sorted({point["round_trip"] for point in results.points("pipeline", "ours")})
    series = []
    for colour, trip in enumerate(trips):
        for figure, name in (("pipelined_ms", "pipelined"), ("sequential_ms", "awaited one by one")):
            points = results.curve("pipeline", "ours", figure, round_trip=trip)
            series.append(Series(f"{trip * 1e3:g} ms, {name}", points, colour, figure == "sequential_ms"))
    series = [one for one in series if one.points]
    x = sizes("calls in the chain", series)
    return lines("A chain of calls over a slow line", x, Axis("ms in all", log=True), series) if series else None


def sizes(label: str, series: Sequence[Series]) -> Axis:
    """An axis of the sizes that were measured."""
    return Axis(label, log=True, ticks=sorted({x for one in series for x, _ in one.points}))
