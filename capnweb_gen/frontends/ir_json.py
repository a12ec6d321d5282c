"""Schemas written as JSON: the IR as `capnweb-gen ir` prints it, or as a front end in another language does.

Rule: what comes from a file is not trusted. Names end up in generated code and paths on disk, so that each has to look
like one before anything is made of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import cast

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from capnweb_gen import graph, ir, naming
from capnweb_gen.errors import Diagnostic, UnsupportedTypeError, shown
from capnweb_gen.frontends import keys, unions


class _Format(BaseModel):
    """The part of a schema that says how to read the rest."""

    model_config = ConfigDict(extra="ignore")

    format: object


class _Document(BaseModel):
    """What is told of schemas at run time: which interfaces were asked about, and all that can be reached from them."""

    model_config = ConfigDict(extra="forbid")

    format: object
    main: tuple[ir.Reference, ...]
    schemas: list[object]


_FORMATS = TypeAdapter(tuple[_Format, ...])
_SCHEMAS = TypeAdapter(tuple[ir.Schema, ...])
_PRINTED_BY = "write it as `capnweb-gen ir` does; docs/ir.md describes the format"


def dump(schemas: Sequence[ir.Schema]) -> str:
    """The IR of schemas as JSON text, which `read_ir` reads."""
    written = [schema.model_dump(mode="json") for schema in schemas]
    return json.dumps(written, indent=2, ensure_ascii=False) + "\n"


def read_ir(paths: Sequence[Path]) -> tuple[tuple[ir.Schema, ...], list[Diagnostic]]:
    """Read files that hold the IR of one schema, a list of several, or what a server tells of itself.

    Returns:
        The schemas, and the faults. With faults, schemas are missing.
    """
    schemas: list[ir.Schema] = []
    faults: list[Diagnostic] = []
    for path in paths:
        loaded = _load(path)
        found, wrong = ((), [loaded]) if isinstance(loaded, Diagnostic) else _understood(loaded, shown(path))
        faults.extend(wrong)
        schemas.extend(() if wrong else found)
    return tuple(schemas), faults


def read_document(
    document: object, source: str
) -> tuple[tuple[ir.Schema, ...], tuple[ir.Reference, ...], list[Diagnostic]]:
    """Read what a server tells of itself.

    Args:
        document: as `json` reads it.
        source: what to call it in messages.

    Returns:
        The schemas, the interfaces of the main object, and the faults. With faults, both are empty.
    """
    schemas, faults = _understood(document, source)
    faults = faults or list(check_references(schemas))
    if faults:
        return (), (), faults
    written = cast("dict[str, object]", document)
    main = _Document.model_validate(written).main if isinstance(document, dict) and "main" in written else ()
    peers = graph.by_module(schemas)
    missing = [one for one in main if graph.find_interface(one, peers) is None]
    if missing or not main:
        what = f"its main object is {missing[0].module}.{missing[0].name}" if missing else "it names no main object"
        return (), (), [_fault(source, f"{what}, which is declared nowhere" if missing else what, _PRINTED_BY)]
    return schemas, main, []


def check_references(schemas: tuple[ir.Schema, ...]) -> Iterator[Diagnostic]:
    """Names in schemas that none of them declares, and interfaces that inherit themselves. Python schemas have none."""
    peers = graph.by_module(schemas)
    interfaces = {(schema.module, interface.name) for schema in schemas for interface in schema.interfaces}
    models = {(one.module, one.name) for schema in schemas for one in schema.models if one.module == schema.module}
    callbacks = {(schema.module, callback.name) for schema in schemas for callback in schema.callbacks}
    for schema in schemas:
        known = {
            "interface": interfaces,
            "model": models | {(model.module, model.name) for model in schema.models},
            "callback": callbacks,
        }
        for reference, what in dict.fromkeys(_references(schema)):
            if (reference.module, reference.name) not in known[what]:
                message = f"the {what} {reference.module}.{reference.name} is declared nowhere"
                yield Diagnostic(schema.path, 1, 1, message, "declare it, or give all schemas in one run")
        for reference in dict.fromkeys(_raised(schema)):
            if graph.find_error(reference, schema) is None:
                message = f"the exception {reference.module}.{reference.name} is not among the errors of the schema"
                yield Diagnostic(schema.path, 1, 1, message, "describe it there")
        for interface in schema.interfaces:
            if interface in graph.bases(interface, peers):
                message = f"{interface.name} inherits itself"
                position = interface.position
                yield Diagnostic(schema.path, position.line, position.column, message, "leave one of the bases out")


def same_output(schemas: Sequence[ir.Schema]) -> Iterator[Diagnostic]:
    """Schemas of which the generated module would be one file, or that are one module."""
    for attribute, what in (("output", "become"), ("module", "are the module")):
        owners: dict[str, ir.Schema] = {}
        for schema in schemas:
            value: str = getattr(schema, attribute)
            other = owners.setdefault(value, schema)
            if other is not schema:
                message = f"this and {other.path} both {what} {value}"
                yield Diagnostic(schema.path, 1, 1, message, "rename one of them, or give only one")


def _references(schema: ir.Schema) -> Iterator[tuple[ir.Reference, str]]:
    """What a schema names, and what kind of thing that is."""
    for interface in schema.interfaces:
        yield from ((base, "interface") for base in interface.bases)
    for shape in _types(schema):
        match shape:
            case ir.ModelShape(kind=kind, model=reference) | ir.InterfaceShape(kind=kind, interface=reference):
                yield reference, kind
            case ir.CallbackShape(kind=kind, callback=reference):
                yield reference, kind
            case _:
                pass


def _raised(schema: ir.Schema) -> Iterator[ir.Reference]:
    for interface in schema.interfaces:
        yield from (reference for member in interface.members for reference in member.raises)
    for callback in schema.callbacks:
        yield from callback.call.raises


def _types(schema: ir.Schema) -> Iterator[ir.TypeShape]:
    return (shape for written in ir.schema_types(schema) for shape in ir.walk(written))


def _load(path: Path) -> object:
    """What is in a file, or the fault that it cannot be told."""
    try:
        loaded: object = json.loads(path.read_bytes())
        return loaded
    except OSError as error:
        return Diagnostic(shown(path), 1, 1, f"cannot be read: {error.strerror}", "name a file that holds IR")
    except json.JSONDecodeError as error:
        return Diagnostic(shown(path), error.lineno, error.colno, f"this is not JSON: {error.msg}", _PRINTED_BY)
    except (UnicodeDecodeError, RecursionError) as error:
        return Diagnostic(shown(path), 1, 1, f"this is not JSON: {error}", _PRINTED_BY)


def _understood(loaded: object, file: str) -> tuple[tuple[ir.Schema, ...], list[Diagnostic]]:
    """The schemas that were read, and the faults."""
    found = _schemas(loaded, file)
    if isinstance(found, Diagnostic):
        return (), [found]
    return found, [fault for schema in found for fault in (*_names(file, schema), *_shapes(file, schema))]


def _schemas(loaded: object, file: str) -> tuple[ir.Schema, ...] | Diagnostic:
    try:
        written = _listed(loaded)
        formats = _FORMATS.validate_python(written)
        for number in formats:
            if number.format != ir.IR_FORMAT:
                message = f"this is IR of format {number.format!r}; this compiler reads format {ir.IR_FORMAT}"
                return Diagnostic(file, 1, 1, message, "make it with a compiler of the same version")
        return _SCHEMAS.validate_json(json.dumps(written))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return Diagnostic(file, 1, 1, f"this is not IR: {where}: {first['msg']}", _PRINTED_BY)


def _listed(written: object) -> list[object]:
    """The schemas in a file, as they are written."""
    if isinstance(written, list):
        return cast("list[object]", written)
    document = cast("dict[str, object]", written)
    if not isinstance(written, dict) or "schemas" not in document:
        return [written]
    return _Document.model_validate(document).schemas


def _names(file: str, schema: ir.Schema) -> Iterator[Diagnostic]:
    output = PurePosixPath(schema.output)
    if output.is_absolute() or output.suffix != ".py" or not all(map(naming.is_name, output.with_suffix("").parts)):
        yield _fault(file, f"{schema.output!r} is not the path of a module inside the output folder")
    if any(ord(character) < 32 for character in schema.path):
        yield _fault(file, f"{schema.path!r} is not a path")
    for name, is_module in dict.fromkeys(_written_names(schema)):
        if not all(map(naming.is_name, name.split(".") if is_module else [name])):
            yield _fault(file, f"{name!r} is not the name of {'a module' if is_module else 'anything'}")


def _shapes(file: str, schema: ir.Schema) -> Iterator[Diagnostic]:
    """Types that no front end makes, because nothing could be generated for them."""
    for shape in dict.fromkeys(_types(schema)):
        match shape:
            case ir.UnionShape(members=()) | ir.TupleShape(items=()) | ir.LiteralShape(values=()):
                yield _fault(file, f"this {shape.kind} is empty", "say what is in it")
            case ir.EnumShape(members=()):
                yield _fault(file, f"the enum {shape.enum.name} is empty", "say what is in it")
            case ir.DictShape(key=key) if not keys.can_be_key(key):
                yield _fault(file, f"the keys of a dict cannot be of the kind {key.kind!r}", keys.hint(key))
            case ir.ConstrainedShape(item=item, when=when, microseconds=microseconds) if when or microseconds:
                if _plain(item) not in (_DATETIME, *([_DATE] if microseconds is None else [])):
                    yield _fault(file, "when and microseconds are said of what is no date", "leave them out")
            case ir.OpenShape(item=item) if not isinstance(item, ir.EnumShape | ir.LiteralShape | ir.UnionShape):
                yield _fault(file, f"an open type is made of the kind {item.kind!r}", "make it of an enum or a union")
            case ir.UnionShape(members=members):
                try:
                    unions.union([member.kind for member in members], members)
                except UnsupportedTypeError as refused:
                    yield _fault(file, refused.reason, refused.hint)
            case _:
                pass


_DATETIME, _DATE = ir.Scalar(name="datetime"), ir.Scalar(name="date")


def _plain(shape: ir.TypeShape) -> ir.TypeShape:
    """What a type is without its limits."""
    return _plain(shape.item) if isinstance(shape, ir.ConstrainedShape) else shape


def _written_names(node: ir.Node) -> Iterator[tuple[str, bool]]:
    """Every name that a generated module may write down as it is, and whether it is a module's, of all nodes in one."""
    for field in type(node).model_fields:
        value: object = getattr(node, field)
        if field in {"module", "name"} and isinstance(value, str) and not isinstance(node, ir.Scalar):
            yield value, field == "module"
        for part in cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,):
            if isinstance(part, ir.Node):
                yield from _written_names(part)


def _fault(file: str, message: str, hint: str = "use Python identifiers that are no keywords") -> Diagnostic:
    return Diagnostic(file, 1, 1, message, hint)
