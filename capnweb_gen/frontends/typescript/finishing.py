"""Schemas of everything that was read, in the order of the source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from capnweb_gen import ir
from capnweb_gen.frontends.typescript.declared import Declarer, Entry
from capnweb_gen.frontends.typescript.files import File
from capnweb_gen.frontends.typescript.names import Module
from capnweb_gen.naming import Case


@dataclass
class Details:
    """What a schema says to those who read it, beside what is in the IR.

    Attributes:
        case: how names in Python are spelled on the wire.
        aliases: names of types that are no classes.
        enums: all members of each enum that is declared here, and its docstring.
        errors: the exceptions that are declared here, whoever raises them.
    """

    case: Case = "as-written"
    aliases: dict[str, ir.TypeShape] = field(default_factory=dict[str, ir.TypeShape])
    enums: dict[str, tuple[ir.EnumShape, str | None]] = field(
        default_factory=dict[str, "tuple[ir.EnumShape, str | None]"]
    )
    errors: tuple[ir.Error, ...] = ()


def schemas_of(declarer: Declarer, modules: Mapping[File, Module]) -> tuple[tuple[ir.Schema, ...], dict[str, Details]]:
    """The schemas, and what else is to be said of each, by module."""
    order = {file: number for number, file in enumerate(modules)}
    by_module: dict[str, list[File]] = {}
    for file, module in modules.items():
        by_module.setdefault(module.name, []).append(file)
    schemas: list[ir.Schema] = []
    details: dict[str, Details] = {}
    for name, files in by_module.items():
        module = modules[files[0]]
        entries = [entry for entry in declarer.found.entries if entry.module is module and entry.found is not None]
        entries.sort(key=lambda entry: (order[entry.file], entry.position.line, entry.position.column))
        found = _details(declarer, module)
        if entries or found.enums or found.errors:
            schemas.append(_schema(module, files, entries, list(declarer.found.errors.values())))
            details[name] = found
    return tuple(sorted(schemas, key=lambda schema: schema.output)), details


def _details(declarer: Declarer, module: Module) -> Details:
    aliases = declarer.found.aliases.get(module.name, {})
    ordered = sorted(aliases.items(), key=lambda one: (one[1][0].line, one[1][0].column))
    enums = {one.name: said for one, said in declarer.found.enums.items() if one.module == module.name}
    errors = [error for error in declarer.found.errors.values() if error.module == module.name]
    errors.sort(key=lambda error: (error.path, error.position.line, error.position.column))
    return Details(module.case, {name: shape for name, (_, shape) in ordered}, enums, tuple(errors))


def _schema(module: Module, files: list[File], entries: list[Entry], errors: list[ir.Error]) -> ir.Schema:
    found = [entry.found for entry in entries]
    raised = [reference for one in found if not isinstance(one, ir.Model) for reference in _raised(one)]
    by_reference = {ir.Reference(module=error.module, name=error.name): error for error in errors}
    return ir.Schema(
        module=module.name,
        path=files[0].shown,
        output=f"{module.stem}.py",
        doc=next((file.syntax.doc for file in files if file.syntax.doc), _told(files[0])),
        models=tuple(one for one in found if isinstance(one, ir.Model)),
        interfaces=tuple(
            _placed(entry, one, files[0])
            for entry, one in zip(entries, found, strict=True)
            if isinstance(one, ir.Interface)
        ),
        errors=tuple(by_reference[reference] for reference in dict.fromkeys(raised)),
        callbacks=tuple(one for one in found if isinstance(one, ir.Callback)),
    )


def _raised(declared: ir.Interface | ir.Callback | None) -> Iterator[ir.Reference]:
    """The exceptions that an interface or a callback declares."""
    members = declared.members if isinstance(declared, ir.Interface) else (declared.call,) if declared else ()
    for member in members:
        yield from member.raises


def _told(file: File) -> str | None:
    """What to say of a file that says nothing of itself, unless that was decided by whoever wrote it."""
    return None if file.syntax.generated else f"What {file.shown} declares."


def _placed(entry: Entry, interface: ir.Interface, first: File) -> ir.Interface:
    """An interface with the file that it stands in, where that is another than the schema's."""
    return interface if entry.file is first else interface.model_copy(update={"path": entry.file.shown})
