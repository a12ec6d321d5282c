"""The calculator does what its README claims."""

from __future__ import annotations

import pytest

from capnweb_runtime.testing import PairFixture, Record
from examples.calculator.client import hypotenuse_squared, mean
from examples.calculator.generated.calculator import CalculatorStub
from examples.calculator.schemas.calculator import DivisionByNothing
from examples.calculator.server import Calculator
from examples.form.testing import as_documented


def test_it_prints_what_is_documented_and_its_numbers_are_those_of_the_readme() -> None:
    ran = as_documented("calculator")
    assert ran.number("round trips for its 3 calls") == 1
    assert ran.number("round trips for its 101 calls, each of which takes the one before") == 1


@pytest.mark.capnweb(no_leaks=True)
async def test_a_computation_is_one_round_trip_and_leaves_nothing(
    capnweb_pair: PairFixture, capnweb_calls: Record
) -> None:
    async with capnweb_pair(Calculator(), CalculatorStub) as api:
        assert await hypotenuse_squared(api, 3, 4) == 25
        assert capnweb_calls.round_trips == 1
        assert await mean(api, [1, 2, 3, 6]) == 3
        assert capnweb_calls.round_trips == 2


async def test_what_depends_on_an_impossible_division_fails_with_its_own_exception(capnweb_pair: PairFixture) -> None:
    async with capnweb_pair(Calculator(), CalculatorStub) as api:
        with pytest.raises(DivisionByNothing) as caught:
            await api.multiply(api.add(api.divide(7, 0), 1), 2)
        assert caught.value.dividend == 7


async def test_numbers_beyond_the_schema_are_refused(capnweb_pair: PairFixture) -> None:
    async with capnweb_pair(Calculator(), CalculatorStub) as api:
        with pytest.raises(TypeError, match="number"):
            await api.factorial(171)
        assert await api.factorial(5) == 120
