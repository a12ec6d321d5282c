"""Each rule, run: code of one version talks to code of the other, and what happens is what the rule says."""

from __future__ import annotations

import pytest

from capnweb_gen.evolution.effects import SAFE, Effect, Effects, Kind
from capnweb_gen.evolution.rules import BY_ID, RULES
from tests.gen.breaking_cases import (
    FOLDER,
    cases,
    checked_outcomes,
    findings,
    lenient_outcomes,
    rule_of,
    said,
    written,
)
from tests.needs import needs_node

ACCEPT = "to accept it: python -m tests.gen.update_breaking {}"
MEETINGS = {"old_client": "old client, new server", "new_client": "new client, old server"}
IN_A_CALLBACK = "callback-changed"  # whose effects are those of the change of the function


def effects_in(case: str) -> Effects:
    """What all changes of a case do together."""
    found = Effects()
    for finding in findings(case):
        found = found.joined(finding.effects)
    return found


def test_every_rule_has_a_case_and_every_case_a_rule() -> None:
    assert {rule_of(case) for case in cases()} == {rule.id for rule in RULES}
    assert {rule.id.replace("-", "_") for rule in RULES} <= set(cases())
    assert len(RULES) == 36


@pytest.mark.parametrize("case", cases())
def test_a_change_is_told_by_its_rule(case: str) -> None:
    found = {finding.rule.id for finding in findings(case)}
    if case == "not_on_the_wire" or case == "result_field_added__default":
        assert effects_in(case) == Effects()
    else:
        assert rule_of(case) in found


@pytest.mark.parametrize("case", [case for case in cases() if "__" not in case])
def test_the_plain_case_does_what_the_table_says(case: str) -> None:
    rule = BY_ID[rule_of(case)]
    if rule.id == IN_A_CALLBACK:
        swapped = BY_ID["required-parameter-added"].effects.swapped()
        assert [finding.effects for finding in findings(case)] == [swapped]
        return
    told = [finding.effects for finding in findings(case) if finding.rule is rule]
    assert set(told) == ({rule.effects} if told else set())


@pytest.mark.parametrize("case", cases())
def test_what_the_command_says_is_what_is_committed(case: str) -> None:
    assert said(case) == (FOLDER / case / "expected.txt").read_text("utf-8"), ACCEPT.format(case)


@pytest.mark.parametrize("case", cases())
def test_between_versions_of_generated_code_happens_what_the_rule_says(case: str) -> None:
    outcomes = checked_outcomes(case)
    committed = (FOLDER / case / "outcome.txt").read_text("utf-8")
    assert written(outcomes, {}).partition("\n\n")[0] in committed, ACCEPT.format(case)
    assert works(outcomes["old client, old server"])
    assert works(outcomes["new client, new server"])
    for direction, meeting in MEETINGS.items():
        effect: Effect = getattr(effects_in(case), direction)
        assert works(outcomes[meeting]) is (effect.kind is not Kind.BREAKS), (meeting, outcomes[meeting], effect)


@needs_node
@pytest.mark.parametrize("case", cases())
def test_between_versions_of_peers_that_check_nothing_happens_what_the_rule_says(case: str) -> None:
    outcomes = lenient_outcomes()[case]
    assert written({}, outcomes).partition("\n\n")[2] in (FOLDER / case / "outcome.txt").read_text("utf-8")
    assert works(outcomes["old client, old server"])
    assert works(outcomes["new client, new server"])
    for direction, meeting in MEETINGS.items():
        effect: Effect = getattr(effects_in(case), direction)
        broken = effect.kind is Kind.BREAKS and not effect.checked
        assert works(outcomes[meeting]) is not broken, (meeting, outcomes[meeting], effect)


def works(outcome: str) -> bool:
    return outcome.startswith("works: ")


def test_a_rule_says_in_one_line_why() -> None:
    for rule in RULES:
        assert rule.why
        assert "\n" not in rule.why
        assert rule.hint
        assert rule.effects.old_client is SAFE or rule.effects.old_client.words != "safe"
