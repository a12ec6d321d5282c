"""The process in which `capnweb-gen lsp` has schemas read: whatever they do when they are imported is done here.

Rule: one answer for each request, and none that comes too late: a request that takes longer than it says ends the
process, which leaves behind where it was. What schemas print is nobody's to read.
"""

from __future__ import annotations

import faulthandler
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from capnweb_gen import ir
from capnweb_gen.backends.plugins import BackendError
from capnweb_gen.cli.job import Asked, Job, compared, find_job, sources
from capnweb_gen.cli.outputs import Ready
from capnweb_gen.cli.watch import own_file
from capnweb_gen.compiler import Understood, make, understand
from capnweb_gen.errors import Diagnostic, shown
from capnweb_gen.frontends.python.texts import unsaved
from capnweb_gen.language_server.messages import LONGEST, Answer, Change, Fault, Output, Request, parse_request, written

_OURS = frozenset({"capnweb_gen", "capnweb_runtime"})  # whose files are a user's own where they are worked on


def answer(request: Request) -> Answer:
    """Read schemas, as if nothing of the user's had been imported before."""
    before = set(sys.modules)
    try:
        os.chdir(request.folder)
        schemas = None if request.schemas is None else tuple(map(Path, request.schemas))
        job = find_job(Asked()) if schemas is None else Job(schemas, ())
        with unsaved({Path(path): text for path, text in request.unsaved.items()}):
            return _read(job, before, make_files=request.make)
    except (click.ClickException, BackendError, OSError) as error:
        return Answer(problem=_cut(error.format_message() if isinstance(error, click.ClickException) else str(error)))
    except (Exception, KeyboardInterrupt, SystemExit) as error:  # of a schema, or a fault of the compiler
        return Answer(problem=_cut(f"reading the schemas failed: {type(error).__name__}: {error}"))
    finally:
        for name in _imported(before):
            del sys.modules[name]


def _imported(before: set[str]) -> dict[str, Path]:
    """The modules of the user's own that were imported since, and their files."""
    new = [name for name in set(sys.modules) - before if name.partition(".")[0] not in _OURS]
    return {name: path for name in new if (path := own_file(sys.modules[name]))}


def _read(job: Job, before: set[str], *, make_files: bool) -> Answer:
    outputs = tuple(wanted.ready(job.schemas) for wanted in job.outputs)
    found = understand(job.schemas)
    refused: list[Diagnostic] = []
    changes: list[Change] = []
    if make_files:
        changes, refused = _made(job, found, outputs)
    elif found.checked:
        refused = [fault for ready in outputs for fault in ready.make.faults(found.schemas)]
    paths = {shown(path): str(path) for path in _files(job.schemas, before)}
    return Answer(
        schemas=found.schemas,
        faults=_told(sorted({*found.diagnostics, *refused}), paths),
        warnings=_told(found.warnings, paths),
        paths=paths | _elsewhere(found.schemas, paths),
        outputs=tuple(Output(backend=ready.backend, folder=str(ready.out.absolute())) for ready in outputs),
        changes=tuple(changes),
    )


def _made(job: Job, found: Understood, outputs: Sequence[Ready]) -> tuple[list[Change], list[Diagnostic]]:
    """What would change in generated files, and what back ends refuse."""
    made = [make(found, ready.command, ready.make) for ready in outputs]
    refused = [fault for _, faults in made for fault in faults]
    if found.diagnostics or refused:
        return [], refused
    changes, in_the_way = compared(outputs, [files for files, _ in made], sources(job))
    told = [Change(path=str(one.path.absolute()), before=one.before, after=one.after) for one in changes]
    return told, in_the_way


def _files(schemas: Sequence[Path], before: set[str]) -> list[Path]:
    """The files that may be told about: those that were named, those in folders, and what was imported."""
    named = [path for schema in schemas for path in ([schema, *schema.rglob("*.py")] if schema.is_dir() else [schema])]
    return [*_imported(before).values(), *named]


def _elsewhere(schemas: Sequence[ir.Schema], paths: dict[str, str]) -> dict[str, str]:
    """The files of models and exceptions that were installed, and are told of by their names."""
    found: dict[str, str] = {}
    models: list[ir.Model | ir.Error] = [one for schema in schemas for one in schema.models]
    for declared in [*models, *(one for schema in schemas for one in schema.errors)]:
        origin = getattr(sys.modules.get(declared.module), "__file__", None)
        if declared.path not in paths and origin:
            found[declared.path] = origin
    return found


def _told(diagnostics: Sequence[Diagnostic], paths: dict[str, str]) -> tuple[Fault, ...]:
    return tuple(
        Fault(
            path=paths.get(one.file),
            file=one.file,
            line=one.line,
            column=one.column,
            message=_cut(one.message),
            hint=_cut(one.hint),
            code=one.code,
        )
        for one in diagnostics
    )


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def main(trace: Path) -> None:
    """Answer requests until there are no more.

    Args:
        trace: file for where the process was when a request took too long.
    """
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):  # a schema that asks its user something gets no answer, rather than our requests
        os.dup2(nothing, descriptor)
    sys.dont_write_bytecode = True  # bytecode is told apart by seconds, and edits come faster
    with trace.open("w", encoding="utf-8") as late:
        for line in requests:
            request = parse_request(line)
            faulthandler.dump_traceback_later(request.seconds, exit=True, file=late)
            told = answer(request)
            faulthandler.cancel_dump_traceback_later()
            answers.write(written(told))
            answers.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
