"""What a run is to do: from arguments, or from [tool.capnweb-gen] in pyproject.toml.

Rule: what cannot be understood is wrong usage, which ends the program with exit code 2 before anything is read.
"""

from __future__ import annotations

import os
import shlex
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from capnweb_gen import output
from capnweb_gen.backends.plugins import PYTHON, BackendError, load
from capnweb_gen.cli import terminal
from capnweb_gen.compiler import Compiled, compile_schemas, python_backend
from capnweb_gen.errors import in_order, shown


@dataclass(frozen=True)
class Job:
    """What one run is to do. `as_json` tells that diagnostics are for a program to read."""

    schemas: tuple[Path, ...]
    out: Path
    backend: str = PYTHON
    as_json: bool = False
    blocking: bool = False
    reflection: bool = False
    fakes: bool = False

    @property
    def command(self) -> str:
        """The command that does it, as generated files give it: the same for a folder and for a file in it."""
        folders = dict.fromkeys(schema.parent if schema.is_file() else schema for schema in self.schemas)
        written = [schema for schema in self.schemas if schema.suffix == ".json"]
        named = [folder for folder in folders if folder not in {schema.parent for schema in written}] + written
        backend = [] if self.backend == PYTHON else ["--backend", self.backend]
        blocking = ["--blocking"] if self.blocking else []
        reflection = ["--reflection"] if self.reflection else []
        fakes = ["--fakes"] if self.fakes else []
        options = [*backend, *blocking, *reflection, *fakes]
        return shlex.join(["capnweb-gen", *map(shown, named), "--out", shown(self.out), *options])


class Settings(BaseModel):
    """[tool.capnweb-gen] in pyproject.toml. docs/configuration.md describes it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    schemas: list[str] = Field(min_length=1)
    out: str
    backend: str = PYTHON
    blocking: bool = False
    reflection: bool = False
    fakes: bool = False
    breaking: dict[str, object] = Field(default_factory=dict[str, object])  # cli.breaking reads what is in it


def job_arguments(command: Callable[..., Any]) -> Callable[..., Any]:
    """The arguments from which `find_job` makes a job."""
    arguments = (
        click.argument("schemas", nargs=-1, type=click.Path(path_type=Path)),
        click.option(
            "--out", type=click.Path(path_type=Path, file_okay=False), help="Folder of the generated modules."
        ),
        click.option("--backend", metavar="NAME", help="What to generate: python, or a back end that is installed."),
        click.option("--blocking", is_flag=True, help="Also make stubs for scripts, whose methods wait for results."),
        click.option("--reflection", is_flag=True, help="Also write the IR, for servers that say what they serve."),
        click.option("--fakes", is_flag=True, help="Also make fakes of the interfaces, for tests."),
        click.option("--json", "as_json", is_flag=True, help="Print diagnostics as JSON, for editors and CI."),
    )
    for argument in reversed(arguments):
        command = argument(command)
    return command


def find_job(
    schemas: Sequence[Path],
    out: Path | None,
    backend: str | None,
    as_json: bool,
    blocking: bool = False,
    reflection: bool = False,
    fakes: bool = False,
) -> Job:
    """The job that arguments describe, completed by the configuration if no schema is named.

    Raises:
        click.UsageError: something is missing in both, or the configuration cannot be understood.
    """
    missing = next((schema for schema in schemas if not os.path.lexists(schema)), None)
    if missing is not None and out is None:
        raise click.UsageError(f"no such command, file or folder: {missing}")
    if schemas and out is None:
        raise click.UsageError("--out is missing: name the folder for the generated modules, such as --out generated")
    if schemas and out is not None:
        return _sound(Job(tuple(schemas), out, backend or PYTHON, as_json, blocking, reflection, fakes))
    found, settings = _settings()
    configured = tuple(found.parent / schema for schema in settings.schemas)
    out = out or found.parent / settings.out
    blocking, reflection = blocking or settings.blocking, reflection or settings.reflection
    fakes = fakes or settings.fakes
    return _sound(Job(configured, out, backend or settings.backend, as_json, blocking, reflection, fakes))


def _sound(job: Job) -> Job:
    if job.blocking and job.backend != PYTHON:
        raise click.UsageError(f"blocking stubs are made by the back end python; leave out blocking for {job.backend}")
    if job.reflection and job.backend != PYTHON:
        raise click.UsageError(f"the back end python writes the IR; leave out reflection for {job.backend}")
    if job.fakes and job.backend != PYTHON:
        raise click.UsageError(f"fakes are made by the back end python; leave out fakes for {job.backend}")
    return job


def run(job: Job) -> tuple[Compiled, list[output.Change]]:
    """Compile, and compare with what is there. Ends the program if anything is wrong; prints warnings, except as JSON.

    Raises:
        click.UsageError: there is no such back end.
    """
    try:
        own = partial(python_backend, blocking=job.blocking, reflection=job.reflection, fakes=job.fakes)
        backend = own if job.backend == PYTHON else load(job.backend)
    except BackendError as error:
        raise click.UsageError(str(error)) from error
    with terminal.working("compiling"):
        try:
            compiled = compile_schemas(job.schemas, job.command, backend, reflection=job.reflection)
        except BackendError as error:
            raise click.ClickException(str(error)) from error
    if not job.as_json:
        terminal.warn(compiled.warnings, schemas=job.schemas)
    terminal.stop_on(compiled.diagnostics, as_json=job.as_json, schemas=job.schemas, warnings=compiled.warnings)
    changes, faults = output.compare(compiled.files, job.out, _sources(job), python=job.backend == PYTHON)
    terminal.stop_on(in_order(faults), as_json=job.as_json, warnings=compiled.warnings)
    return compiled, changes


def generated_folder() -> Path:
    """The output folder that the configuration names, or else the usual one."""
    try:
        found, settings = _settings()
    except click.UsageError:
        return Path("generated")
    return found.parent / settings.out


def _sources(job: Job) -> frozenset[str]:
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
        raise click.UsageError("name a schema, and a folder with --out: there is no pyproject.toml to read them from")
    try:
        settings = tomllib.loads(found.read_text("utf-8")).get("tool", {}).get("capnweb-gen")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{found} cannot be read: {error}") from error
    if settings is None:
        raise click.UsageError(f"name a schema, and a folder with --out: {found} has no [tool.capnweb-gen]")
    try:
        return found, Settings.model_validate(settings)
    except ValidationError as error:
        what = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise click.UsageError(f"[tool.capnweb-gen] in {found}: {what}") from error
