"""`capnweb-gen generate`, the default command: write the generated files, once or whenever a schema changes."""

from __future__ import annotations

import sys

import click

from capnweb_gen.cli import terminal
from capnweb_gen.cli.job import Asked, Job, find_job, job_arguments, run
from capnweb_gen.cli.watch import watch


@click.command()
@job_arguments
@click.option(
    "--watch",
    "watching",
    is_flag=True,
    help="Keep running, and write again when a schema or a module that it imports changes.",
)
def generate(asked: Asked, watching: bool) -> None:
    """Write the generated files (the default command).

    It imports the schemas, and so runs their code.
    """
    job = find_job(asked)
    if watching:
        watch(job.schemas, lambda: _again_and_again(job), say=terminal.say)
    else:
        once(job)


def once(job: Job) -> None:
    """Write the generated files. Ends the program if anything is wrong."""
    done = run(job)
    terminal.write(done.changes)
    if job.as_json:
        terminal.print_json((), done.warnings)
    terminal.summarize(done.schemas, done.files, len(done.changes))


def _again_and_again(job: Job) -> None:
    """The same, as one of many runs: what cannot be written now, or fails in a back end, may be mended."""
    try:
        once(job)
    except click.UsageError:
        raise
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
