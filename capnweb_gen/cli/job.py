"""What a run is to do: from arguments, or from [tool.capnweb-gen] in pyproject.toml.

Rule: what cannot be understood is wrong usage, which ends the program with exit code 2 before anything is read.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from capnweb_gen import ir, output
from capnweb_gen.backends.plugins import PYTHON, BackendError
from capnweb_gen.cli import terminal
from capnweb_gen.cli.outputs import SWITCHES, TEXTS, Output, Ready, apart
from capnweb_gen.compiler import make, understand
from capnweb_gen.errors import Diagnostic, in_order, shown


@dataclass(frozen=True)
class Job:
    """What one run is to do. `as_json` tells that diagnostics are for a program to read, `command` what does it again
    if that is not the command of its only output.
    """

    schemas: tuple[Path, ...]
    outputs: tuple[Output, ...]
    as_json: bool = False
    command: str | None = None


@dataclass(frozen=True)
class Asked:
    """The arguments from which `find_job` makes a job, as the command line gives them."""

    schemas: tuple[Path, ...] = ()
    out: Path | None = None
    backend: str | None = None
    options: Mapping[str, object] = field(default_factory=dict[str, object])
    texts: Mapping[str, str] = field(default_factory=dict[str, str])
    as_json: bool = False


@dataclass(frozen=True)
class Done:
    """What came of a run: how many files there are, and what has to change in them. `command` does it again."""

    schemas: tuple[ir.Schema, ...]
    warnings: tuple[Diagnostic, ...]
    outputs: tuple[Ready, ...]
    files: int
    changes: list[output.Change]
    command: str


class OutputSettings(BaseModel):
    """[[tool.capnweb-gen.output]] in pyproject.toml. What else is in it are options of the back end."""

    model_config = ConfigDict(extra="allow", strict=True)

    out: str
    backend: str = PYTHON


class Settings(BaseModel):
    """[tool.capnweb-gen] in pyproject.toml. docs/configuration.md describes it. What else is in it are options of the
    back end, if there are no several outputs.
    """

    model_config = ConfigDict(extra="allow", strict=True)

    schemas: list[str] = Field(min_length=1)
    out: str | None = None
    backend: str | None = None
    output: list[OutputSettings] | None = Field(default=None, min_length=1)
    breaking: dict[str, object] = Field(default_factory=dict[str, object])  # cli.breaking reads what is in it


def job_arguments(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the arguments from which `find_job` makes a job, as its first parameter."""

    @wraps(command)
    def told(
        schemas: tuple[Path, ...],
        out: Path | None,
        backend: str | None,
        option: tuple[str, ...],
        as_json: bool,
        **others: Any,
    ) -> Any:
        given = {name: others.pop(name) for name in (*SWITCHES, *TEXTS)}
        options = {name: value for name, value in given.items() if value not in (None, False)}
        return command(Asked(schemas, out, backend, options, _texts(option), as_json), **others)

    arguments = (
        click.argument("schemas", nargs=-1, type=click.Path(path_type=Path)),
        click.option(
            "--out", type=click.Path(path_type=Path, file_okay=False), help="Folder to write the generated files to."
        ),
        click.option(
            "--backend",
            metavar="NAME",
            help="What to generate: python (default), typescript, openrpc, json-schema, markdown or one installed.",
        ),
        *(click.option(f"--{name}", is_flag=True, help=f"For {help}") for name, help in SWITCHES.items()),
        *(click.option(f"--{name}", metavar=metavar, help=f"For {help}") for name, (metavar, help) in TEXTS.items()),
        click.option("--option", multiple=True, metavar="NAME=VALUE", help="Set any option of the back end."),
        click.option("--json", "as_json", is_flag=True, help="Print diagnostics as JSON, for editors and CI."),
    )
    for argument in reversed(arguments):
        told = argument(told)
    return told


def _texts(options: Sequence[str]) -> dict[str, str]:
    """What `--option NAME=VALUE` says."""
    for option in options:
        if "=" not in option:
            raise click.UsageError(f"--option {option} has no value: write --option NAME=VALUE")
    return {name: value for name, _, value in (option.partition("=") for option in options)}


def find_job(asked: Asked) -> Job:
    """The job that arguments describe, completed by the configuration if no schema is named.

    Raises:
        click.UsageError: something is missing in both, or the configuration cannot be understood.
    """
    missing = next((schema for schema in asked.schemas if not os.path.lexists(schema)), None)
    if missing is not None and asked.out is None:
        raise click.UsageError(f"no such command, file or folder: {missing}")
    if asked.schemas and asked.out is None:
        raise click.UsageError("--out is missing: name the folder for the generated modules, such as --out generated")
    if asked.schemas and asked.out is not None:
        wanted = Output(asked.out, asked.backend or PYTHON, asked.options, asked.texts)
        return Job(asked.schemas, (wanted,), asked.as_json)
    found, settings = _settings()
    schemas = tuple(found.parent / schema for schema in settings.schemas)
    outputs = _configured(asked, found, settings)
    apart(outputs)
    return Job(schemas, outputs, asked.as_json, "capnweb-gen" if settings.output else None)


def _configured(asked: Asked, found: Path, settings: Settings) -> tuple[Output, ...]:
    """The outputs that the configuration names; what arguments say goes before that, if there is one of them."""
    if settings.output is None:
        out = asked.out or found.parent / (settings.out or "")
        options = {**(settings.model_extra or {}), **asked.options}
        backend = asked.backend or settings.backend or PYTHON
        where = "" if asked.backend or asked.options or asked.texts else f"[tool.capnweb-gen] in {found}: "
        return (Output(out, backend, options, asked.texts, where),)
    if asked.out or asked.backend or asked.options or asked.texts:
        raise click.UsageError(
            f"{found} says in [[tool.capnweb-gen.output]] what is made; to make something else, name a schema and --out"
        )
    return tuple(
        Output(
            found.parent / one.out,
            one.backend,
            one.model_extra or {},
            where=f"[[tool.capnweb-gen.output]] {number} in {found}: ",
        )
        for number, one in enumerate(settings.output, 1)
    )


def run(job: Job) -> Done:
    """Compile, and compare with what is there. Ends the program if anything is wrong; prints warnings, except as JSON.

    Raises:
        click.UsageError: there is no such back end, or it has no such option; two outputs have a file in common.
        click.ClickException: a back end failed.
    """
    outputs = tuple(wanted.ready(job.schemas) for wanted in job.outputs)
    made: list[dict[str, str]] = []
    refused: list[Diagnostic] = []
    with terminal.working("compiling"):
        found = understand(job.schemas)
        for ready in outputs:
            try:
                files, faults = make(found, ready.command, ready.make)
            except BackendError as error:
                raise click.ClickException(str(error)) from error
            made.append(files)
            refused.extend(faults)
    if not job.as_json:
        terminal.warn(found.warnings, schemas=job.schemas)
    faults = in_order([*found.diagnostics, *refused])
    terminal.stop_on(faults, as_json=job.as_json, schemas=job.schemas, warnings=found.warnings)
    changes, in_the_way = compared(outputs, made, sources(job))
    terminal.stop_on(in_order(in_the_way), as_json=job.as_json, warnings=found.warnings)
    command = job.command or outputs[0].command
    return Done(found.schemas, found.warnings, outputs, sum(map(len, made)), changes, command)


def compared(
    outputs: Sequence[Ready], made: Sequence[Mapping[str, str]], sources: frozenset[str]
) -> tuple[list[output.Change], list[Diagnostic]]:
    """What has to change in the folders of all outputs, and which files there are in the way.

    Raises:
        click.UsageError: a file would be made twice.
    """
    owners: dict[Path, Ready] = {}
    for ready, files in zip(outputs, made, strict=True):
        folder = ready.out.resolve()
        for name in files:
            other = owners.setdefault(folder / name, ready)
            if other is not ready:
                raise click.UsageError(
                    f"{shown(ready.out / name)} would be made by the back end {other.backend} and by {ready.backend}; "
                    "give each output a folder of its own"
                )
    changes: list[output.Change] = []
    faults: list[Diagnostic] = []
    for ready, files in zip(outputs, made, strict=True):
        more, wrong = output.compare(files, ready.out, sources, backend=ready.backend, kept=owners.keys())
        changes.extend(more)
        faults.extend(wrong)
    return changes, faults


def generated_folder() -> Path:
    """The folder of the generated modules that the configuration names, or else the usual one."""
    try:
        found, settings = _settings()
    except click.UsageError:
        return Path("generated")
    named = settings.output or [OutputSettings(out=settings.out or "", backend=settings.backend or PYTHON)]
    return next((found.parent / one.out for one in named if one.backend == PYTHON), Path("generated"))


def sources(job: Job) -> frozenset[str]:
    """The folders given as arguments. A single file says nothing about its neighbours."""
    return frozenset(shown(schema) for schema in job.schemas if schema.is_dir())


def configured_schemas(schemas: Sequence[Path]) -> tuple[Path, ...]:
    """The schemas that arguments name; those of the configuration if there are none.

    Raises:
        click.UsageError: one is missing, or none is named in either.
    """
    missing = next((schema for schema in schemas if not os.path.lexists(schema)), None)
    if missing is not None:
        raise click.UsageError(f"no such file or folder: {missing}")
    if schemas:
        return tuple(schemas)
    found, settings = configuration(Path.cwd())
    return tuple(found.parent / schema for schema in settings.schemas)


def _settings() -> tuple[Path, Settings]:
    return configuration(Path.cwd())


def configuration(here: Path) -> tuple[Path, Settings]:
    """The nearest pyproject.toml, in a folder or above it, and what it says.

    Raises:
        click.UsageError: there is none, or it cannot be understood.
    """
    found = next((path for folder in (here, *here.parents) if (path := folder / "pyproject.toml").is_file()), None)
    if found is None:
        raise click.UsageError(
            "no schema is named, and there is no pyproject.toml here or above: name schemas and a folder, such as "
            "`capnweb-gen schemas --out generated`, or start a project with `capnweb-gen init`"
        )
    try:
        settings = tomllib.loads(found.read_text("utf-8")).get("tool", {}).get("capnweb-gen")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{found} cannot be read: {error}") from error
    if settings is None:
        raise click.UsageError(
            f"no schema is named, and {found} has no [tool.capnweb-gen]: name schemas and a folder, such as "
            "`capnweb-gen schemas --out generated`, or add that table"
        )
    try:
        read = Settings.model_validate(settings)
    except ValidationError as error:
        what = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise click.UsageError(f"[tool.capnweb-gen] in {found}: {what}") from error
    if fault := _form_fault(read):
        raise click.UsageError(f"[tool.capnweb-gen] in {found}: {fault}")
    return found, read


def _form_fault(settings: Settings) -> str | None:
    """What is wrong with the way in which outputs are named: as one, or each in a table of its own."""
    if settings.output is None:
        missing = (
            "out: it is missing; name the folder of the generated modules, or outputs in [[tool.capnweb-gen.output]]"
        )
        return missing if settings.out is None else None
    named = [name for name in ("out", "backend") if getattr(settings, name) is not None]
    both = [*named, *(settings.model_extra or {})]
    if not both:
        return None
    return f"{', '.join(both)}: this belongs into a [[tool.capnweb-gen.output]] where there are any"
