"""Folders without an `__init__.py`, where that changes what the modules in them are called.

Rule: a folder that is a package has one name, from wherever its modules are compiled. One that is none is called after
the current folder, so that generated modules may import what programs know by another name.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from capnweb_gen.errors import Diagnostic, project_of, shown
from capnweb_gen.frontends.python.files import SchemaFile, find_schemas, import_root


def unmarked(arguments: Sequence[Path]) -> list[Diagnostic]:
    """What to tell of the folders of schemas that would make them other modules, if they were packages.

    Args:
        arguments: the files and folders that were compiled.
    """
    told: dict[Path, Diagnostic] = {}
    for file in find_schemas(arguments)[0]:
        folders = _without_init(file)
        root = import_root(file.path, folders)
        if folders and root != file.import_root and file.path.stem != "__init__":
            name = ".".join(file.path.relative_to(root).with_suffix("").parts)
            message = f"this folder has no __init__.py: {file.module} is {name} as soon as it has one"
            hint = f"run: touch {' '.join(shown(folder / '__init__.py') for folder in folders)}"
            told.setdefault(folders[0], Diagnostic(shown(folders[0]), 1, 1, message, hint))
    return list(told.values())


def _without_init(file: SchemaFile) -> list[Path]:
    """The folders of a schema, up to the one that was named, that are not packages, innermost first.

    The folder of a project is none: modules are imported from there.
    """
    project = project_of(file.path) or Path.cwd()
    folders = [folder for folder in file.path.parents if folder.is_relative_to(file.root) and folder != project]
    return [folder for folder in folders if not (folder / "__init__.py").is_file()]
