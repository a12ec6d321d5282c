"""Runs one example from its `__main__`: with a bound, without noise, and with an exit code that can be believed."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import NoReturn

from rich.text import Text

from examples.form.report import Report

SECONDS = 60
"""How long an example may take before it counts as hanging. It should take 5 at most."""


def run(name: str, example: Callable[[Report], Awaitable[None]]) -> NoReturn:
    """Run an example and end the program: with exit code 0 if everything that it claims holds, with 1 otherwise.

    Parameters:
        name: the folder of the example.
        example: does everything and tells it to the report.
    """
    report = Report()
    with _silence():
        asyncio.run(_bounded(example, report))
    report.console.print()
    if report.broken:
        report.console.print(Text(f"{name}: {len(report.broken)} of {report.checked} claims do not hold", "bold red"))
        sys.exit(1)
    report.console.print(Text.assemble((f"{name}: ok", "bold green"), f", {report.checked} claims checked"))
    sys.exit(0)


@contextmanager
def _silence() -> Generator[None]:
    """Examples show what bad input gets; the server's log of it would only stand between the lines."""
    log = logging.getLogger("capnweb_runtime")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)


async def _bounded(example: Callable[[Report], Awaitable[None]], report: Report) -> None:
    async with asyncio.timeout(SECONDS):
        await example(report)
