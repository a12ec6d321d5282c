"""A calculator with errors that can be caught as what they are."""

from __future__ import annotations

from typing import Annotated, Protocol

from annotated_types import Le

from capnweb_runtime.schema import raises


class DivisionByNothing(Exception):
    """There is no quotient. `dividend` is what was to be divided."""

    dividend: float

    def __init__(self, dividend: float) -> None:
        super().__init__(f"{dividend} cannot be divided by 0")
        self.dividend = dividend


class Calculator(Protocol):
    """Arithmetic. Each argument may be a number, or the promise of one."""

    async def add(self, a: float, b: float) -> float: ...

    async def multiply(self, a: float, b: float) -> float: ...

    @raises(DivisionByNothing)
    async def divide(self, dividend: float, divisor: float) -> float: ...

    async def factorial(self, number: Annotated[int, Le(170)]) -> float:
        """The factorial; beyond 170 it is no float any more, which is why the schema ends there."""
        ...
