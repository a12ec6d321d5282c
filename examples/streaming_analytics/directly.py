"""The same windows, computed in the plainest way: all rows at hand, each window anew. Streams have to give these."""

from __future__ import annotations

from collections.abc import Sequence

from examples.streaming_analytics.schemas.analytics import Row, Spec, Window


def directly(rows: Sequence[Row], spec: Spec) -> list[Window]:
    """The windows of rows of which none is late."""
    members: dict[tuple[int, str], list[int]] = {}
    for row in rows:
        first = (row.at - spec.size) // spec.step + 1
        for start in range(first * spec.step, row.at + 1, spec.step):
            members.setdefault((start, row.key), []).append(row.value)
    return [
        Window(start, start + spec.size, key, len(values), sum(values), min(values), max(values))
        for (start, key), values in sorted(members.items())
    ]
