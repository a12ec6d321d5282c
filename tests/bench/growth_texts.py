"""What the plots of growth show, in a sentence each, with the numbers that the sentence is about. Rule: a sentence says
what was measured, whatever came out; whether that is good is for the reader.
"""

from __future__ import annotations

from collections.abc import Callable
from textwrap import fill
from typing import Any

from tests.bench.chart import number
from tests.bench.figures import Results

UNKNOWN = "–"


def sections(results: Results, plots: dict[str, str]) -> list[dict[str, Any]]:
    """Title, text and plots of every measurement that has a plot."""
    rows: list[tuple[str, Callable[[Results], str], tuple[str, ...]]] = [
        ("Live capabilities", exports, ("exports.svg",)),
        ("Memory", memory, ("session.svg", "capability.svg")),
        ("Connections", connections, ("throughput.svg", "latency.svg")),
        ("Calls beside a stream", busy, ("busy.svg",)),
        ("Payloads", payload, ("payload.svg",)),
        ("Pipelines over slow lines", pipeline, ("pipeline.svg",)),
    ]
    return [
        {
            "title": title,
            "text": fill(text(results), 118, break_long_words=False),
            "plots": [name for name in names if name in plots],
        }
        for title, text, names in rows
        if any(name in plots for name in names)
    ]


def exports(results: Results) -> str:
    curve = results.curve("exports", "ours", "us")
    largest = f"{int(curve[-1][0]):,}" if curve else UNKNOWN
    return (
        f"A call costs at most {shown(results.worst('exports', 'ours', 'us'))} times as much with up to {largest} "
        f"live capabilities as with {int(curve[0][0]) if curve else UNKNOWN} (npm capnweb: "
        f"{shown(results.worst('exports', 'npm', 'us'))} times). Both ends hold them: the client as stubs, the server "
        "as exports. `Limits.exports` and `Limits.imports`, 100,000 by default, are raised to 2,000,000 at both ends."
    )


def memory(results: Results) -> str:
    session = [only(results, "sessions", "ours", key) for key in ("client_kb", "server_kb")]
    capability = [only(results, "capabilities", "ours", key) for key in ("client_kb", "server_kb")]
    heap = [
        only(results, what, "npm", key)
        for what in ("sessions", "capabilities")
        for key in ("client_heap_kb", "server_heap_kb")
    ]
    sessions, held = size_of(results, "sessions"), size_of(results, "capabilities")
    return (
        f"An idle session takes {session[0]} KB at the client and {session[1]} KB at the server, socket included; a "
        f"live capability {capability[0]} KB and {capability[1]} KB: resident memory over {sessions} sessions and "
        f"{held} capabilities. Node's heap, which is what its garbage collection leaves, grows by {heap[0]} KB and "
        f"{heap[1]} KB for a session, by {heap[2]} KB and {heap[3]} KB for a capability."
    )


def connections(results: Results) -> str:
    rates = results.curve("connections", "ours", "rate")
    slow = results.curve("connections", "ours", "p99_us", factor=1e-3)
    if not rates:
        return UNKNOWN
    return (
        f"One client program with {int(rates[-1][0]):,} connections, one call in flight on each, gets "
        f"{rates[-1][1]:,.0f} calls/s out of one server process, {slow[-1][1]:.0f} ms the slowest hundredth; with "
        f"{int(rates[0][0])} it is {rates[0][1]:,.0f} calls/s and {slow[0][1]:.2f} ms. Each end is one process of "
        "one thread, so that throughput levels off where a core is full, and from there on connections wait for each "
        "other."
    )


def busy(results: Results) -> str:
    parts = []
    for side, name in (("ours", "capnweb-gen"), ("npm", "npm capnweb")):
        found = sorted(results.points("busy", side), key=lambda point: point["size"])
        if len(found) == 2:
            alone, beside = found
            parts.append(
                f"{name}: the 99th percentile of `add`, one in flight, goes from {alone['p99_us'] / 1e3:.2f} ms to "
                f"{beside['p99_us'] / 1e3:.2f} ms while {beside['size']} MiB stream on the same session at "
                f"{beside['MBps']:.0f} MB/s"
            )
    return (
        "; ".join(parts)
        + ". Calls and chunks share one line: a call waits for the bytes before it, which flow control "
        "keeps to a window's worth."
    )


def payload(results: Results) -> str:
    parts = []
    for kind, name in (("bytes_us", "bytes"), ("text_us", "characters")):
        curve = results.curve("payload", "ours", kind)
        if curve:
            size, took = curve[-1]
            parts.append(f"{number(size)} {name} in {took / 1e3:.1f} ms, {size / took:.0f} MB/s there and back")
    return (
        f"The median of one echo, one in flight: {'; '.join(parts)}. Between two ends of ours bytes travel as "
        "they are, elsewhere as base64. The default limits allow these sizes."
    )


def pipeline(results: Results) -> str:
    trips = sorted({point["round_trip"] for point in results.points("pipeline", "ours")})
    parts = []
    for trip in trips:
        piped = results.curve("pipeline", "ours", "pipelined_ms", round_trip=trip)
        one_by_one = results.curve("pipeline", "ours", "sequential_ms", round_trip=trip)
        npm = results.curve("pipeline", "npm", "pipelined_ms", round_trip=trip)
        if piped and one_by_one:
            beside = f" (npm capnweb: {npm[-1][1]:.0f} ms)" if npm else ""
            parts.append(
                f"at {trip * 1e3:g} ms, {int(piped[-1][0])} calls take {piped[-1][1]:.0f} ms{beside} as a pipeline, "
                f"and {int(one_by_one[-1][0])} calls awaited one by one {one_by_one[-1][1]:,.0f} ms"
            )
    return f"A pipeline takes one round trip, whatever its depth: {'; '.join(parts)}."


def only(results: Results, what: str, side: str, figure: str) -> str:
    """The figure of a measurement that has one point."""
    curve = results.curve(what, side, figure)
    return number(curve[0][1]) if curve else UNKNOWN


def size_of(results: Results, what: str) -> str:
    """Over how many something was measured."""
    points = results.points(what, "ours")
    return f"{points[0]['size']:,}" if points else UNKNOWN


def shown(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.2f}"
