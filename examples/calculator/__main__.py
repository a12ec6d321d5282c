"""`python -m examples.calculator`: starts the server as a process of its own, and computes."""

from __future__ import annotations

from capnweb_runtime import AnyStub, connect
from examples.calculator.client import hypotenuse_squared, mean
from examples.calculator.generated.calculator import CalculatorStub
from examples.calculator.schemas.calculator import DivisionByNothing
from examples.form.processes import started
from examples.form.report import Report
from examples.form.running import run

NUMBERS = [float(number) for number in range(1, 101)]


async def calculator(report: Report) -> None:
    """Everything that the README claims."""
    async with started("examples.calculator.server", "--port", "0") as server:
        await results(report, server.url)
        await mistakes(report, server.url)


async def results(report: Report, url: str) -> None:
    """Results that are arguments before they exist."""
    report.section("A result is an argument before it exists")
    session = connect(url, CalculatorStub)
    async with session as api:
        report.check("3² + 4²", await hypotenuse_squared(api, 3, 4), 25.0)
        report.check("round trips for its 3 calls", session.stats().round_trips, 1)
    session = connect(url, CalculatorStub)
    async with session as api:
        report.check("mean of 1 to 100", await mean(api, NUMBERS), 50.5)
        report.check(
            "round trips for its 101 calls, each of which takes the one before", session.stats().round_trips, 1
        )
        report.check("results that the server still owes", session.stats().calls, 0)


async def mistakes(report: Report, url: str) -> None:
    """What bad input gets: an error of its own, and nobody else pays for it."""
    report.section("What bad input gets")
    async with connect(url, CalculatorStub) as api:
        impossible = api.add(api.divide(1, 0), 1)  # the sum depends on what cannot be had
        error = await report.refused("1 / 0, in the midst of a sum", impossible, DivisionByNothing)
        report.check("its dividend", error.dividend, 1.0)
        wrong = await report.refused("factorial(171), which the schema does not allow", api.factorial(171), TypeError)
        report.say(str(wrong))
        report.check("the session goes on: 1 + 1", await api.add(1, 1), 2.0)
    async with connect(url, AnyStub) as untyped:  # a client that knows no schema
        wrong = await report.refused('add("3", 4) of a client without a schema', untyped.call("add", "3", 4), TypeError)
        report.say(str(wrong))


if __name__ == "__main__":
    run("calculator", calculator)
