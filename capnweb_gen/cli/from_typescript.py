"""`capnweb-gen from-typescript`: write schemas that say what files of TypeScript declare.

Rule: what decides is elsewhere; here it is told, and written. docs/from-typescript.md describes it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import click
from rich.text import Text

from capnweb_gen import graph, ir, naming, output
from capnweb_gen.backends.python.check import faults as python_faults
from capnweb_gen.backends.schema.keeping import Kept, NotPythonError, keep, record
from capnweb_gen.backends.schema.module import Printed, Sayings, print_schema
from capnweb_gen.check import check
from capnweb_gen.cli import terminal
from capnweb_gen.errors import Diagnostic, in_order, shown
from capnweb_gen.frontends.ir_json import dump
from capnweb_gen.frontends.python.files import import_root
from capnweb_gen.frontends.typescript.decisions import Options
from capnweb_gen.frontends.typescript.reader import Read, read_typescript
from capnweb_gen.frontends.typescript.syntax import MissingExtraError
from capnweb_gen.frontends.typescript.tsc import NoCompilerError, emit

_PACKAGE = '"""Schemas: what the two ends of a connection agree on."""\n'
_SCHEMAS = "schemas"
_HINTS = {
    'give each a field such as kind: Literal["..."], with a value that the others do not have': (
        'give each a member such as kind: "...", with a value that the others do not have'
    ),
}
Prefer = Literal["", "theirs", "ours"]


@dataclass(frozen=True)
class _Task:
    """What one run is to do."""

    files: tuple[Path, ...]
    out: Path
    as_ir: bool
    with_tsc: bool
    options: Options
    package: str | None
    prefer: Prefer


@click.command(name="from-typescript")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder to write the schemas to; with --ir, it may be a .json file.",
)
@click.option("--ir", "as_ir", is_flag=True, help="Write IR, as JSON, instead of Python schemas.")
@click.option("--package", help="Package that the schemas are imported as; by default, derived from --out.")
@click.option("--tsc", "with_tsc", is_flag=True, help="Ask the TypeScript compiler (tsc) for types that are inferred.")
@click.option(
    "--numbers",
    type=click.Choice(["float", "int"]),
    default="float",
    show_default=True,
    help="What `number` becomes in Python.",
)
@click.option(
    "--keep",
    "prefer",
    flag_value="theirs",
    help="Where both the TypeScript and your edits have changed a declaration, keep yours.",
)
@click.option("--replace", "prefer", flag_value="ours", help="In that case, replace yours.")
@click.option("--dry-run", is_flag=True, help="Print what would change, and change nothing.")
@click.option("--quiet", is_flag=True, help="Do not list the decisions that reading took.")
@click.option("--json", "as_json", is_flag=True, help="Print diagnostics as JSON, for editors and CI.")
def from_typescript(
    files: tuple[Path, ...],
    out: Path,
    as_ir: bool,
    package: str | None,
    with_tsc: bool,
    numbers: Literal["float", "int"],
    prefer: Prefer | None,
    dry_run: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Write Python schemas from the interfaces that each FILE of TypeScript declares.

    The files are read; nothing in them runs. When a schema is written again, your edits to it are kept.
    """
    if package is not None and not all(map(naming.is_name, package.split("."))):
        raise click.UsageError(f"{package!r} is not the name of a package")
    task = _Task(files, out, as_ir, with_tsc, Options(numbers, with_tsc), package, prefer or "")
    with terminal.working("reading"):
        read = _read(task)
    faults = faults_of(read)
    terminal.stop_on(faults, as_json=as_json, schemas=files)
    if as_ir:
        changes, against = _ir_changes(task, read)
    else:
        changes, against = _schema_changes(task, read)
    if against and not as_json:
        terminal.print_diff([change for _, change in against])
    terminal.stop_on([fault for fault, _ in against], as_json=as_json, schemas=[out])
    if dry_run:
        terminal.print_diff(changes)
    else:
        terminal.write(changes)
    if as_json:
        terminal.print_json(())
    elif not quiet:
        _tell(read)


def _read(task: _Task) -> Read:
    """Read the files, or what the compiler makes of them.

    Raises:
        click.ClickException: something that reads them is missing.
    """
    package = _package(task)
    try:
        if not task.with_tsc:
            return read_typescript(task.files, package, task.options)
        with tempfile.TemporaryDirectory(prefix="capnweb-gen-") as folder:
            emitted = emit(task.files, Path(folder).resolve())
            if emitted.faults:
                return Read((), in_order(emitted.faults))
            return read_typescript(emitted.files, package, task.options, emitted.sources)
    except (MissingExtraError, NoCompilerError) as error:
        raise click.ClickException(str(error)) from error


def _package(task: _Task) -> str:
    """The package that the modules are in."""
    if task.package is not None:
        return task.package
    if task.as_ir:
        return _SCHEMAS
    folder = task.out.absolute()
    parts = folder.relative_to(import_root(folder / "x.py", [folder])).parts
    for part in parts:
        if not naming.is_name(part):
            raise click.UsageError(f"no package can be imported by the name {part!r}: name another folder with --out")
    return ".".join(parts)


def faults_of(read: Read) -> tuple[Diagnostic, ...]:
    """What is wrong with the files, and with what was read of them, in the words of TypeScript."""
    told_in_ir = [*check(read.schemas), *python_faults(read.schemas)]
    found = [fault for fault in told_in_ir if fault.hint]  # what could not be read was told already
    told = [replace(fault, hint=_HINTS.get(fault.hint, fault.hint)) for fault in found]
    return in_order([*read.faults, *told])


# ---- what is written


_Against = list[tuple[Diagnostic, output.Change]]


def _schema_changes(task: _Task, read: Read) -> tuple[list[output.Change], _Against]:
    """What has to be written, and what stands against it."""
    changes: list[output.Change] = []
    against: _Against = []
    package = task.out / "__init__.py"
    if not package.exists():
        changes.append(output.Change(package, None, _PACKAGE))
    for schema, module in printed(read):
        path = task.out / schema.output
        before = _text(path)
        kept = Kept(record(module)) if before is None else _kept(path, before, module, task.prefer)
        for conflict in kept.conflicts:
            hint = f"take over what you want of it and run with --keep; or --replace what is in {path.name}"
            fault = Diagnostic(shown(path), conflict.line, 1, conflict.message, hint)
            against.append((fault, output.Change(path, conflict.before, conflict.after)))
        for name in kept.changed if not kept.conflicts else ():
            terminal.say(f"note: {shown(path)}: {name} stays as you have written it")
        if kept.text != before:
            changes.append(output.Change(path, before, kept.text))
    return changes, against


def printed(read: Read) -> Iterator[tuple[ir.Schema, Printed]]:
    """Each schema, and the module that says it."""
    peers = graph.by_module(read.schemas)
    for schema in read.schemas:
        details = read.details[schema.module]
        header = f"# Read from {schema.path} by capnweb-gen from-typescript.\n# What you change here is kept."
        said = Sayings(details.aliases, details.enums, details.case, details.errors)
        yield schema, print_schema(schema, peers, header, said)


def _kept(path: Path, before: str, module: Printed, prefer: Prefer) -> Kept:
    try:
        return keep(before, module, prefer=prefer)
    except NotPythonError as error:
        raise click.ClickException(f"{shown(path)} is not Python, and was left alone: {error}") from error


def _ir_changes(task: _Task, read: Read) -> tuple[list[output.Change], _Against]:
    """The same for files of JSON: one for each schema, or one for all."""
    if task.out.suffix == ".json" and not task.out.is_dir():
        texts = {task.out: dump(read.schemas)}
    else:
        texts = {task.out / Path(schema.output).with_suffix(".json"): dump([schema]) for schema in read.schemas}
    changes: list[output.Change] = []
    against: _Against = []
    for path, text in texts.items():
        before = _text(path)
        change = output.Change(path, before, text)
        if before is not None and before != text and task.prefer != "ours":
            message, hint = "this file is there, and has something else in it", "run with --replace to write it anew"
            if task.prefer != "theirs":
                against.append((Diagnostic(shown(path), 1, 1, message, hint), change))
        elif before != text:
            changes.append(change)
    return changes, against


def _text(path: Path) -> str | None:
    """What is in a file; None if there is none."""
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{shown(path)} cannot be read, and was left alone: {error}") from error


def _tell(read: Read) -> None:
    """Say what was decided."""
    for decision in read.decisions:
        terminal.show(
            Text.assemble((f"{decision.file}:{decision.line}:{decision.column}", "bold"), f": {decision.text}")
        )
    if _has_floats(read):
        terminal.say("number is read as float; --numbers int reads it as int")
    interfaces = sum(len(schema.interfaces) for schema in read.schemas)
    models = sum(len(schema.models) for schema in read.schemas)
    made = f"{terminal.count(interfaces, 'interface')}, {terminal.count(models, 'model')}"
    terminal.say(f"{made}; {terminal.count(len(read.decisions), 'decision')} to look at")


def _has_floats(read: Read) -> bool:
    types = (written for schema in read.schemas for written in ir.schema_types(schema))
    return any(inner == ir.Scalar(name="float") for written in types for inner in ir.walk(written))
