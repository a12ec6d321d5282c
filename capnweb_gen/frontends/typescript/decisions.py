"""What was decided where TypeScript leaves something open, for people to look at.

Rule: a decision is no fault. It is told where it was made, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from capnweb_gen.errors import Diagnostic
from capnweb_gen.frontends.typescript.files import File
from capnweb_gen.ir import Position


@dataclass(frozen=True, order=True)
class Decision:
    """One decision: where, and what."""

    file: str
    line: int
    column: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.text}"


@dataclass(frozen=True)
class Options:
    """What a user decides.

    Attributes:
        numbers: what `number` is.
        tsc: whether the files are what tsc made, so that it cannot be recommended.
    """

    numbers: Literal["float", "int"] = "float"
    tsc: bool = False


class Notes:
    """Faults and decisions of a run."""

    def __init__(self) -> None:
        self.faults: list[Diagnostic] = []
        self.decisions: dict[Decision, None] = {}

    def fault(self, file: File, position: Position, reason: str, hint: str) -> None:
        """Tell a fault."""
        self.faults.append(Diagnostic(file.shown, position.line, position.column, reason, hint))

    def decide(self, file: File, position: Position, text: str) -> None:
        """Tell a decision."""
        self.decisions[Decision(file.shown, position.line, position.column, text)] = None
