"""Taking calls apart: every stage is there, and the ends are left as they were."""

from __future__ import annotations

import pytest

from tests.bench import breakdown


def test_every_stage_of_every_workload_takes_some_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breakdown, "REPEATS", 2)
    stages = breakdown.measure()
    assert list(stages) == ["b", "c", "d", "walk", "e", "methods"]
    assert list(stages["b"]) == list(stages["c"])
    assert [stage.partition(":")[0] for stage in stages["b"]].count("server") == 4
    assert all(taken >= 0 for taken in stages["b"].values())
    assert all(taken > 0 for taken in (*stages["d"].values(), *stages["e"].values(), *stages["methods"].values()))
    assert stages["walk"].keys() <= stages["d"].keys()
