"""What the command line says, and how.

Rule: results go to standard output, everything else to standard error. Colours, progress and summaries are for a
terminal; what is piped is plain, and silent when all is well.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout, suppress
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from capnweb_gen import ir, output, report
from capnweb_gen.errors import Diagnostic, shown

_STDOUT, _STDERR = 1, 2
_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def say(message: str) -> None:
    """Tell the user something."""
    show(Text(message))


def show(message: Text) -> None:
    """The same, with colours."""
    _stderr().print(message)


def count(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


@contextmanager
def working(what: str) -> Generator[None]:
    """While this lasts, a terminal shows that something is being done, and what others print is no result of ours."""
    console = _stderr()
    with printing_aside(), console.status(what) if console.is_terminal else nullcontext():
        yield


@contextmanager
def printing_aside() -> Generator[None]:
    """While this lasts, what schemas and back ends print goes to standard error, also by programs that they start."""
    with redirect_stdout(sys.stderr), _descriptor_aside():
        yield


@contextmanager
def _descriptor_aside() -> Generator[None]:
    """The same for whatever writes past sys.stdout."""
    _flush()
    try:
        results = os.dup(_STDOUT)
    except OSError:  # it is closed: nothing can get into it
        yield
        return
    try:
        with suppress(OSError):
            os.dup2(_STDERR, _STDOUT)
        yield
    finally:
        _flush()
        os.dup2(results, _STDOUT)
        os.close(results)


def _flush() -> None:
    if sys.__stdout__ is not None:
        sys.__stdout__.flush()


def summarize(schemas: Sequence[ir.Schema], files: int, changed: int) -> None:
    """On a terminal, say what a run that went well was about."""
    console = _stderr()
    if console.is_terminal:
        interfaces = [interface for schema in schemas for interface in schema.interfaces]
        members = sum(len(interface.members) for interface in interfaces)
        models = sum(len(schema.models) for schema in schemas)
        parts = [count(len(schemas), "schema"), count(len(interfaces), "interface"), count(members, "member")]
        made = f"{count(files, 'file')}, {changed or 'none'} changed"
        console.print(Text(f"{', '.join(parts)}, {count(models, 'model')} → {made}", style="dim"))


def print_diff(changes: Iterable[output.Change]) -> None:
    """Print what writing would change."""
    console = Console(highlight=False, soft_wrap=True)
    for change in changes:
        for line in change.diff().splitlines():
            console.print(Text(line, style=_COLOURS.get(line[:1], "")))


def write(changes: list[output.Change]) -> None:
    """Make changes to files and say which.

    Raises:
        click.ClickException: a file cannot be written; none was.
    """
    try:
        output.write(changes)
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        message = f"cannot write{where}: {error.strerror or error}; nothing was changed"
        raise click.ClickException(message) from error
    for change in changes:
        say(f"{'removed' if change.after is None else 'wrote'} {shown(change.path)}")


def stop_on(
    diagnostics: Sequence[Diagnostic],
    *,
    as_json: bool,
    schemas: Sequence[Path] = (),
    warnings: Sequence[Diagnostic] = (),
    ends: str = "nothing was written",
) -> None:
    """End the program with exit code 1 if there are diagnostics, after printing them. `ends` says what came of it.

    Lines of source are looked for in the projects of `schemas`. JSON goes to standard output: an object whose
    `diagnostics` have file, line, column, message and hint; and so have its `warnings`, if there are any.
    """
    if as_json and diagnostics:
        print_json(diagnostics, warnings)
    elif diagnostics:
        _print(diagnostics, schemas, ends)
    if diagnostics:
        sys.exit(1)


def warn(warnings: Sequence[Diagnostic], *, schemas: Sequence[Path]) -> None:
    """Print warnings, which end nothing. `schemas` as for `stop_on`."""
    console = _stderr()
    sources = report.Sources(schemas)
    for warning in warnings:
        console.print(report.render(warning, sources, warning=True))


def print_json(diagnostics: Sequence[Diagnostic], warnings: Sequence[Diagnostic] = ()) -> None:
    """Print diagnostics for a program to read, and warnings if there are any. What is not ASCII is escaped: a message
    may hold half a character.
    """
    found = {"diagnostics": [asdict(diagnostic) for diagnostic in diagnostics]}
    if warnings:
        found["warnings"] = [asdict(warning) for warning in warnings]
    click.echo(json.dumps(found))


def _print(diagnostics: Sequence[Diagnostic], schemas: Sequence[Path], ends: str) -> None:
    console = _stderr()
    sources = report.Sources(schemas)
    for diagnostic in diagnostics:
        console.print(report.render(diagnostic, sources))
    console.print(Text(f"{count(len(diagnostics), 'fault')}; {ends}"))


def _stderr() -> Console:
    return Console(stderr=True, highlight=False, soft_wrap=True)
