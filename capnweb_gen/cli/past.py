"""The schemas of then: those of another revision, or of an IR snapshot.

Rule: what they were made with does not matter; the compiler of now reads them. It runs in a process of its own, because
modules of then have the names of those of now.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

import capnweb_gen
from capnweb_gen import ir
from capnweb_gen.check import check
from capnweb_gen.cli.revisions import Revision, RevisionError, revision
from capnweb_gen.errors import Diagnostic, in_order, project_of, shown
from capnweb_gen.frontends.ir_json import check_references, read_ir

_FAULTS = TypeAdapter(list[Diagnostic])
_CONFLICT = b"<<<<<<< "
# Found wherever this one is, and after everything else from then on.
_PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from capnweb_gen.cli import main; "
    "sys.path.append(sys.path.pop(0)); main()"
)

Quote = Callable[[str, int], str | None]
"""A line of a file of then, by what the file is called in messages and the number of the line; None without one."""


@dataclass(frozen=True)
class Past:
    """The schemas of then.

    Attributes:
        name: what they are called in messages.
        schemas: they; empty if there are faults.
        faults: what is wrong with them.
        quote: a line of their files.
    """

    name: str
    schemas: tuple[ir.Schema, ...]
    faults: tuple[Diagnostic, ...]
    quote: Quote


Configured = Callable[[Path], Sequence[Path] | None]
"""The schemas that the configuration of then names, where it was in this folder; None if it says nothing."""


@contextmanager
def past(against: str, schemas: Sequence[Path], configured: Configured | None) -> Generator[Past]:
    """While this lasts, there are the schemas of then.

    Args:
        against: the path of an IR snapshot, which ends in .json, or a revision of git.
        schemas: the schemas of now.
        configured: what names those of then; None if the user has named them.
    """
    if against.endswith(".json"):
        yield snapshot(Path(against))
        return
    try:
        with revision(against, Path.cwd()) as found:
            yield _of_revision(found, schemas, configured)
    except RevisionError as error:
        yield Past(against, (), (Diagnostic(against, 1, 1, str(error), error.hint),), _nothing)


def snapshot(path: Path) -> Past:
    """The schemas in an IR snapshot."""
    name = shown(path)
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        fault = Diagnostic(
            name, 1, 1, "there is no such file", "write it with capnweb-gen lock, or name a git revision"
        )
        return Past(name, (), (fault,), _nothing)
    except OSError:
        text = b""  # which reading it tells
    conflict = next((number for number, line in enumerate(text.splitlines(), 1) if line.startswith(_CONFLICT)), None)
    if conflict is not None:
        hint = "take one side, the one that is released: git checkout --ours, or --theirs; then run capnweb-gen lock"
        fault = Diagnostic(name, conflict, 1, "there are conflicts of a merge in this file", hint)
        return Past(name, (), (fault,), _nothing)
    found, faults = read_ir([path])
    faults = faults or list(check_references(found)) or check(found)
    return Past(name, () if faults else found, in_order(faults), _nothing)


def _nothing(file: str, line: int) -> str | None:
    return None


# ---- a revision


def _of_revision(found: Revision, schemas: Sequence[Path], configured: Configured | None) -> Past:
    named = configured(_folder(found, Path.cwd())) if configured is not None else None
    there, faults = (list(named), []) if named else _there(found, schemas)
    if faults:
        return Past(found.name, (), tuple(faults), _nothing)
    folder = _folder(found, Path.cwd())
    project = project_of(there[0])
    roots = [root for root in (project, folder, found.root) if root is not None]
    read, told = _compile(found, there, folder)
    marked = tuple(replace(one, file=f"{found.name}:{one.file}") for one in told)
    return Past(found.name, read, marked, _quoting(roots))


def _there(found: Revision, schemas: Sequence[Path]) -> tuple[list[Path], list[Diagnostic]]:
    paths: list[Path] = []
    faults: list[Diagnostic] = []
    for schema in schemas:
        there = found.there(schema)
        if not os.path.lexists(there):
            was = found.before(schema) if schema.is_file() else None
            if was is None:
                message = f"this is not in {found.name}, and git sees no file there that it was renamed from"
                hint = "git add it if it was moved; name its folder if it is new, or leave it out until it is released"
                faults.append(Diagnostic(shown(schema), 1, 1, message, hint))
                continue
            there = was
        paths.append(there)
    return paths, faults


def _folder(found: Revision, folder: Path) -> Path:
    """A folder of the working tree in a revision; the top, if it was not there."""
    there = found.there(folder)
    return there if there.is_dir() else found.root


def _compile(found: Revision, paths: Sequence[Path], folder: Path) -> tuple[tuple[ir.Schema, ...], list[Diagnostic]]:
    """The schemas in files of a revision, and the faults."""
    home = str(Path(capnweb_gen.__file__).parents[1])
    command = [sys.executable, "-P", "-c", _PROGRAM, home, "ir", *map(str, paths), "--json"]
    done = subprocess.run(command, cwd=folder, env=_environment(found), capture_output=True, check=False)
    try:
        told: Any = json.loads(done.stdout)
    except ValueError as error:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["it says nothing"]
        hint = "compile that revision by itself: git worktree add ../then, and capnweb-gen ir in it"
        raise RevisionError(f"the schemas of {found.name} cannot be read: {last[0]}", hint) from error
    if isinstance(told, dict):
        return (), list(_FAULTS.validate_python(told["diagnostics"]))
    written = found.root.parent / "ir.json"
    written.write_bytes(done.stdout)
    return read_ir([written])


def _environment(found: Revision) -> dict[str, str]:
    """What that process gets: where it looks for modules in the working tree, it looks in the revision."""
    environment = dict(os.environ)
    places = environment.get("PYTHONPATH", "")
    moved = [
        str(found.root / path.relative_to(found.top)) if path.is_relative_to(found.top) else str(path)
        for place in places.split(os.pathsep)
        if place
        for path in [Path(place).absolute()]
    ]
    environment["PYTHONPATH"] = os.pathsep.join(moved)
    return environment


def _quoting(roots: Sequence[Path]) -> Quote:
    files: dict[str, list[str]] = {}

    def quote(file: str, line: int) -> str | None:
        if file not in files:
            path = next((root / file for root in roots if (root / file).is_file()), None)
            try:
                files[file] = path.read_text("utf-8-sig").split("\n") if path is not None else []
            except (OSError, UnicodeDecodeError):
                files[file] = []
        return files[file][line - 1] if line <= len(files[file]) else None

    return quote
