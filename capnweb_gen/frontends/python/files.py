"""Schema files: which files the arguments name, and what modules they are.

Rule: what a module is called depends on its place in the project alone, never on PYTHONPATH or what is installed, so
that the same is generated on every machine. A file that cannot be a schema and looks like one is told, not left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from capnweb_gen import naming
from capnweb_gen.errors import INSTALLED, Diagnostic, project_of, shown
from capnweb_gen.frontends.python.source import SourceError, read_source


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
    faults: dict[Diagnostic, None] = {}
    for argument in arguments:
        for item in _named(argument.absolute()):
            if isinstance(item, Diagnostic):
                faults[item] = None
            elif item.given or item.path not in found:
                found[item.path] = item
    outputs: dict[str, SchemaFile] = {}
    for schema in found.values():
        if schema.path.stem == "__init__":
            continue
        other = outputs.setdefault(schema.output, schema)
        if other is not schema:
            hint = "rename one of them, or compile them into different folders"
            faults[_fault(schema.path, f"this and {other.shown} both become {schema.output}", hint)] = None
    return list(found.values()), list(faults)


def schema_file(path: Path, root: Path, *, given: bool) -> SchemaFile:
    """Describe one file, generated relative to the folder `root`."""
    above = import_root(path)
    parts = path.relative_to(above).with_suffix("").parts
    module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return SchemaFile(path, root, module, above, given)


# ---- looking for files


def _named(path: Path) -> Iterator[SchemaFile | Diagnostic]:
    """What an argument names."""
    try:
        is_folder = path.is_dir()
    except OSError as error:
        yield unreadable(path, error)
        return
    if is_folder:
        for file in _python_files(path, frozenset()):
            if isinstance(file, Diagnostic):
                yield file
                continue
            schema = schema_file(file, path, given=False)
            fault = _unimportable(schema)
            if fault is None:
                yield schema
            elif _declares_classes(file):  # others are no schemas, whatever they are called
                yield fault
    elif (odd := _odd(path)) is not None:
        yield odd
    elif path.suffix != ".py":
        yield _fault(path, "this is not a Python module", "a schema is a file such as schemas/accounts.py")
    else:
        schema = schema_file(path, path.parent, given=True)
        yield _unimportable(schema) or schema


def _python_files(folder: Path, above: frozenset[tuple[int, int]]) -> Iterator[Path | Diagnostic]:
    """The Python files in a folder and those inside it, without what is hidden; `above` are the folders it is in."""
    try:
        status = folder.stat()
        entries = [(entry, entry.is_dir()) for entry in sorted(folder.iterdir()) if not entry.name.startswith(".")]
    except OSError as error:
        yield unreadable(folder, error)
        return
    inside = status.st_dev, status.st_ino
    for entry, is_folder in entries if inside not in above else ():  # a link may lead to where it is
        if is_folder:
            yield from _python_files(entry, above | {inside})
        elif entry.suffix == ".py":
            odd = _odd(entry)
            if odd is not None or not _is_generated(entry):
                yield odd or entry


def _is_generated(path: Path) -> bool:
    """Whether a file in a folder of schemas is what was made of one."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return naming.is_generated(file.readline())
    except OSError:  # whatever it is, reading it as a schema tells
        return False


def _odd(path: Path) -> Diagnostic | None:
    """What is wrong with a file as a file."""
    try:
        if path.is_file():
            return None
        if path.is_symlink():
            return _fault(path, "this link leads nowhere", "correct the link, or remove it")
        if path.exists():
            return _fault(path, "this is no file that could be read", "move it out of the folder")
    except OSError as error:
        return unreadable(path, error)
    return _fault(path, "there is no such file or folder", "name a schema, or a folder of schemas")


def _unimportable(schema: SchemaFile) -> Diagnostic | None:
    """Why no `import` statement can name a file: it, or a folder that it is in, is called by what is no name."""
    place = schema.import_root
    for part in schema.path.relative_to(place).with_suffix("").parts:
        inside = place / part
        if not naming.is_name(part):
            place = inside if inside != schema.path.with_suffix("") else schema.path
            kind = "module" if place == schema.path else "package"
            message = f"no {kind} can be imported by the name {part!r}"
            return _fault(place, message, f"rename it, to {naming.as_name(part)} for instance")
        place = inside
    return None


def _declares_classes(path: Path) -> bool:
    try:
        source = read_source(path)
    except (SourceError, OSError):
        return False  # a template of a file, for instance
    return bool(source.classes or source.unreal)


# ---- what modules they are


def import_root(path: Path, marked: Collection[Path] = ()) -> Path:
    """The folder from which the module is imported.

    It is the one above its packages; but `src`, if the project has that, because folders in it may be packages without
    an `__init__.py`, and so may be what is installed. A file in no package is imported from the current folder.

    Args:
        path: the module.
        marked: folders to be taken for packages, though they have no `__init__.py`.
    """
    packages = path.parent
    while packages in marked or (packages / "__init__.py").is_file():
        packages = packages.parent
    here, project = Path.cwd(), project_of(path)
    sources = (project or here) / "src"
    if packages.is_relative_to(sources):
        return sources
    installed = next((folder for folder in (packages, *packages.parents) if folder.name in INSTALLED), None)
    if installed is not None:
        return installed
    if packages != path.parent:
        return packages
    if path.is_relative_to(here) and (project is None or here.is_relative_to(project)):
        return here
    return project or packages


def unreadable(path: Path, error: OSError) -> Diagnostic:
    """What to say of a file or folder that is there and cannot be read."""
    return _fault(path, f"this cannot be read: {error.strerror}", "correct its permissions, or move it away")


def _fault(path: Path, message: str, hint: str) -> Diagnostic:
    return Diagnostic(shown(path), 1, 1, message, hint)
