"""What the compiler says when a schema cannot be compiled.

Rule: a fault is data, not an exception. Every stage adds to a list of diagnostics and carries on, so that one run
reports all of them; files are written only when the list stays empty.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from capnweb_gen.explanations import code_of


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

    @property
    def code(self) -> str | None:
        """The code for `capnweb-gen explain`, such as `CW-050`; None if no page is about such a fault."""
        return code_of(self.message)

    def __str__(self) -> str:
        return f"{self.location}: {self.message}\n    hint: {self.hint}"


def in_order(diagnostics: list[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Each diagnostic once, by file and position: the same faults always read the same."""
    return tuple(sorted(set(diagnostics)))


INSTALLED = frozenset({"site-packages", "dist-packages"})
"""Folders of what is installed."""


def project_of(path: Path) -> Path | None:
    """The project that a path belongs to: the nearest folder above it that has a pyproject.toml."""
    for folder in path.absolute().parents:
        if os.path.isfile(folder / "pyproject.toml"):  # noqa: PTH113  # Path.is_file raises where it may not look
            return folder
    return None


def shown(path: Path) -> str:
    """A path as people know it: relative to the project if it is inside one, and the same from wherever it is run.

    Without a project it is relative to the current folder. What is installed goes by the name under which it is
    imported, and what is in none of these by its own, because generated files must not depend on the machine.
    """
    path = path.absolute()
    for above in path.parents:
        if above.name in INSTALLED:
            return path.relative_to(above).as_posix()
    for folder in (project_of(path), Path.cwd()):
        if folder is not None and path.is_relative_to(folder):
            return path.relative_to(folder).as_posix()
    return path.name


def column(line: str, offset: int) -> int:
    """The column of a place, counted in characters from 1.

    Args:
        line: the line of source.
        offset: what comes before the place, in bytes of UTF-8: Python's trees and tracebacks count so.
    """
    return offset + 1 if line.isascii() else len(line.encode(errors="replace")[:offset].decode(errors="replace")) + 1


class UnsupportedTypeError(Exception):
    """A type inside the one being read cannot travel."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint
