"""The calculator: `python -m examples.calculator.server --port 8080`."""

from __future__ import annotations

import argparse
import asyncio
import math
from typing import Annotated

from annotated_types import Le

from capnweb_runtime import serve
from examples.calculator.generated.calculator import CalculatorTarget
from examples.calculator.schemas.calculator import DivisionByNothing


class Calculator(CalculatorTarget):
    """Arithmetic. Whatever arrives here is of the types below: the generated code has checked it."""

    def add(self, a: float, b: float) -> float:
        return a + b

    def multiply(self, a: float, b: float) -> float:
        return a * b

    def divide(self, dividend: float, divisor: float) -> float:
        if divisor == 0:
            raise DivisionByNothing(dividend)
        return dividend / divisor

    def factorial(self, number: Annotated[int, Le(170)]) -> float:
        return float(math.factorial(number))


async def main(port: int) -> None:
    """Serve until a signal."""
    async with serve(lambda peer: Calculator(), "127.0.0.1", port) as server:
        print("serving", server.url, flush=True)
        await server.run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.calculator.server", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="0 is any that is free (default: %(default)s)")
    asyncio.run(main(parser.parse_args().port))
