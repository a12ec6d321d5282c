"""What `make release` says: a line for each step, when it is done. Colour on a terminal, plain in a pipe."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

_COLOURS = {"ok": "32", "failed": "31", "..": "2"}


class Failed(Exception):
    """A step has found what must not be; its text says what, and what to do."""


class Steps:
    """The steps that have been made.

    Call it with what a step makes sure of, and do that in its block.
    """

    def __init__(self) -> None:
        self._begun = ""
        self._terminal = sys.stdout.isatty()

    @contextmanager
    def __call__(self, what: str) -> Iterator[None]:
        """Does a step."""
        self._begun = what
        if self._terminal:
            print(self._line("..", what), end="\r", flush=True)
        started = time.monotonic()
        yield
        print(self._line("ok", f"{what}  ({time.monotonic() - started:.0f} s)"), flush=True)

    def note(self, text: str) -> None:
        """Says something about the step before."""
        for line in text.splitlines():
            print(f"         {line}", flush=True)

    def fail(self, why: str) -> None:
        """The step that was begun has failed."""
        print(self._line("failed", self._begun), flush=True)
        print(why, file=sys.stderr)

    def _line(self, mark: str, what: str) -> str:
        padded = f"{mark:>7}"
        if self._terminal:
            padded = f"\x1b[{_COLOURS[mark]}m{padded}\x1b[0m"
        return f"{padded}  {what}"
