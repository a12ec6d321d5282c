"""What becomes of it as something grows: each measurement of the growth clients, with the sizes that are measured.
Rule: a point that fails is noted with the reason, and the others go on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.bench.processes import NODE, PYTHON, MeasureError, Server, figures
from tests.bench.progress import Steps

OURS, NPM = "ours", "npm"
SERVERS = {
    OURS: (*PYTHON, "tests.bench.server", "{port}", "--raised"),
    NPM: (*NODE, "tests/bench/server.mjs", "{port}"),
}
CLIENTS = {
    OURS: (*PYTHON, "tests.bench.growth_client"),
    NPM: (*NODE, "tests/bench/growth_client.mjs", "--what"),
}
ROUND_TRIPS = (0.001, 0.020, 0.100)
_TIMEOUT = 150.0


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measurement, which is one run of each client, or one for each size.

    Attributes:
        what: what the clients call it.
        sizes: the sizes that are measured.
        one_by_one: whether each size has a client and a server of its own.
        seconds: how long each figure is measured.
        sequential: depths of pipelines that are also walked step by step.
        sides: who is measured.
    """

    what: str
    sizes: tuple[int, ...]
    one_by_one: bool = False
    seconds: float = 0.5
    sequential: tuple[int, ...] = ()
    sides: tuple[str, ...] = (OURS, NPM)

    def runs(self) -> list[tuple[int, ...]]:
        """The sizes of each run of a client."""
        return [(size,) for size in self.sizes] if self.one_by_one else [self.sizes]


def plan(scale: float) -> list[Measurement]:
    """What is measured; a scale below 1 makes everything shorter and the largest sizes smaller."""

    def up_to(*sizes: int) -> tuple[int, ...]:
        return tuple(size for size in sizes if size <= max(sizes[0], sizes[-1] * scale)) if scale < 1 else sizes

    seconds = max(0.05, min(1.0, scale))
    exports = up_to(10, 100, 1_000, 10_000, 100_000, 1_000_000)
    depths = up_to(1, 2, 5, 10, 20, 50, 100)
    return [
        Measurement("exports", exports, seconds=seconds),
        Measurement("capabilities", (round(100_000 * scale) or 1,)),
        Measurement("sessions", (round(1_000 * scale) or 1,)),
        Measurement("connections", up_to(1, 10, 100, 1_000), one_by_one=True, seconds=2 * seconds),
        Measurement("busy", (round(256 * scale) or 1,), seconds=seconds),
        Measurement("payload", up_to(100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000), seconds=seconds / 2),
        Measurement("pipeline", depths, sequential=(1, 10, 100)),
    ]


def measure(measurements: list[Measurement], steps: Steps) -> list[dict[str, Any]]:
    """Runs the measurements.

    Returns:
        One entry for each point: "what", "side", for pipelines "round_trip", and either the figures or "error".
    """
    results: list[dict[str, Any]] = []
    turns = [turn for measurement in measurements for turn in _turns(measurement)]
    steps.phase("growth", len(turns))
    for measurement, side, sizes, round_trip in turns:
        labels: dict[str, Any] = {"what": measurement.what, "side": side}
        if round_trip is not None:
            labels["round_trip"] = round_trip
        steps.step(f"{measurement.what} {side} {', '.join(f'{size:,}' for size in sizes)}")
        try:
            points = _run(measurement, side, sizes, round_trip)
        except MeasureError as error:
            steps.say(str(error))
            points = [{"error": str(error)}]
        results += [labels | point for point in points]
    return results


def _turns(measurement: Measurement) -> Iterator[tuple[Measurement, str, tuple[int, ...], float | None]]:
    """Every run of a client that a measurement is made of, the sides in turn."""
    for round_trip in ROUND_TRIPS if measurement.what == "pipeline" else (None,):
        for sizes in measurement.runs():
            for side in measurement.sides:
                yield measurement, side, sizes, round_trip


def _run(measurement: Measurement, side: str, sizes: tuple[int, ...], round_trip: float | None) -> list[dict[str, Any]]:
    """The points of one run of a client, with a server of its own. Raises MeasureError."""
    with Server(SERVERS[side]) as server:
        if round_trip is None:
            return _points(measurement, side, sizes, server)
        line = (*PYTHON, "tests.bench.delay", "{port}", str(server.port), str(round_trip))
        with Server(line) as delayed:
            return _points(measurement, side, sizes, delayed)


def _points(measurement: Measurement, side: str, sizes: tuple[int, ...], server: Server) -> list[dict[str, Any]]:
    command = [
        *CLIENTS[side],
        measurement.what,
        *("--port", str(server.port), "--dur", str(measurement.seconds)),
        *("--sizes", ",".join(map(str, sizes))),
        *("--sequential", ",".join(map(str, measurement.sequential))),
    ]
    points: list[dict[str, Any]] = figures(command, _TIMEOUT)["points"]
    return points
