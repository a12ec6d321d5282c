"""What a results file says, as numbers: medians over rounds, ratios, points of a curve. Rule: a figure is either known
or None; nothing here decides how it is shown.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.bench.contenders import REFERENCE

Point = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Workload:
    """One workload, as a reader is told of it.

    Attributes:
        key: its letter.
        what: what is done.
        unit: what the figure counts.
        figure: which of the printed figures counts.
        target: the ratio to the npm package that this project wants to reach.
    """

    key: str
    what: str
    unit: str
    figure: str = "rate"
    target: float = 1.0


WORKLOADS = (
    Workload("a", "`add`, one in flight", "calls/s", target=1.2),
    Workload("b64", "`add`, 64 in flight", "calls/s", target=1.5),
    Workload("b1000", "`add`, 1,000 in flight", "calls/s", target=1.5),
    Workload("c", "`authenticate` → `get_profile`, pipelined, 64 in flight", "chains/s", target=1.5),
    Workload("d", "echo of 100 models", "lists/s", target=1.2),
    Workload("e", "HTTP batch of 100 `add`", "calls/s", target=1.0),
    Workload("f", "make → ping → dispose, 64 in flight", "cycles/s", target=1.5),
    Workload("g", "stream of 256 MiB in chunks of 64 KiB", "MB/s", "MBps", target=4.0),
)


class Results:
    """The contents of a results file.

    Parameters:
        data: the JSON of the file.
    """

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data

    def turns(self, workload: str, contender: str) -> list[Point]:
        """The turns of a contender at a workload that have figures."""
        return [
            turn
            for turn in self.data["turns"]
            if turn["workload"] == workload and turn["contender"] == contender and "error" not in turn
        ]

    def median(self, workload: Workload, contender: str, figure: str | None = None) -> float | None:
        """The median over all rounds of what counts for a workload, or of another figure."""
        values = [turn.get(figure or workload.figure) for turn in self.turns(workload.key, contender)]
        known = [value for value in values if value is not None]
        return statistics.median(known) if known else None

    def spread(self, workload: Workload, contender: str) -> float | None:
        """Half of the distance between the lowest and the highest round, as a part of the median."""
        values = [turn[workload.figure] for turn in self.turns(workload.key, contender)]
        return (max(values) - min(values)) / 2 / statistics.median(values) if len(values) > 1 else None

    def ratio(self, workload: Workload, contender: str) -> float | None:
        """The median as a multiple of the npm package's."""
        own, reference = self.median(workload, contender), self.median(workload, REFERENCE)
        return None if own is None or not reference else own / reference

    def errors(self) -> dict[tuple[str, str], str]:
        """The last reason for which a contender has failed at a workload, of those that never succeeded."""
        return {
            (turn["contender"], turn["workload"]): turn["error"]
            for turn in self.data["turns"]
            if "error" in turn and not self.turns(turn["workload"], turn["contender"])
        }

    def points(self, what: str, side: str, **labels: Any) -> list[Point]:
        """The points of a growth measurement that have figures."""
        return [
            point
            for point in self.data["growth"]
            if point["what"] == what
            and point["side"] == side
            and "error" not in point
            and all(point.get(name) == value for name, value in labels.items())
        ]

    def growth_errors(self) -> list[str]:
        """What failed among the growth measurements."""
        return [
            f"{point['what']}, {point['side']}: {point['error']}" for point in self.data["growth"] if "error" in point
        ]

    def curve(
        self, what: str, side: str, figure: str, *, factor: float = 1.0, **labels: Any
    ) -> list[tuple[float, float]]:
        """Size and figure of every point that has the figure."""
        found: Iterable[Point] = self.points(what, side, **labels)
        return [(point["size"], point[figure] * factor) for point in found if point.get(figure) is not None]

    def worst(self, what: str, side: str, figure: str) -> float | None:
        """How much larger the largest figure of a curve is than its first."""
        curve = self.curve(what, side, figure)
        return max(value for _, value in curve) / curve[0][1] if curve and curve[0][1] else None
