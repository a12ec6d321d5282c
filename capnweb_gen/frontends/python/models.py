"""Models: from a class whose instances travel by value to the IR.

Rule: pydantic, or for a plain record Python, says what the fields are and how they are called; the source says where
they stand.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, PydanticSchemaGenerationError

from capnweb_gen import ir, naming
from capnweb_gen.errors import Diagnostic
from capnweb_gen.frontends.python.annotations import misread
from capnweb_gen.frontends.python.failures import said
from capnweb_gen.frontends.python.generics import defaults, generic_arguments, generic_origin, instance_name
from capnweb_gen.frontends.python.places import doc_of, positions
from capnweb_gen.frontends.python.pydantic_classes import complete, settings_of, validating_class
from capnweb_gen.frontends.python.pydantic_config import plain_record_faults
from capnweb_gen.frontends.python.pydantic_fields import PydanticFields
from capnweb_gen.frontends.python.records import RecordField, record_faults, record_fields, record_form
from capnweb_gen.frontends.python.shapes import Declarations, Shapes, is_model, is_root_model
from capnweb_gen.frontends.python.source import TOP, ClassSource
from capnweb_gen.frontends.python.unchecked import unchecked_type
from capnweb_gen.ir import Position
from capnweb_gen.naming import Case

_INCOMPLETE_HINT = "everything that its fields name must be imported at run time, not under TYPE_CHECKING"


class ModelReader:
    """Reads the models of one file. Faults are added to `faults`."""

    def __init__(
        self,
        path: str,
        classes: Mapping[str, ClassSource],
        case: Case,
        declarations: Declarations,
        faults: list[Diagnostic],
    ) -> None:
        self._path = path
        self._classes = classes
        self._case: Case = case
        self._declarations = declarations
        self._faults = faults

    def read(self, model: object) -> ir.Model:
        """Describe one model: a class, or a generic record with its type arguments."""
        return self._pydantic(model) if is_model(model) else self._record(model)

    def _record(self, declared: Any) -> ir.Model:
        origin = generic_origin(declared)
        record: type[object] = origin or declared
        source = self._classes.get(record.__name__)
        position = source.position if source else TOP
        fields: tuple[ir.ModelField, ...] = ()
        maker = validating_class(record)
        try:
            complete(maker or record)
            found = record_fields(record, generic_arguments(declared))
            faults = [*record_faults(record), *(plain_record_faults(record) if maker is None else ())]
        except Exception as error:
            self._fault(position, f"{record.__name__} is incomplete: {said(error)}", _INCOMPLETE_HINT)
        else:
            self._refuse_misread(record, source)
            for name, message, hint in faults:
                self._fault(positions(name, source)[0], message, hint)
            if not faults and maker is not None:
                fields = self._validated_fields(maker, found, source)
            elif not faults:
                fields = tuple(self._record_field(record, field, source) for field in found)
        return ir.Model(
            name=(instance_name(declared) if origin else None) or record.__name__,
            module=self._declarations.home if origin else record.__module__,
            path=self._path,
            doc=source.doc if source else None,
            fields=fields,
            extra="ignore" if maker is None else _extra(maker),
            form=record_form(record) or "dataclass",
            generic=self._generic(declared, position),
            position=position,
        )

    def _reader(self, declared: type[object], source: ClassSource | None) -> PydanticFields:
        # A model's annotations are resolved in the module that declares it, which may be another one's.
        shapes = Shapes(_namespace(declared), self._declarations, constraints=True)
        return PydanticFields(declared, shapes, self._case, source, self._fault)

    def _record_field(self, record: type[object], field: RecordField, source: ClassSource | None) -> ir.ModelField:
        key = field.key if field.key is not None else field.name
        name_position, type_position = positions(key, source)
        shapes = Shapes(vars(sys.modules[record.__module__]), self._declarations, constraints=False)
        shape = shapes.from_type(field.annotation, type_position)
        return ir.ModelField(
            name=field.name,
            wire=naming.wire_name(key, self._case) if field.key is None else key,
            accepts=key,
            doc=doc_of(key, source),
            type=shape,
            required=field.required,
            computed=field.computed,
            secret=shapes.notes.secret,
            position=name_position,
        )

    def _validated_fields(
        self, maker: type[object], found: Sequence[RecordField], source: ClassSource | None
    ) -> tuple[ir.ModelField, ...]:
        """The fields of a pydantic dataclass, which `maker` validates."""
        reader = self._reader(maker, source)
        reader.refuse()
        fields = [reader.field(field.name, field.annotation, computed=field.computed) for field in found]
        return (*fields, *reader.computed())

    def _pydantic(self, model: type[BaseModel]) -> ir.Model:
        origin = generic_origin(model)
        source = self._classes.get((origin or model).__name__)
        position = source.position if source else TOP
        fields: tuple[ir.ModelField, ...] = ()
        generic: ir.Generic | None = None
        try:
            model.model_rebuild()
        except Exception as error:
            self._incomplete(model, position, error)
        else:
            self._refuse_misread(model, source)
            reader = self._reader(model, source)
            reader.refuse()
            fields = tuple(reader.all())
            generic = self._generic(model, position)
        return ir.Model(
            name=instance_name(model) or model.__name__ if origin else model.__name__,
            module=self._declarations.home if origin else model.__module__,
            path=self._path,
            doc=source.doc if source else None,
            fields=fields,
            extra=_extra(model),
            form="root" if is_root_model(model) else "pydantic",
            generic=generic,
            position=position,
        )

    def _incomplete(self, model: type[BaseModel], position: Position, error: Exception) -> None:
        module = sys.modules[model.__module__]
        if isinstance(error, PydanticSchemaGenerationError) and module.__file__:
            unchecked = unchecked_type(error, Path(module.__file__), position.line, vars(module))
            if unchecked is not None:
                self._fault(*unchecked)
                return
        self._fault(
            position,
            f"the model {model.__name__} is incomplete: {said(error)}",
            _INCOMPLETE_HINT,
        )

    def _generic(self, model: object, position: Position) -> ir.Generic | None:
        origin = generic_origin(model)
        if origin is None:
            return None
        checked = validating_class(origin) is not None
        shapes = Shapes(vars(sys.modules[origin.__module__]), self._declarations, constraints=checked)
        arguments = tuple(shapes.from_type(argument, position) for argument in generic_arguments(model))
        reference = ir.Reference(module=origin.__module__, name=origin.__name__)
        taken = defaults(origin)
        by_default = taken is not None and arguments == tuple(shapes.from_type(one, position) for one in taken)
        return ir.Generic(origin=reference, arguments=arguments, by_default=by_default)

    def _refuse_misread(self, model: type[object], source: ClassSource | None) -> None:
        for fault in misread(source, _namespace(model)):
            self._fault(*fault)

    def _fault(self, position: Position, message: str, hint: str) -> None:
        self._faults.append(Diagnostic(self._path, position.line, position.column, message, hint))


def _namespace(model: type[object]) -> Mapping[str, object]:
    """What names mean in the annotations of a model: where it, or the generic that it was made of, is declared."""
    return vars(sys.modules[(generic_origin(model) or model).__module__])


def _extra(declared: type[object]) -> Literal["ignore", "allow", "forbid"]:
    extra: Any = settings_of(declared).get("extra")
    return extra or "ignore"
