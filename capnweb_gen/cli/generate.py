"""`capnweb-gen generate`, the default command: write the generated modules, once or whenever a schema changes."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from capnweb_gen.cli import terminal
from capnweb_gen.cli.job import Job, find_job, job_arguments, run
from capnweb_gen.cli.watch import watch


@click.command()
@job_arguments
@click.option("--watch", "watching", is_flag=True, help="Go on, and write again when a schema or its imports change.")
def generate(
    schemas: tuple[Path, ...],
    out: Path | None,
    backend: str | None,
    blocking: bool,
    reflection: bool,
    as_json: bool,
    watching: bool,
) -> None:
    """Write the generated modules (the default command).

    That imports the schemas, and so runs their code.
    """
    job = find_job(schemas, out, backend, as_json, blocking, reflection)
    if watching:
        watch(job.schemas, lambda: _again_and_again(job), say=terminal.say)
    else:
        once(job)


def once(job: Job) -> None:
    """Write the generated modules. Ends the program if anything is wrong."""
    compiled, changes = run(job)
    terminal.write(changes)
    if job.as_json:
        terminal.print_json((), compiled.warnings)
    terminal.summarize(compiled.schemas, len(compiled.files), len(changes))


def _again_and_again(job: Job) -> None:
    """The same, as one of many runs: what cannot be written now, or fails in a back end, may be mended."""
    try:
        once(job)
    except click.UsageError:
        raise
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
