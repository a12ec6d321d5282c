"""What a change does to whom, and when that counts."""

from __future__ import annotations

import pytest

from capnweb_gen.evolution.effects import (
    BREAKS,
    BREAKS_IF_USED,
    CHECKED,
    CHECKED_IF_USED,
    SAFE,
    WARNS,
    Category,
    Direction,
    Effect,
    Effects,
)

OLD, NEW, BOTH = Direction.OLD_CLIENT, Direction.NEW_CLIENT, Direction.BOTH
WIRE, STRICT, CODE = Category


@pytest.mark.parametrize(
    ("effects", "category", "direction", "breaks"),
    [
        (Effects(BREAKS, SAFE), WIRE, BOTH, True),
        (Effects(BREAKS, SAFE), WIRE, NEW, False),
        (Effects(CHECKED, SAFE), WIRE, BOTH, False),
        (Effects(CHECKED, SAFE), STRICT, OLD, True),
        (Effects(SAFE, BREAKS_IF_USED), CODE, BOTH, False),
        (Effects(SAFE, BREAKS_IF_USED), WIRE, NEW, True),
        (Effects(SAFE, CHECKED_IF_USED), WIRE, NEW, False),
        (Effects(SAFE, CHECKED_IF_USED), STRICT, NEW, True),
        (Effects(WARNS, WARNS), CODE, BOTH, False),
        (Effects(code=True), STRICT, BOTH, False),
        (Effects(code=True), CODE, BOTH, True),
    ],
)
def test_a_change_fails_a_run_that_asks_about_those_whom_it_breaks(
    effects: Effects, category: Category, direction: Direction, breaks: bool
) -> None:
    assert effects.breaks(category, direction) is breaks


@pytest.mark.parametrize(
    ("effects", "category", "direction", "warns"),
    [
        (Effects(WARNS, SAFE), STRICT, BOTH, True),
        (Effects(WARNS, SAFE), STRICT, NEW, False),
        (Effects(WARNS, SAFE), WIRE, BOTH, False),
        (Effects(SAFE, BREAKS_IF_USED), WIRE, BOTH, True),
        (Effects(SAFE, CHECKED_IF_USED), WIRE, BOTH, False),
        (Effects(), CODE, BOTH, False),
    ],
)
def test_what_does_not_fail_a_run_may_be_told(
    effects: Effects, category: Category, direction: Direction, warns: bool
) -> None:
    assert effects.warns(category, direction) is warns


def test_where_clients_serve_nobody_can_wait_for_the_other() -> None:
    assert Effects(SAFE, BREAKS_IF_USED).swapped() == Effects(BREAKS, SAFE)
    assert Effects(SAFE, CHECKED_IF_USED, code=True).swapped() == Effects(CHECKED, SAFE, code=True)


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (SAFE, WARNS, WARNS),
        (WARNS, CHECKED_IF_USED, CHECKED_IF_USED),
        (CHECKED_IF_USED, CHECKED, CHECKED),
        (CHECKED, BREAKS, BREAKS),
        (BREAKS_IF_USED, CHECKED, CHECKED),
    ],
)
def test_of_two_effects_the_worse_counts(one: Effect, other: Effect, both: Effect) -> None:
    assert Effects(one).joined(Effects(other)) == Effects(other).joined(Effects(one)) == Effects(both)
