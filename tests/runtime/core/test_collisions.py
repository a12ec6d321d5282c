"""Values whose hashes were chosen are found out in a single pass, and others are not suspected."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import pytest

from capnweb_runtime.core.collisions import FEW, collide

MODULUS = 2**61 - 1


class Counted(int):
    """An integer that counts how often it is compared."""

    compared = 0

    def __eq__(self, other: object) -> bool:
        Counted.compared += 1
        return int(self) == other

    __hash__ = int.__hash__


@pytest.mark.parametrize(
    "values",
    [
        [MODULUS * number for number in range(1000)],
        list(range(1000)) + [MODULUS * number + 5 for number in range(30)],
        [Decimal(MODULUS) * number for number in range(1000)],
        [uuid.UUID(int=MODULUS * number) for number in range(1000)],
        [(MODULUS * number, 1) for number in range(1000)],
    ],
    ids=["integers", "some of many", "decimals", "UUIDs", "tuples"],
)
def test_chosen_values_are_found_out(values: list[Any]) -> None:
    assert collide(values)


@pytest.mark.parametrize(
    "values",
    [
        list(range(100_000)),
        [-1, -2] * 1000,
        [7] * 100_000,
        [MODULUS * (number % 10) for number in range(10_000)],
        [Decimal(number) / 7 for number in range(1000)],
        [uuid.UUID(int=number) for number in range(1000)],
        [MODULUS * number for number in range(FEW)],
    ],
    ids=["all different", "minus one and two", "repeated", "few that collide", "decimals", "UUIDs", "few"],
)
def test_others_are_not_suspected(values: list[Any]) -> None:
    assert not collide(values)


def test_the_number_of_comparisons_grows_with_the_number_of_values_only() -> None:
    def comparisons(count: int) -> int:
        Counted.compared = 0
        collide([Counted(MODULUS * (number % 15)) for number in range(count)])
        return Counted.compared

    assert comparisons(20_000) <= 2.5 * comparisons(10_000)
