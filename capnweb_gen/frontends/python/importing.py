"""Importing schemas.

Rule: a schema is executed once, as the module that `files` says it is, so that its classes are the ones that programs
import. Whatever goes wrong is a diagnostic that names the line of the schema where it came from.
"""

from __future__ import annotations

import importlib
import linecache
import os
import sys
import traceback
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from pydantic import PydanticSchemaGenerationError
from pydantic_core import SchemaError

from capnweb_gen.errors import Diagnostic, column, shown
from capnweb_gen.frontends.python.failures import told
from capnweb_gen.frontends.python.files import SchemaFile
from capnweb_gen.frontends.python.unchecked import unchecked_type
from capnweb_gen.ir import Position

_STALE = "CAPNWEB_STALE"  # which the runtime reads when generated code is imported


@contextmanager
def importable(files: Sequence[SchemaFile]) -> Generator[None]:
    """While this lasts, schemas can be imported, also by each other. sys.path is then as before.

    Should they import generated code, that may be out of date: this run is what mends it.
    """
    before, stale = list(sys.path), os.environ.get(_STALE)
    os.environ[_STALE] = "ignore"
    sys.path[:0] = dict.fromkeys(str(file.import_root) for file in files)  # also before those of PYTHONPATH
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path[:] = before
        os.environ.pop(_STALE)
        os.environ.update({} if stale is None else {_STALE: stale})


def import_schema(file: SchemaFile) -> ModuleType | Diagnostic:
    """Import a schema, or say why that fails."""
    try:
        module = importlib.import_module(file.module)
    except (Exception, SystemExit) as error:
        return _failure(file, error)
    origin = module.__file__
    if origin is None or not Path(origin).samefile(file.path):
        other = _told(origin) if origin else "a package without a file"
        message = f"`import {file.module}` does not import this file, but {other}"
        hint = f"rename this file or its folder: Python finds another module called {file.module} first"
        return Diagnostic(file.shown, 1, 1, message, hint)
    return module


def _failure(file: SchemaFile, error: BaseException) -> Diagnostic:
    position = position_in(error, file.path)
    message = f"importing this schema failed: {told(error)}"
    hint = f"`python -c 'import {file.module}'` must work before it can be compiled"
    if isinstance(error, ModuleNotFoundError) and f"{file.module}.".startswith(f"{error.name}."):
        message = f"`import {file.module}` does not find this file, because {_other_package(file)} is found first"
        hint = "rename the folder; or put an __init__.py into it, if it has none"
    elif isinstance(error, PydanticSchemaGenerationError | SchemaError):
        unchecked = unchecked_type(error, file.path, position.line)
        if unchecked is not None:
            position, message, hint = unchecked
        elif isinstance(error, SchemaError):  # of what is said beside the types
            hint = (
                f"look at aliases, discriminators and constraints; `python -c 'import {file.module}'` shows the cause"
            )
        else:
            hint = "declare a model if it is data; write Capability[...] if it is a Protocol"
    return Diagnostic(file.shown, position.line, position.column, message, hint)


def _other_package(file: SchemaFile) -> str:
    """What Python found in place of the packages that a file is in."""
    names = file.module.split(".")
    packages = [".".join(names[:count]) for count in range(len(names), 0, -1)]
    found = next((sys.modules[name] for name in packages if name in sys.modules), None)
    place = getattr(found, "__file__", None)
    return f"{found.__name__} in {_told(place)}" if found and place else f"another package called {names[0]}"


def _told(file: str) -> str:
    """A file that need not belong to the project: by its whole path, if it does not."""
    name = shown(Path(file))
    return name if Path(name).name != name else file


def position_in(error: BaseException, path: Path) -> Position:
    """Where in a file an exception came from: the innermost of its lines in the traceback, or else its start."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return Position(line=error.lineno or 1, column=error.offset or 1)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    if not frames:
        return Position(line=1, column=1)
    return place(path, frames[-1].lineno or 1, frames[-1].colno or 0)


def place(path: Path, line: int, offset: int) -> Position:
    """A place in a file, from its line and what comes before it there, in bytes."""
    linecache.checkcache(str(path))
    return Position(line=line, column=column(linecache.getline(str(path), line), offset))
