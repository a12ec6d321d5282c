"""Schema files: which files the arguments name, what modules they are, and importing them.

Rule: a schema is executed once, as the module that `sys.path` and its package folders make it, so that its classes
are the ones that programs import. Whatever goes wrong is a diagnostic that names the line of the schema where it came
from.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from pydantic import PydanticSchemaGenerationError
from pydantic_core import SchemaError

from capnweb_gen.errors import Diagnostic, shown
from capnweb_gen.frontends.python.unchecked import unchecked_type
from capnweb_gen.ir import Position
from capnweb_gen.naming import is_generated

_STALE = "CAPNWEB_STALE"  # which the runtime reads when generated code is imported


@dataclass(frozen=True)
class SchemaFile:
    """A schema: its file, the folder it is generated relative to, and the module it is."""

    path: Path
    root: Path
    module: str
    import_root: Path
    given: bool  # named on the command line itself, rather than found in a folder or through an import

    @property
    def output(self) -> str:
        """The generated file, relative to the output folder."""
        return self.path.relative_to(self.root).as_posix()

    @property
    def shown(self) -> str:
        """How output and messages call this file."""
        return shown(self.path)


def find_schemas(arguments: Sequence[Path]) -> tuple[list[SchemaFile], list[Diagnostic]]:
    """The schemas that files and folders name, in order and each once, and what is wrong with the arguments."""
    found: dict[Path, SchemaFile] = {}
    faults: list[Diagnostic] = []
    for argument in arguments:
        path = argument.absolute()
        if path.is_dir():
            for file in _python_files(path):
                found.setdefault(file, schema_file(file, path, given=False))
        elif not path.is_file():
            faults.append(_fault(path, "there is no such file or folder", "name a schema, or a folder of schemas"))
        elif path.suffix != ".py" or not path.stem.isidentifier():
            hint = "a schema is a file such as schemas/accounts.py"
            faults.append(_fault(path, "this is not a Python module", hint))
        else:
            found[path] = schema_file(path, path.parent, given=True)
    outputs: dict[str, SchemaFile] = {}
    for schema in found.values():
        if schema.path.stem == "__init__":
            continue
        other = outputs.setdefault(schema.output, schema)
        if other is not schema:
            hint = "rename one of them, or compile them into different folders"
            faults.append(_fault(schema.path, f"this and {other.shown} both become {schema.output}", hint))
    return list(found.values()), faults


def schema_file(path: Path, root: Path, *, given: bool) -> SchemaFile:
    """Describe one file, generated relative to the folder `root`."""
    above = import_root(path)
    parts = path.relative_to(above).with_suffix("").parts
    module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return SchemaFile(path, root, module, above, given)


def _python_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*.py")):
        inside = path.relative_to(folder).with_suffix("").parts
        if all(part.isidentifier() for part in inside) and not _is_generated(path):
            yield path


def _is_generated(path: Path) -> bool:
    """Whether a file in a folder of schemas is what was made of one."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return is_generated(file.readline())
    except OSError:  # whatever it is, reading it as a schema tells
        return False


def import_root(path: Path, marked: Collection[Path] = ()) -> Path:
    """The folder from which the module is imported: the one above its packages, or an entry of sys.path further up.

    The current folder is on sys.path only if a program was started in a certain way, so that it counts last.

    Args:
        path: the module.
        marked: folders to be taken for packages, though they have no `__init__.py`.
    """
    packages = path.parent
    while packages in marked or (packages / "__init__.py").is_file():
        packages = packages.parent
    entries = {Path(entry or ".").absolute() for entry in sys.path}
    above = [folder for folder in (packages, *packages.parents) if folder in entries and folder != Path.cwd()]
    if above:
        return above[0]
    if packages == path.parent and path.is_relative_to(Path.cwd()):
        return Path.cwd()
    return packages


@contextmanager
def importable(files: Sequence[SchemaFile]) -> Generator[None]:
    """While this lasts, schemas can be imported, also by each other. sys.path is then as before.

    Should they import generated code, that may be out of date: this run is what mends it.
    """
    before, stale = list(sys.path), os.environ.get(_STALE)
    os.environ[_STALE] = "ignore"
    roots = dict.fromkeys(str(file.import_root) for file in files)
    sys.path[:0] = [root for root in roots if root not in before]
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
        position = position_in(error, file.path)
        what = ": ".join([type(error).__name__, *str(error).splitlines()[:1]])
        hint = f"`python -c 'import {file.module}'` must work before it can be compiled"
        if isinstance(error, ModuleNotFoundError) and f"{file.module}.".startswith(f"{error.name}."):
            hint = "rename its folder: there is another package of that name, which Python finds first"
        elif isinstance(error, PydanticSchemaGenerationError | SchemaError):
            unchecked = unchecked_type(error, file.path, position.line)
            if unchecked is not None:
                place, message, hint = unchecked
                return Diagnostic(file.shown, place.line, place.column, message, hint)
            hint = "declare a model if it is data; write Capability[...] if it is a Protocol"
        return Diagnostic(file.shown, position.line, position.column, f"importing this schema failed: {what}", hint)
    origin = module.__file__
    if origin is None or not Path(origin).samefile(file.path):
        hint = f"rename this file or its folder: Python finds another module called {file.module} first"
        return _fault(file.path, f"this is not what `import {file.module}` imports", hint)
    return module


def position_in(error: BaseException, path: Path) -> Position:
    """Where in a file an exception came from: the innermost of its lines in the traceback, or else its start."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return Position(line=error.lineno or 1, column=error.offset or 1)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    if not frames:
        return Position(line=1, column=1)
    return Position(line=frames[-1].lineno or 1, column=(frames[-1].colno or 0) + 1)


def _fault(path: Path, message: str, hint: str) -> Diagnostic:
    return Diagnostic(shown(path), 1, 1, message, hint)
