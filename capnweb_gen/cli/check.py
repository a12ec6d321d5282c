"""`capnweb-gen check`: fail if the generated modules are not up to date, or, with `--types`, not well typed."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import click

from capnweb_gen.cli import terminal
from capnweb_gen.cli.job import Job, find_job, job_arguments, run
from capnweb_gen.errors import Diagnostic, shown


@click.command()
@job_arguments
@click.option("--types", is_flag=True, help="Also run mypy over the schemas and the generated modules.")
def check(
    schemas: tuple[Path, ...],
    out: Path | None,
    backend: str | None,
    blocking: bool,
    reflection: bool,
    as_json: bool,
    types: bool,
) -> None:
    """Fail, with the diff, if the generated modules are not up to date.

    That imports the schemas, and so runs their code.
    """
    job = find_job(schemas, out, backend, as_json, blocking, reflection)
    if types and find_spec("mypy") is None:
        raise click.UsageError("--types needs mypy: pip install 'capnweb-gen[checking]'")
    compiled, changes = run(job)
    if changes:
        if as_json:
            hint = f"run: {job.command}"
            stale = [Diagnostic(shown(item.path), 1, 1, "out of date", hint) for item in changes]
            terminal.print_json(stale, compiled.warnings)
        else:
            terminal.print_diff(changes)
            terminal.say(f"{terminal.count(len(changes), 'file')} out of date; run: {job.command}")
        sys.exit(1)
    if types:
        _check_types(job)
    if as_json:
        terminal.print_json((), compiled.warnings)
    terminal.summarize(compiled.schemas, len(compiled.files), 0)


def _check_types(job: Job) -> None:
    """Run mypy with the project's own settings, but strict. Ends the program if it finds anything."""
    paths = [*(schema for schema in job.schemas if schema.suffix != ".json"), job.out]
    options = ["--strict", "--namespace-packages", "--explicit-package-bases", "--no-error-summary"]
    command = [sys.executable, "-m", "mypy", *options, *map(str, paths)]
    with terminal.working("checking types"):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    click.echo(done.stdout, nl=False, err=job.as_json)
    click.echo(done.stderr, nl=False, err=True)
    if done.returncode:
        terminal.say(f"mypy found errors in {' '.join(map(shown, paths))}")
        sys.exit(1)
