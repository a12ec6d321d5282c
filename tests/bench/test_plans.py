"""What plans save and cost is measured, at the smallest size that there is, and the document says it."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from tests.bench import plans, render
from tests.bench.progress import Steps


def test_everything_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "LINES", (0.001,))
    monkeypatch.setattr(plans, "TURNS", 20)
    found = plans.measure(2, Steps(Console(file=io.StringIO())))
    [line] = found["pagination"]
    assert (line["plan_trips"], line["calls_trips"]) == (1, 9)
    assert line["plan"] > 0 < line["calls"]
    assert all(taken > 0 for taken in found["steps"].values())
    assert [round(kind["queries"]) for kind in found["batched"]][::2] == [100, 100]
    shown = render.planned(found | {"run": {"rounds": 2}, "machine": {"Measured": "", "Python": "", "Load before": ""}})
    assert [row["trips"] for row in shown["pagination"]] == ["1 and 9"]


def test_document_without_them_says_nothing_of_them() -> None:
    text = render.rendered(render.everything() | {"plans": None})[render.DOCUMENT]
    assert "bench-plans" not in text
