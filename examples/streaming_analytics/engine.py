"""Windows over a stream of rows. Rule: each row is looked at once, as it comes; what is held is bounded.

Rows are added up in panes, one for each step of time. A window is so many panes side by side, so that windows that
overlap share the work.
"""

from __future__ import annotations

from examples.streaming_analytics.schemas.analytics import ImpossibleWindows, Row, Spec, Window

MOST_PANES = 100
"""Panes that a window may have, and that may wait for late rows."""
MOST_SUMS = 100_000
"""Sums that are held for a stream: one for each key in each pane."""

Sums = dict[str, tuple[int, int, int, int]]
"""By key: count, total, least, greatest."""


class Engine:
    """The windows of one stream.

    Parameters:
        spec: which.

    Attributes:
        late: rows that came too late.

    Raises:
        ImpossibleWindows: as that says.
    """

    def __init__(self, spec: Spec) -> None:
        if spec.size % spec.step or spec.size > MOST_PANES * spec.step:
            raise ImpossibleWindows(f"size has to be a multiple of step, at most {MOST_PANES} times as much")
        if spec.lateness > MOST_PANES * spec.step:
            raise ImpossibleWindows(f"lateness may be at most {MOST_PANES} times as much as step")
        self._spec = spec
        self._panes: dict[int, Sums] = {}
        self._next = -MOST_PANES  # the first window that is not closed, in steps
        self._held = 0  # sums
        self._horizon = -1  # no row before it can come and count
        self.late = 0

    def add(self, rows: list[Row]) -> None:
        """Take rows, in the order in which they came.

        Raises:
            ImpossibleWindows: there are too many keys.
        """
        step, lateness, panes, horizon = self._spec.step, self._spec.lateness, self._panes, self._horizon
        for row in rows:
            at, value = row.at, row.value
            pane = at // step
            if (pane + 1) * step <= horizon:
                self.late += 1
                continue
            sums = panes.setdefault(pane, {})
            before = sums.get(row.key)
            if before is None:
                if self._held >= MOST_SUMS:
                    raise ImpossibleWindows(f"there are more than {MOST_SUMS} sums to be held: too many keys")
                self._held += 1
                sums[row.key] = 1, value, value, value
            else:
                count, total, low, high = before
                sums[row.key] = count + 1, total + value, min(low, value), max(high, value)
            horizon = max(horizon, at - lateness)
        self._horizon = horizon

    def closed(self) -> list[Window]:
        """The windows that have closed since the last time."""
        return self._close(self._horizon)

    def rest(self) -> list[Window]:
        """All others: there will be no more rows."""
        return self._close(None)

    def _close(self, horizon: int | None) -> list[Window]:
        size, step = self._spec.size, self._spec.step
        panes = size // step
        # Only where there are rows: the next one may come a year later.
        old = [pane for pane in self._panes if horizon is None or (pane + 1) * step <= horizon]
        firsts = {first for pane in old for first in range(max(pane - panes + 1, self._next), pane + 1)}
        closing = sorted(first for first in firsts if horizon is None or first * step + size <= horizon)
        if not closing:
            return []
        windows = [window for first in closing for window in self._window(first, panes)]
        self._next = closing[-1] + 1
        self._panes = {pane: sums for pane, sums in self._panes.items() if pane >= self._next}
        self._held = sum(map(len, self._panes.values()))
        return windows

    def _window(self, first: int, panes: int) -> list[Window]:
        start, end = first * self._spec.step, first * self._spec.step + self._spec.size
        merged: Sums = {}
        for pane in range(first, first + panes):
            for key, sums in self._panes.get(pane, {}).items():
                before = merged.get(key)
                merged[key] = sums if before is None else _merge(before, sums)
        return [Window(start, end, key, *merged[key]) for key in sorted(merged)]


def _merge(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    return one[0] + other[0], one[1] + other[1], min(one[2], other[2]), max(one[3], other[3])
