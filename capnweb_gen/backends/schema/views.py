"""What templates print. Rule: texts that are laid out already, in order."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Entry:
    """Something in a class. `spaced` tells that blank lines set it apart from what stands around it."""

    text: str
    spaced: bool = False


@dataclass(frozen=True)
class ClassView:
    """A class: its decorators, the line that names it, and what is in it. Every class has something in it."""

    name: str
    head: str
    decorators: tuple[str, ...] = ()
    doc: str | None = None
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class AssignedView:
    """A name that is given a type, or what makes one."""

    name: str
    text: str


Block = ClassView | AssignedView


@dataclass(frozen=True)
class ModuleView:
    """A module: what stands at its top, and then its blocks."""

    header: str
    doc: str | None
    imports: tuple[str, ...]
    case: str | None
    blocks: tuple[Block, ...] = field(default_factory=tuple)
