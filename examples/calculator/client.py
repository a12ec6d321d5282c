"""What a client of the calculator does: `python -m examples.calculator.client ws://127.0.0.1:8080/`."""

from __future__ import annotations

import asyncio
import sys

from capnweb_runtime import connect
from examples.calculator.generated.calculator import CalculatorStub


async def hypotenuse_squared(api: CalculatorStub, a: float, b: float) -> float:
    """a² + b²: three calls, of which the last takes what the others will give."""
    return await api.add(api.multiply(a, a), api.multiply(b, b))


async def mean(api: CalculatorStub, numbers: list[float]) -> float:
    """The mean of numbers: as many calls as there are numbers, each of which takes the one before it."""
    total = api.add(numbers[0], 0)
    for number in numbers[1:]:
        total = api.add(total, number)
    return await api.divide(total, len(numbers))


async def main(url: str) -> None:
    """Compute, and print."""
    async with connect(url, CalculatorStub) as api:
        print(await hypotenuse_squared(api, 3, 4))
        print(await mean(api, [1, 2, 3, 4]))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
