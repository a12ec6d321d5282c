"""The compiler from end to end: schemas in, texts of generated modules out.

Rule: nothing is written here, and there are no texts while there are faults.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from capnweb_gen import ir
from capnweb_gen.backends.plugins import PYTHON, Backend, Chosen, RefusedError, load
from capnweb_gen.check import check
from capnweb_gen.errors import Diagnostic, in_order
from capnweb_gen.frontends.ir_json import check_references, read_ir, same_output
from capnweb_gen.frontends.python.protocol import read_schemas
from capnweb_gen.frontends.python.undeclared import undeclared
from capnweb_gen.frontends.python.unmarked import unmarked


@dataclass(frozen=True)
class Understood:
    """What was read of schemas. `warnings` tell what keeps nothing from being compiled, and is hardly meant. `checked`
    tells that what they name is there, so that there was anything to check.
    """

    schemas: tuple[ir.Schema, ...]
    diagnostics: tuple[Diagnostic, ...]
    warnings: tuple[Diagnostic, ...] = ()
    checked: bool = True


@dataclass(frozen=True)
class Compiled(Understood):
    """The same, and what one back end made of them. `files` are texts by path relative to the output folder, and empty
    if there are diagnostics.
    """

    files: dict[str, str] = field(default_factory=dict[str, str])


def read(arguments: Sequence[Path]) -> tuple[tuple[ir.Schema, ...], list[Diagnostic]]:
    """Read all schemas that arguments name, and check them.

    Args:
        arguments: schema files, folders of which each module is a schema, and `.json` files with IR.

    Returns:
        The schemas by output path, and the faults. With faults, schemas may be missing or incomplete.
    """
    schemas, faults, _ = _read(arguments)
    return schemas, faults


def _read(arguments: Sequence[Path]) -> tuple[tuple[ir.Schema, ...], list[Diagnostic], bool]:
    """The same, and whether the schemas could be checked."""
    written = [path for path in arguments if path.suffix == ".json" and not path.is_dir()]
    schemas, faults = read_schemas([path for path in arguments if path not in written])
    if written:
        more, wrong = read_ir(written)
        schemas = tuple(sorted((*schemas, *more), key=lambda schema: schema.output))
        faults.extend([*wrong, *same_output(schemas)])
        if not faults:  # a schema that could not be read is missed by others for no fault of theirs
            faults.extend(check_references(schemas))
        if faults:
            return schemas, faults, False
    faults.extend(check(schemas))
    return schemas, faults, True


def warnings(arguments: Sequence[Path], schemas: Sequence[ir.Schema] | None) -> tuple[Diagnostic, ...]:
    """What to tell of a run besides faults.

    Args:
        arguments: as for `read`.
        schemas: what was read; None if there were faults.
    """
    folders = [path for path in arguments if os.path.isdir(path)]  # noqa: PTH112  # Path.is_dir raises where it may not look
    told = unmarked([*folders, *(path for path in arguments if path not in folders and path.suffix != ".json")])
    if schemas is not None:
        outputs = frozenset(schema.output for schema in schemas)
        told += undeclared(folders, outputs)
    return in_order(told)


def understand(arguments: Sequence[Path]) -> Understood:
    """Read all schemas that arguments name, and tell everything about them that there is to tell.

    Args:
        arguments: as for `read`.
    """
    schemas, faults, checked = _read(arguments)
    return Understood(schemas, in_order(faults), warnings(arguments, None if faults else schemas), checked)


def make(found: Understood, command: str, backend: Backend) -> tuple[dict[str, str], tuple[Diagnostic, ...]]:
    """Have a back end make its files.

    Args:
        found: the schemas.
        command: what a generated file tells its reader to run.
        backend: what makes the files.

    Returns:
        Texts by path relative to the output folder, and what the back end refuses. If anything is wrong, there are no
        files.
    """
    refused = backend.faults(found.schemas) if isinstance(backend, Chosen) and found.checked else ()
    if found.diagnostics or refused:
        return {}, in_order(list(refused))
    try:
        return dict(sorted(backend(found.schemas, command).items())), ()
    except RefusedError as error:
        return {}, in_order(list(error.diagnostics))


def compile_schemas(arguments: Sequence[Path], command: str, backend: Backend | None = None) -> Compiled:
    """Compile all schemas that arguments name.

    Args:
        arguments: as for `read`.
        command: what a generated file tells its reader to run.
        backend: what makes the files; if left out, the one for Python.
    """
    found = understand(arguments)
    files, refused = make(found, command, backend or load(PYTHON))
    return Compiled(found.schemas, in_order([*found.diagnostics, *refused]), found.warnings, found.checked, files)
