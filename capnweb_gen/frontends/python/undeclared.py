"""Files and folders that were to be compiled, and of which nothing came.

Rule: this is no fault, because folders of schemas also hold what schemas share. A module is told of only if no other
one of the run imports it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from capnweb_gen.errors import Diagnostic, shown
from capnweb_gen.frontends.python import texts
from capnweb_gen.frontends.python.files import SchemaFile, find_schemas


def undeclared(folders: Sequence[Path], outputs: frozenset[str]) -> list[Diagnostic]:
    """What to tell of folders that declare nothing, and of files in them.

    Args:
        folders: folders that were compiled, without faults. A file that was named itself and declares nothing is one.
        outputs: what came of them, as `SchemaFile.output`.
    """
    told: list[Diagnostic] = []
    for folder in folders:
        files, _ = find_schemas([folder])
        if any(file.output in outputs for file in files):
            told.extend(_files(files, outputs))
        else:
            hint = "declare an interface in a module of this folder, such as class Greeter(Protocol)"
            message = "no interface and no model is declared in this folder, so that nothing is generated from it"
            told.append(Diagnostic(shown(folder), 1, 1, message, hint))
    return told


def _files(files: Sequence[SchemaFile], outputs: frozenset[str]) -> Iterator[Diagnostic]:
    """The modules of a folder that declare nothing and are of no use to those that do."""
    silent = [file for file in files if file.output not in outputs and file.path.stem != "__init__"]
    used = {name for file in files for name in _imported(file)} if silent else set[str]()
    for file in silent:
        if file.module not in used:
            hint = "declare an interface, such as class Greeter(Protocol), or move it out of the folder of schemas"
            message = "no interface and no model is declared here, so that nothing is generated from it"
            yield Diagnostic(file.shown, 1, 1, message, hint)


def _imported(file: SchemaFile) -> Iterator[str]:
    """The modules that a file may import; of `from a import b`, both `a` and `a.b`."""
    package = file.module.split(".") if file.path.stem == "__init__" else file.module.split(".")[:-1]
    for node in ast.walk(ast.parse(texts.content(file.path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)
