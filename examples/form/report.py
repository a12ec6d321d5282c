"""What an example prints: what happens, and what was checked.

Rule: nothing is printed as proved that was not compared there and then. A figure that may differ from run to run is
printed with `~` before it, and only with that.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import TypeVar

from rich.console import Console
from rich.text import Text

E = TypeVar("E", bound=Exception)

_CLAIM = "  ok  "
_BROKEN = "  NO  "


class BrokenClaimError(Exception):
    """An example cannot go on, since something that it claims does not hold."""


def plain_console() -> Console:
    """The console that examples print to: coloured on a terminal, plain and never wrapped elsewhere."""
    return Console(highlight=False, soft_wrap=True)


@dataclass
class Report:
    """Prints an example's lines and counts what it has checked.

    Parameters:
        console: where to print.

    Attributes:
        checked: how many claims were compared.
        broken: those of them that did not hold, as they were printed.
    """

    console: Console = field(default_factory=plain_console)
    checked: int = 0
    broken: list[str] = field(default_factory=list[str])
    _begun: bool = False

    def section(self, title: str) -> None:
        """Begin a part of the example."""
        if self._begun:
            self.console.print()
        self._begun = True
        self.console.print(Text(title, "bold"))

    def say(self, line: str) -> None:
        """Tell what happens. Whatever may differ from run to run has `~` before it: see `approximately`."""
        self.console.print(Text(f"  {line}"))

    def check(self, claim: str, value: object, expected: object = True) -> None:
        """Claim that a value is what it has to be.

        Parameters:
            claim: what the value is, in words: "round trips for 50 rows".
            value: what was seen.
            expected: what it has to be. If it is True, the claim alone is printed.
        """
        shown = claim if expected is True else f"{claim}: {said(expected)}"
        self._judge(shown, value == expected, f"it is {said(value)}")

    def at_most(self, claim: str, value: float, bound: float, unit: str = "") -> None:
        """Claim that a measured value does not pass a bound. The value is printed with `~`, since it varies."""
        shown = f"{claim}: {approximately(value, unit)}, at most {said(bound)}{_of(unit)}"
        self._judge(shown, value <= bound, "it is more")

    def at_least(self, claim: str, value: float, bound: float, unit: str = "") -> None:
        """Claim that a measured value reaches a bound. The value is printed with `~`, since it varies."""
        shown = f"{claim}: {approximately(value, unit)}, at least {said(bound)}{_of(unit)}"
        self._judge(shown, value >= bound, "it is less")

    async def refused(self, claim: str, call: Awaitable[object], error: type[E]) -> E:
        """Claim that a call fails, and with what.

        Parameters:
            claim: what is asked for, in words.
            call: what has to fail.
            error: the class of what it has to fail with.

        Returns:
            What it failed with.

        Raises:
            BrokenClaimError: it did not fail.
        """
        try:
            await call
        except error as caught:
            self._judge(f"{claim}: {error.__name__}", True, "")
            return caught
        self._judge(f"{claim}: {error.__name__}", False, "nothing was raised")
        raise BrokenClaimError(f"{claim}: nothing was raised")

    def _judge(self, shown: str, holds: bool, otherwise: str) -> None:
        self.checked += 1
        if holds:
            self.console.print(Text.assemble((_CLAIM, "bold green"), shown))
        else:
            line = f"{shown}, but {otherwise}"
            self.broken.append(line)
            self.console.print(Text.assemble((_BROKEN, "bold red"), line))


def approximately(value: float, unit: str = "") -> str:
    """A figure that may differ from run to run: `~41,200 calls/s`, `~0.3 ms`."""
    return f"~{value:,.0f}{_of(unit)}" if value >= 100 else f"~{value:.3g}{_of(unit)}"


def said(value: object) -> str:
    """A value as a reader would write it."""
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else repr(value)


def _of(unit: str) -> str:
    return f" {unit}" if unit else ""
