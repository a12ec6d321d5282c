"""`capnweb-gen check`: fail if the generated files are not up to date, or, with `--types`, not well typed."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import click

from capnweb_gen.backends.plugins import PYTHON
from capnweb_gen.cli import terminal
from capnweb_gen.cli.job import Asked, Job, find_job, job_arguments, run
from capnweb_gen.errors import Diagnostic, shown


@click.command()
@job_arguments
@click.option("--types", is_flag=True, help="Also run mypy on the schemas and the generated modules.")
def check(asked: Asked, types: bool) -> None:
    """Fail, and print the diff, if the generated files are out of date.

    It imports the schemas, and so runs their code.
    """
    job = find_job(asked)
    if types and find_spec("mypy") is None:
        raise click.UsageError("--types needs mypy: pip install 'capnweb-gen[checking]'")
    done = run(job)
    if done.changes:
        if job.as_json:
            stale = [Diagnostic(shown(item.path), 1, 1, "out of date", f"run: {done.command}") for item in done.changes]
            terminal.print_json(stale, done.warnings)
        else:
            terminal.print_diff(done.changes)
            terminal.say(f"{terminal.count(len(done.changes), 'file')} out of date; run: {done.command}")
        sys.exit(1)
    if types:
        _check_types(job)
    if job.as_json:
        terminal.print_json((), done.warnings)
    terminal.summarize(done.schemas, done.files, 0)


def _check_types(job: Job) -> None:
    """Run mypy with the project's own settings, but strict. Ends the program if it finds anything."""
    modules = [output.out for output in job.outputs if output.backend == PYTHON]
    paths = [*(schema for schema in job.schemas if schema.is_dir() or schema.suffix == ".py"), *modules]
    if not paths:
        raise click.UsageError(
            "--types checks Python, and there is none: no schema is a Python file, and no output is Python"
        )
    options = ["--strict", "--namespace-packages", "--explicit-package-bases", "--no-error-summary"]
    command = [sys.executable, "-m", "mypy", *options, *map(str, paths)]
    with terminal.working("checking types"):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    click.echo(done.stdout, nl=False, err=job.as_json)
    click.echo(done.stderr, nl=False, err=True)
    if done.returncode:
        terminal.say(f"mypy found errors in {' '.join(map(shown, paths))}")
        sys.exit(1)
