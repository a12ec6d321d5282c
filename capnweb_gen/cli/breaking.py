"""`capnweb-gen breaking`: tell which changes of schemas break those who have not made them yet. docs/evolution.md."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from capnweb_gen import report
from capnweb_gen.cli import changes, terminal
from capnweb_gen.cli.job import configuration, configured_schemas
from capnweb_gen.cli.past import Past, past
from capnweb_gen.compiler import read
from capnweb_gen.errors import Diagnostic, in_order, shown
from capnweb_gen.evolution.allowed import Allowed, Breaking, judge
from capnweb_gen.evolution.compare import compare
from capnweb_gen.evolution.effects import Category, Direction
from capnweb_gen.evolution.findings import Finding
from capnweb_gen.ir import Schema

_HEADER = "[[tool.capnweb-gen.breaking.allow]]"


@click.command()
@click.argument("schemas", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--against",
    required=True,
    metavar="REF|FILE.json",
    help="What to compare with: a branch, tag or commit of git, or a snapshot written by `capnweb-gen lock`.",
)
@click.option(
    "--category",
    type=click.Choice(["wire", "strict", "code"]),
    default="strict",
    show_default=True,
    help=(
        "Whom a change must not break. wire: peers that check nothing (the npm package); strict: also peers that check "
        "types (this one); code: also programs that are compiled against the new schemas."
    ),
)
@click.option(
    "--direction",
    type=click.Choice([one.value for one in Direction]),
    default="both",
    show_default=True,
    help="Check old clients with new servers, new clients with old servers, or both.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "github"]),
    default="text",
    help="How to print the findings: text for people, github for annotations in a GitHub workflow.",
)
def breaking(schemas: tuple[Path, ...], against: str, category: str, direction: str, as_json: bool, form: str) -> None:
    """Compare the schemas with an earlier version, and print what breaks peers that still have that version.

    It imports the schemas, and so runs their code, as it is now and as it was. The exit code is 1 if something breaks.
    """
    if as_json and form != "text":
        raise click.UsageError("--json and --format are two ways to print the same; leave one out")
    asked = changes.Asked(Category[category.upper()], Direction(direction))
    paths = configured_schemas(schemas)
    entries, config = entries_here()
    with terminal.working("reading"):
        new, faults = read(paths)
    _stop_on(in_order(faults), as_json, form, paths)
    with ExitStack() as stack:
        with terminal.working(f"reading {against}"):
            old = stack.enter_context(past(against, paths, None if schemas else _named_in))
        _stop_on(old.faults, as_json, form, paths)
        _tell(new, old, asked, entries, config, as_json=as_json, form=form, paths=paths)


def _tell(
    new: tuple[Schema, ...],
    old: Past,
    asked: changes.Asked,
    entries: Sequence[Allowed],
    config: Path | None,
    *,
    as_json: bool,
    form: str,
    paths: Sequence[Path],
) -> None:
    told = [finding for finding in compare(old.schemas, new) if asked.tells(finding)]
    judged = judge(told, entries)
    notes = [_note(config, entries.index(entry), message, hint) for entry, message, hint in judged.faults]
    if as_json:
        click.echo(changes.as_json(judged, asked, old, notes))
    elif form == "github":
        changes.print_github(judged, asked, old, notes)
    else:
        changes.print_text(judged, asked, old, report.Sources(paths))
        terminal.warn(notes, schemas=paths)
    broken = [finding for finding in judged.left if asked.breaks(finding)]
    if broken:
        if not as_json and form == "text":
            terminal.say(_summary(broken, judged.allowed, old))
        sys.exit(1)


def _summary(broken: Sequence[Finding], allowed: Sequence[object], old: Past) -> str:
    more = f"; {terminal.count(len(allowed), 'other')} allowed" if allowed else ""
    return f"{terminal.count(len(broken), 'breaking change')} since {old.name}{more}"


def _stop_on(faults: Sequence[Diagnostic], as_json: bool, form: str, paths: Sequence[Path]) -> None:
    if faults and form == "github":
        changes.print_github_faults(faults)
        sys.exit(1)
    terminal.stop_on(faults, as_json=as_json, schemas=paths, ends="nothing was compared")


# ---- configuration


def _named_in(folder: Path) -> list[Path] | None:
    """The schemas that the pyproject.toml of a folder, or of one above it, names; None if one is not there."""
    try:
        found, settings = configuration(folder)
    except click.UsageError:
        return None
    named = [found.parent / schema for schema in settings.schemas]
    return named if all(path.exists() for path in named) else None


def entries_here() -> tuple[list[Allowed], Path | None]:
    """What the project lets break, and where it says so.

    Raises:
        click.UsageError: it cannot be understood.
    """
    try:
        found, settings = configuration(Path.cwd())
    except click.UsageError:
        return [], None
    try:
        return Breaking.model_validate(settings.breaking).allow, found
    except ValidationError as error:
        faults: list[Any] = list(error.errors())
        what = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults)
        raise click.UsageError(f"[tool.capnweb-gen.breaking] in {found}: {what}") from error


def _note(config: Path | None, index: int, message: str, hint: str) -> Diagnostic:
    """What is wrong with an entry, at its line if it is written as usual."""
    if config is None:
        raise AssertionError("there are entries, and no file that they are in")
    lines = config.read_text("utf-8").splitlines()
    headers = [number for number, line in enumerate(lines, 1) if line.strip() == _HEADER]
    return Diagnostic(shown(config), headers[index] if index < len(headers) else 1, 1, message, hint)
