"""Short runs of `make chaos` with fixed seeds; its schedule, its log, and its exit code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.needs import needs_nats, needs_redis
from tests.scale import chaos
from tests.scale.schedule import WEIGHTS, Schedule, schedule
from tests.scale.world import Outcome


@pytest.mark.parametrize(
    ("kind", "without"),
    [pytest.param("redis", "placement", marks=needs_redis), pytest.param("nats", "tasks", marks=needs_nats)],
)
async def test_nothing_breaks_when_everything_happens_once(kind: str, without: str) -> None:
    """With one engine all but what is placed, with the other all but tasks: each begins many processes."""
    planned = schedule(5, [kind], 6.0, everything=True)
    outcome = await chaos.run(planned, crowd=30, without=[without])
    assert outcome.broken == [], planned
    counts = outcome.counts
    assert counts["events told"] > counts["events published"] > 0
    assert counts["acts"] > 0
    assert counts["owners"] > 1, "the engine forgot who it was"
    assert counts["gaps epoch"] > 0, "... and what there was"
    assert (counts["tasks begun again"] > 0) is (without != "tasks"), "a worker was killed at one"
    assert (counts["lines added"] > 0) is (without != "placement")
    assert (counts["newcomers"] > 0) is (without != "placement")
    assert counts["members back elsewhere"] > 0
    assert (counts["calls let in"] > 0) is (kind == "redis"), "NATS does not count"


def test_a_seed_gives_one_schedule() -> None:
    runs = [schedule(seed, ["redis", "nats"], 20.0) for seed in range(50)]
    assert runs == [schedule(seed, ["redis", "nats"], 20.0) for seed in range(50)]
    assert len({str(run.steps) for run in runs}) == 50
    assert {step.what for run in runs for step in run.steps} == set(WEIGHTS)
    assert [run.engine for run in runs[:4]] == ["redis", "nats", "redis", "nats"], "each has its turn"


def test_what_broke_ends_in_an_exit_code_and_in_a_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run(planned: Schedule, crowd: int, note: Callable[[str], None]) -> Outcome:
        note("kill worker 1")
        return Outcome(planned, broken=["two owners"] if planned.seed == 8 else [])

    monkeypatch.setattr(chaos, "run", run)
    log = tmp_path / "chaos.log"
    options = ["--engines", "redis", "--log", str(log), "--seed"]
    assert chaos.main([*options, "7", "--minutes", "0"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("1 runs, seeds 7 to 7; 0 broken")
    assert chaos.main([*options, "8", "--minutes", "0"]) == 1
    said = capsys.readouterr().out
    assert "seed 8, redis: two owners" in said
    assert "again: make chaos SEED=8 MINUTES=0 ENGINES=redis" in said
    logged = log.read_text("utf-8")
    assert str(schedule(8, ["redis"], chaos.SECONDS)) in logged, "what was to be done can be read"
    assert "kill worker 1" in logged, "... and what was done"
    assert "again: make chaos SEED=8 MINUTES=0 ENGINES=redis" in logged
