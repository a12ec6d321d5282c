"""What has changed, as people read it, as programs do, and as GitHub shows it beside the lines of a pull request.

Rule: a change is told at the line where it was made, with the line that was there before.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import click
from rich.console import Console
from rich.text import Text

from capnweb_gen import report
from capnweb_gen.cli.past import Past
from capnweb_gen.errors import Diagnostic
from capnweb_gen.evolution.allowed import Judged
from capnweb_gen.evolution.effects import Category, Direction, Effect, Kind
from capnweb_gen.evolution.findings import Finding
from capnweb_gen.evolution.sides import Place

_COLOURS = {True: "bold red", False: "bold yellow"}


@dataclass(frozen=True)
class Asked:
    """What was asked: by whom a change may be noticed, and in which exchanges."""

    category: Category
    direction: Direction

    def breaks(self, finding: Finding) -> bool:
        """Whether a change fails the run."""
        return finding.effects.breaks(self.category, self.direction)

    def tells(self, finding: Finding) -> bool:
        """Whether a change is told."""
        return self.breaks(finding) or finding.effects.warns(self.category, self.direction)

    def whom(self, finding: Finding) -> str:
        """Whom a change breaks, or may break."""
        broken = {
            Direction.OLD_CLIENT: finding.effects.old_client,
            Direction.NEW_CLIENT: finding.effects.new_client,
        }
        hit = [one for one in broken if self._counts(broken[one], finding) and self.direction in (one, Direction.BOTH)]
        if not hit:
            return "code that uses it"
        return "old and new clients" if len(hit) == 2 else hit[0].value.replace("-", " ") + "s"

    def _counts(self, effect: Effect, finding: Finding) -> bool:
        return (
            effect.breaks(self.category, self.direction)
            if self.breaks(finding)
            else effect.kind is not Kind.SAFE and effect.warns(self.category)
        )


def sentence(finding: Finding, asked: Asked) -> str:
    """What has changed, whom that breaks, and by which rule, in one line."""
    verb = "breaks" if asked.breaks(finding) else "warning: may surprise"
    if not asked.breaks(finding) and _worst(finding) is Kind.BREAKS:
        verb = "warning: breaks if used"
        return f"{verb}: {finding.path}: {finding.message} [{finding.rule.id}]"
    return f"{verb} {asked.whom(finding)}: {finding.path}: {finding.message} [{finding.rule.id}]"


def _worst(finding: Finding) -> Kind:
    return max(finding.effects.old_client.kind, finding.effects.new_client.kind)


def print_text(judged: Judged, asked: Asked, past: Past, sources: report.Sources) -> None:
    """Print findings for people."""
    console = Console(highlight=False, soft_wrap=True)
    for finding in judged.left:
        console.print(_rendered(finding, asked, past, sources))


def _rendered(finding: Finding, asked: Asked, past: Past, sources: report.Sources) -> Text:
    place = Diagnostic(finding.at.path, finding.at.line, finding.at.column, sentence(finding, asked), finding.rule.hint)
    colour = _COLOURS[asked.breaks(finding)]
    text = report.render_head(place, sources, colour)
    if finding.was is not None:
        text.append_text(_was(finding.was, past))
    text.append_text(Text.assemble(report.INDENT, ("why:", "bold green"), " ", finding.rule.why, "\n"))
    return text.append_text(Text.assemble(report.INDENT, ("hint:", "bold green"), " ", finding.rule.hint))


def _was(place: Place, past: Past) -> Text:
    """The line of then: from its file, or as the snapshot says it."""
    quoted = past.quote(place.path, place.line)
    if quoted is not None:
        where, line, number = f"{past.name}:{place.path}:{place.line}", quoted, str(place.line)
    elif place.text:
        where, line, number = f"{past.name}, {place.path}", place.text, " "
    else:
        return Text()
    return Text.assemble(
        report.INDENT, ("was:", "bold blue"), f" {where}\n", (f"{report.INDENT}{number} | ", "blue"), line, "\n"
    )


def as_json(judged: Judged, asked: Asked, past: Past, notes: Sequence[Diagnostic]) -> str:
    """Findings for programs: a JSON object."""
    found = [_entry(finding, asked, past) for finding in judged.left]
    allowed = [{**_entry(finding, asked, past), "reason": entry.reason} for finding, entry in judged.allowed]
    warnings = [{"message": note.message, "hint": note.hint, "file": note.file, "line": note.line} for note in notes]
    return json.dumps({"against": past.name, "findings": found, "allowed": allowed, "warnings": warnings})


def _entry(finding: Finding, asked: Asked, past: Past) -> dict[str, object]:
    was = finding.was
    return {
        "rule": finding.rule.id,
        "path": finding.path,
        "message": finding.message,
        "breaks": asked.breaks(finding),
        "old_client": finding.effects.old_client.words,
        "new_client": finding.effects.new_client.words,
        "code": finding.effects.code,
        "why": finding.rule.why,
        "hint": finding.rule.hint,
        "file": finding.at.path,
        "line": finding.at.line,
        "column": finding.at.column,
        "was": None
        if was is None
        else {"file": was.path, "line": was.line, "text": past.quote(was.path, was.line) or was.text},
    }


def print_github(judged: Judged, asked: Asked, past: Past, notes: Sequence[Diagnostic]) -> None:
    """Print findings as commands that a workflow of GitHub makes annotations of."""
    for finding in judged.left:
        at = finding.at
        was = None if finding.was is None else past.quote(finding.was.path, finding.was.line) or finding.was.text
        told = [sentence(finding, asked), *([f"was: {was.strip()}"] if was else []), finding.rule.why]
        level = "error" if asked.breaks(finding) else "warning"
        where = f"file={_property(at.path)},line={at.line},col={at.column},title={_property(finding.rule.id)}"
        click.echo(f"::{level} {where}::{_data(chr(10).join([*told, 'hint: ' + finding.rule.hint]))}")
    for note in notes:
        click.echo(f"::warning file={_property(note.file)},line={note.line}::{_data(note.message)}")


def print_github_faults(faults: Sequence[Diagnostic]) -> None:
    """The same for what cannot be read."""
    for fault in faults:
        where = f"file={_property(fault.file)},line={fault.line},col={fault.column}"
        click.echo(f"::error {where}::{_data(f'{fault.message}{chr(10)}hint: {fault.hint}')}")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
