"""What the compiler says when a schema cannot be compiled.

Rule: a fault is data, not an exception. Every stage adds to a list of diagnostics and carries on, so that one run
reports all of them; files are written only when the list stays empty.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Diagnostic:
    """One fault: where it is, what is wrong, and what to do about it.

    `line` and `column` count from 1. `file` is written as the user would write it.
    """

    file: str
    line: int
    column: int
    message: str
    hint: str

    @property
    def location(self) -> str:
        """`file:line:column`, which editors and terminals turn into a link."""
        return f"{self.file}:{self.line}:{self.column}"

    def __str__(self) -> str:
        return f"{self.location}: {self.message}\n    hint: {self.hint}"


def in_order(diagnostics: list[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Each diagnostic once, by file and position: the same faults always read the same."""
    return tuple(sorted(set(diagnostics)))
