"""The command line: `capnweb-gen SCHEMA... --out DIR` writes, `capnweb-gen check SCHEMA... --out DIR` compares.

Rule: quiet when all is well. Exit codes: 0 fine · 1 a schema has faults, or generated files are stale · 2 wrong
usage.
"""

from __future__ import annotations

import shlex
import sys
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from rich.console import Console
from rich.text import Text

from capnweb_gen import output
from capnweb_gen.compiler import Compiled, compile_schemas
from capnweb_gen.errors import Diagnostic, in_order
from capnweb_gen.frontends.files import shown

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


@dataclass(frozen=True)
class Job:
    """What one run is to do."""

    schemas: tuple[Path, ...]
    out: Path

    @property
    def command(self) -> str:
        """The command that does it, as generated files give it: the same for a folder and for a file in it."""
        folders = dict.fromkeys(schema if schema.is_dir() else schema.parent for schema in self.schemas)
        return shlex.join(["capnweb-gen", *map(shown, folders), "--out", shown(self.out)])


class _Settings(BaseModel):
    """[tool.capnweb-gen] in pyproject.toml."""

    model_config = ConfigDict(extra="forbid", strict=True)

    schemas: list[str] = Field(min_length=1)
    out: str


class _DefaultGroup(click.Group):
    """A group in which arguments that name no command are those of `generate`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in {"--help", "--version"}):
            args = ["generate", *args]
        return super().parse_args(ctx, args)


def _job_arguments(command: Callable[..., Any]) -> Callable[..., Any]:
    out = click.option(
        "--out", type=click.Path(path_type=Path, file_okay=False), help="Folder of the generated modules."
    )
    return click.argument("schemas", nargs=-1, type=click.Path(path_type=Path))(out(command))


@click.group(cls=_DefaultGroup)
@click.version_option(package_name="capnweb-gen")
def main() -> None:
    r"""Compile interfaces declared in Python into typed stubs and server skeletons for Cap'n Web.

    \b
    capnweb-gen SCHEMA... --out DIR         write the generated modules
    capnweb-gen check SCHEMA... --out DIR   fail, with the diff, if they are not up to date

    A SCHEMA is a file or a folder. Without arguments both read [tool.capnweb-gen] in pyproject.toml:
    schemas = ["schemas"], out = "generated".
    """


@main.command()
@_job_arguments
def generate(schemas: tuple[Path, ...], out: Path | None) -> None:
    """Write the generated modules (the default command)."""
    job = _job(schemas, out)
    changes = _changes(job)
    output.write(changes)
    for change in changes:
        _say(f"{'removed' if change.after is None else 'wrote'} {shown(change.path)}")


@main.command()
@_job_arguments
def check(schemas: tuple[Path, ...], out: Path | None) -> None:
    """Fail, with the diff, if the generated modules are not up to date."""
    job = _job(schemas, out)
    changes = _changes(job)
    if not changes:
        return
    console = Console(highlight=False, soft_wrap=True)
    for change in changes:
        for line in change.diff().splitlines():
            console.print(Text(line, style=_COLOURS.get(line[:1], "")))
    _say(f"{_count(len(changes), 'file')} out of date; run: {job.command}")
    sys.exit(1)


def _changes(job: Job) -> list[output.Change]:
    """Compile, and compare with what is there. Ends the program if anything is wrong."""
    compiled = compile_schemas(job.schemas, job.command)
    _stop_on(compiled.diagnostics)
    changes, faults = output.compare(compiled.files, job.out, _sources(job, compiled))
    _stop_on(in_order(faults))
    return changes


def _sources(job: Job, compiled: Compiled) -> frozenset[str]:
    """The folders given as arguments. A single file says nothing about its neighbours."""
    return frozenset(shown(schema) for schema in job.schemas if schema.is_dir()) if compiled.files else frozenset()


def _job(schemas: Sequence[Path], out: Path | None) -> Job:
    if schemas and out is not None:
        return Job(tuple(schemas), out)
    if schemas:
        raise click.UsageError("--out is missing: name the folder for the generated modules, such as --out generated")
    configured = _configured()
    return Job(configured.schemas, out or configured.out)


def _configured() -> Job:
    """The job that pyproject.toml describes: of this folder, or the nearest one above it."""
    here = Path.cwd()
    found = next((path for folder in (here, *here.parents) if (path := folder / "pyproject.toml").is_file()), None)
    if found is None:
        raise click.UsageError("name a schema, and a folder with --out: there is no pyproject.toml to read them from")
    try:
        settings = tomllib.loads(found.read_text("utf-8")).get("tool", {}).get("capnweb-gen")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{found} cannot be read: {error}") from error
    if settings is None:
        raise click.UsageError(f"name a schema, and a folder with --out: {found} has no [tool.capnweb-gen]")
    try:
        job = _Settings.model_validate(settings)
    except ValidationError as error:
        what = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise click.UsageError(f"[tool.capnweb-gen] in {found}: {what}") from error
    return Job(tuple(found.parent / schema for schema in job.schemas), found.parent / job.out)


def _stop_on(diagnostics: Sequence[Diagnostic]) -> None:
    if not diagnostics:
        return
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for diagnostic in diagnostics:
        console.print(
            Text.assemble(
                (diagnostic.location, "bold"),
                ": ",
                (diagnostic.message, "red"),
                "\n    hint: ",
                (diagnostic.hint, "green"),
            )
        )
    console.print(Text(f"{_count(len(diagnostics), 'fault')}; nothing was written"))
    sys.exit(1)


def _say(message: str) -> None:
    Console(stderr=True, highlight=False, soft_wrap=True).print(Text(message))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


if __name__ == "__main__":
    main()
