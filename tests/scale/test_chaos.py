"""Short runs of `make chaos` with fixed seeds; its schedule, its judge of owners, and its exit code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.runtime.scale.conftest import SERVED
from tests.scale import chaos
from tests.scale.ledger import Ledger
from tests.scale.schedule import WEIGHTS, Schedule, schedule
from tests.scale.world import Outcome


@pytest.mark.parametrize("kind", SERVED[:2])
async def test_nothing_breaks_when_everything_happens_once(kind: str) -> None:
    planned = schedule(5, [kind], 6.0, everything=True)
    outcome = await chaos.run(planned, crowd=30)
    assert outcome.broken == [], planned
    assert outcome.published > 0
    assert outcome.told > outcome.published
    assert outcome.acts > 0
    assert outcome.owners > 1, "the engine forgot who it was"
    assert set(outcome.gaps) >= {"epoch"}, "... and what there was"


def test_a_seed_gives_one_schedule() -> None:
    runs = [schedule(seed, ["redis", "nats"], 20.0) for seed in range(50)]
    assert runs == [schedule(seed, ["redis", "nats"], 20.0) for seed in range(50)]
    assert len({str(run.steps) for run in runs}) == 50
    assert {step.what for run in runs for step in run.steps} == set(WEIGHTS)
    assert {run.engine for run in runs} == {"redis", "nats"}


class Owners:
    """Acts of a, b and c, each a fence and a time."""

    def __init__(self, *acts: tuple[str, int, float], excused: float = 0.0) -> None:
        ledger = Ledger()
        ledger.excuse(excused)
        self.accepted = [ledger.act(*act) for act in acts]
        self.broken = ledger.broken


def test_owners_who_follow_each_other_are_as_promised() -> None:
    one = Owners(("a", 1, 1.0), ("a", 1, 2.0), ("b", 2, 3.0), ("a", 1, 2.5))
    assert one.accepted == [True, True, True, False], "the last one was stopped before it acted, and is refused"
    assert one.broken == []


@pytest.mark.parametrize(
    ("acts", "what"),
    [
        ((("a", 1, 1.0), ("b", 1, 2.0)), "both given the fence 1"),
        ((("a", 5, 1.0), ("b", 4, 2.0)), "given the fence 4 after a had 5"),
        ((("a", 1, 1.0), ("b", 2, 2.0), ("a", 1, 3.0)), "a was the owner 1.000 s after b became it"),
    ],
)
def test_owners_who_are_not_alone_are_seen(acts: Sequence[tuple[str, int, float]], what: str) -> None:
    assert what in Owners(*acts).broken[0]


def test_a_holder_whose_lease_the_engine_has_lost_may_not_know_for_a_while() -> None:
    acts = (("a", 1, 1.0), ("b", 2, 2.0), ("a", 1, 3.0))
    assert Owners(*acts, excused=3.5).broken == []
    assert Owners(*acts, excused=3.5).accepted == [True, True, False]


def test_what_broke_ends_in_an_exit_code_and_in_a_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run(planned: Schedule, crowd: int) -> Outcome:
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
    assert str(schedule(8, ["redis"], chaos.SECONDS)) in log.read_text("utf-8"), "what was done can be read"
