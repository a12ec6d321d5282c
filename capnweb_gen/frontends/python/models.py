"""Models: from a class whose instances travel by value to the IR.

Rule: pydantic, or for a plain record Python, says what the fields are and how they are called; the source says where
they stand.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, PydanticSchemaGenerationError
from pydantic.fields import FieldInfo

from capnweb_gen import ir, naming
from capnweb_gen.errors import Diagnostic
from capnweb_gen.frontends.python.annotations import misread
from capnweb_gen.frontends.python.deprecation import field_deprecation
from capnweb_gen.frontends.python.failures import said
from capnweb_gen.frontends.python.generics import generic_arguments, generic_origin, instance_name
from capnweb_gen.frontends.python.records import RecordField, record_faults, record_fields, record_form
from capnweb_gen.frontends.python.shapes import Declarations, Shapes, is_model, is_root_model
from capnweb_gen.frontends.python.source import AttributeSource, ClassSource, OtherSource
from capnweb_gen.frontends.python.unchecked import unchecked_type
from capnweb_gen.ir import Position
from capnweb_gen.naming import Case
from capnweb_runtime.schema import BY_REFERENCE

_TOP = Position(line=1, column=1)
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
        position = source.position if source else _TOP
        fields: tuple[ir.ModelField, ...] = ()
        try:
            found = record_fields(record, generic_arguments(declared))
            faults = list(record_faults(record))
        except Exception as error:
            self._fault(position, f"{record.__name__} is incomplete: {said(error)}", _INCOMPLETE_HINT)
        else:
            self._refuse_misread(record, source)
            for name, message, hint in faults:
                self._fault(positions(name, source)[0], message, hint)
            if not faults:
                fields = tuple(self._record_field(record, field, source) for field in found)
        return ir.Model(
            name=(instance_name(declared) if origin else None) or record.__name__,
            module=self._declarations.home if origin else record.__module__,
            path=self._path,
            doc=source.doc if source else None,
            fields=fields,
            form=record_form(record) or "dataclass",
            generic=self._generic(declared, position),
            position=position,
        )

    def _record_field(self, record: type[object], field: RecordField, source: ClassSource | None) -> ir.ModelField:
        key = field.key if field.key is not None else field.name
        name_position, type_position = positions(key, source)
        shapes = Shapes(vars(sys.modules[record.__module__]), self._declarations, constraints=False)
        return ir.ModelField(
            name=field.name,
            wire=naming.wire_name(key, self._case) if field.key is None else key,
            accepts=key,
            doc=_doc(key, source),
            type=shapes.from_type(field.annotation, type_position),
            required=field.required,
            computed=field.computed,
            position=name_position,
        )

    def _pydantic(self, model: type[BaseModel]) -> ir.Model:
        origin = generic_origin(model)
        source = self._classes.get((origin or model).__name__)
        position = source.position if source else _TOP
        fields: tuple[ir.ModelField, ...] = ()
        generic: ir.Generic | None = None
        try:
            model.model_rebuild()
        except Exception as error:
            self._incomplete(model, position, error)
        else:
            self._refuse_serializers(model, source)
            self._refuse_misread(model, source)
            fields = (
                *(self._field(model, name, info, source) for name, info in model.model_fields.items()),
                *self._computed(model, source),
            )
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
        shapes = Shapes(vars(sys.modules[origin.__module__]), self._declarations, constraints=is_model(model))
        arguments = tuple(shapes.from_type(argument, position) for argument in generic_arguments(model))
        reference = ir.Reference(module=origin.__module__, name=origin.__name__)
        return ir.Generic(origin=reference, arguments=arguments)

    def _computed(self, model: type[BaseModel], source: ClassSource | None) -> Iterator[ir.ModelField]:
        """Fields that a model makes itself. They are sent like the others."""
        shapes = Shapes(_namespace(model), self._declarations, constraints=True)
        for name, info in model.model_computed_fields.items():
            position = positions(name, source)[0]
            yield ir.ModelField(
                name=name,
                wire=info.alias or naming.wire_name(name, self._case),
                accepts=name,
                doc=info.description or _doc(name, source),
                deprecated=field_deprecation(info.deprecation_message),
                type=shapes.from_type(info.return_type, position),
                required=False,
                computed=True,
                position=position,
            )

    def _field(self, model: type[BaseModel], name: str, info: FieldInfo, source: ClassSource | None) -> ir.ModelField:
        name_position, type_position = positions(name, source)
        where = f"{model.__name__}.{name}"
        if info.exclude:
            self._fault(name_position, f"{where} is excluded from serialization", "leave out `exclude=True`")
        # A model's annotations are resolved in the module that declares it, which may be another one's.
        shapes = Shapes(_namespace(model), self._declarations, constraints=True)
        return ir.ModelField(
            name=name,
            wire=info.serialization_alias or naming.wire_name(name, self._case),
            accepts=self._accepted_name(model, name, info, where, name_position),
            doc=info.description or _doc(name, source),
            deprecated=field_deprecation(info.deprecation_message),
            type=shapes.from_type(_annotation(info), type_position),
            required=info.is_required(),
            position=name_position,
        )

    def _accepted_name(self, model: type[BaseModel], name: str, info: FieldInfo, where: str, position: Position) -> str:
        """The key under which validation finds a field."""
        alias = info.validation_alias
        if alias is None or model.model_config.get("populate_by_name") or model.model_config.get("validate_by_name"):
            return name
        choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
        accepted = next((choice for choice in choices if isinstance(choice, str)), None)
        if accepted is None:
            self._fault(position, f"the validation alias of {where} is a path", "use a plain string as the alias")
            return name
        return accepted

    def _refuse_serializers(self, model: type[BaseModel], source: ClassSource | None) -> None:
        decorators = model.__pydantic_decorators__
        groups: tuple[tuple[str, Iterable[str], str], ...] = (
            ("field serializer", decorators.field_serializers, "give the field the type that travels"),
            ("model serializer", decorators.model_serializers, "declare the fields as they travel"),
        )
        for what, names, hint in groups:
            for name in names:
                position = positions(name, source)[0]
                message = f"{model.__name__}.{name} is a {what}, which sending a model does not call"
                self._fault(position, message, hint)

    def _refuse_misread(self, model: type[object], source: ClassSource | None) -> None:
        for fault in misread(source, _namespace(model)):
            self._fault(*fault)

    def _fault(self, position: Position, message: str, hint: str) -> None:
        self._faults.append(Diagnostic(self._path, position.line, position.column, message, hint))


def positions(name: str, source: ClassSource | None) -> tuple[Position, Position]:
    """Where a member of a model stands, and its annotation. An inherited one stands where the model does."""
    if source is None:
        return _TOP, _TOP
    for entry in source.body:
        if getattr(entry, "name", None) == name:
            annotation = entry.annotation if isinstance(entry, AttributeSource) else None
            return entry.position, annotation.position if annotation else entry.position
    return source.position, source.position


def _annotation(info: FieldInfo) -> object:
    """The type of a field. Pydantic has taken apart what stands in Annotated."""
    marked: Any = Annotated
    return marked[info.annotation, BY_REFERENCE] if BY_REFERENCE in info.metadata else info.annotation


def _namespace(model: type[object]) -> Mapping[str, object]:
    """What names mean in the annotations of a model: where it, or the generic that it was made of, is declared."""
    return vars(sys.modules[(generic_origin(model) or model).__module__])


def _doc(name: str, source: ClassSource | None) -> str | None:
    """The string below a field, or the docstring of a computed one."""
    found = (entry for entry in source.body if not isinstance(entry, OtherSource)) if source else ()
    return next((entry.doc for entry in found if entry.name == name), None)


def _extra(model: type[BaseModel]) -> Literal["ignore", "allow", "forbid"]:
    return model.model_config.get("extra") or "ignore"
