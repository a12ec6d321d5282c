"""Interfaces declared as pydantic schemas: `InterfaceModel` classes, whose members are annotations.

Rule: the IR is that of the Protocol that says the same. A model that lists the parameters of a method is read field by
field, and travels by itself only if a type names it as well.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ForwardRef, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from capnweb_gen import ir, naming
from capnweb_gen.errors import column
from capnweb_gen.frontends.python import shapes
from capnweb_gen.frontends.python.annotations import evaluate, misread
from capnweb_gen.frontends.python.costs import Said, costs_in
from capnweb_gen.frontends.python.failures import said, told
from capnweb_gen.frontends.python.generics import substituted
from capnweb_gen.frontends.python.interfaces import IDEMPOTENT_ATTRIBUTE, InterfaceReader
from capnweb_gen.frontends.python.pydantic_config import parameters_faults
from capnweb_gen.frontends.python.raising import RAISES_ATTRIBUTE, WIRE_NAME_ATTRIBUTE
from capnweb_gen.frontends.python.shapes import describe, is_model
from capnweb_gen.frontends.python.source import AttributeSource, ClassSource, Expression, FunctionSource, ModuleSource
from capnweb_gen.ir import Position
from capnweb_gen.naming import Case
from capnweb_runtime.schema import InterfaceModel, Method, Property, cancellable

_HINT = "write name: Method[Parameters, Result] or name: Property[Type]"
_PARAMETERS_HINT = "declare a model whose fields are the parameters, or write None if there are none"


def is_interface_model(value: object) -> bool:
    """Whether an interface is written as a model, rather than as a Protocol."""
    return inspect.isclass(value) and issubclass(value, InterfaceModel)


def parameter_models(source: ModuleSource, namespace: Mapping[str, Any]) -> frozenset[type[BaseModel]]:
    """The models that list the parameters of methods in one schema."""
    found: set[type[BaseModel]] = set()
    for name, declared in source.classes.items():
        if not is_interface_model(namespace.get(name)):
            continue
        for entry in declared.body:
            annotation = _evaluated(entry, namespace) if isinstance(entry, AttributeSource) else None
            member, _ = _without_annotated(annotation)
            if get_origin(member) is Method:
                parameters = _resolved(get_args(member)[0], namespace)
                if is_model(parameters):
                    found.add(parameters)
    return frozenset(found)


class InterfaceModelReader(InterfaceReader):
    """Reads the interfaces of one file that are written as models. Faults are added to `faults`."""

    def __init__(self, reader: InterfaceReader, source: ModuleSource) -> None:
        super().__init__(reader._path, reader._namespace, reader._case, reader._shapes, reader._faults)
        self._classes = source.classes

    def _members(self, interface: type, source: ClassSource, case: Case) -> tuple[ir.Method | ir.Property, ...]:
        members: dict[str, ir.Method | ir.Property] = {}
        for entry in source.body:
            where = f"{interface.__name__}.{getattr(entry, 'name', '')}"
            if isinstance(entry, FunctionSource):
                message = f"{where} is a function, but {interface.__name__} is an InterfaceModel"
                self._fault(entry.position, message, _HINT)
            elif not isinstance(entry, AttributeSource):
                message = f"{entry.what} cannot be part of the interface {interface.__name__}"
                self._fault(entry.position, message, "put it outside the class")
            elif entry.annotation is None or entry.name in vars(interface):
                self._fault(entry.position, f"{where} has a value, which would not travel", _HINT)
            elif entry.name in members:
                self._fault(entry.position, f"{where} is declared twice", "give one of them another name")
            else:
                member = self._annotated(where, entry, entry.annotation, case)
                if member is not None:
                    place = entry.annotation.position
                    costs: list[Said] = [(text, [], place) for text in costs_in(entry.annotation.text, self._namespace)]
                    members[entry.name] = self._costing(where, costs, member)
        return tuple(members.values())

    def _annotated(
        self, where: str, entry: AttributeSource, written: Expression, case: Case
    ) -> ir.Method | ir.Property | None:
        try:
            annotation = _evaluate(written.text, self._namespace)
        except Exception as error:
            message = f"{where}: `{written.text}` cannot be evaluated: {told(error)}"
            self._fault(written.position, message, _HINT)
            return None
        member, notes = _without_annotated(annotation)
        names = [name for note in notes if (name := getattr(note, WIRE_NAME_ATTRIBUTE, None))]
        declared = [getattr(note, RAISES_ATTRIBUTE) for note in notes if hasattr(note, RAISES_ATTRIBUTE)]
        origin, arguments = get_origin(member), get_args(member)
        if origin not in (Method, Property):
            self._fault(written.position, f"{where} is neither a Method nor a Property", _HINT)
            return None
        wire = names[-1] if names else naming.wire_name(entry.name, case)
        errors = tuple(error for group in declared for error in group) if declared else None
        raised = tuple(self._raised(where, errors, written.position))
        noted = shapes.Notes()
        result = self._shapes.noting(noted).from_type(arguments[-1], _argument(written, len(arguments) - 1))
        idempotent = any(hasattr(note, IDEMPOTENT_ATTRIBUTE) for note in notes)
        cancelled = any(note is cancellable for note in notes)
        if origin is Property:
            if idempotent:
                self._refuse_idempotent(where, written.position)
            if cancelled:
                message = f"{where} is a property, which cannot be cancelled"
                self._fault(written.position, message, "declare a method")
            return ir.Property(
                name=entry.name,
                wire=wire,
                doc=entry.doc,
                type=result,
                raises=raised,
                secret=noted.secret,
                position=entry.position,
            )
        return ir.Method(
            name=entry.name,
            wire=wire,
            doc=entry.doc,
            parameters=tuple(self._parameters_of(where, arguments[0], _argument(written, 0), case)),
            result=result,
            raises=raised,
            idempotent=idempotent,
            cancellable=cancelled,
            secret=noted.secret,
            position=entry.position,
        )

    # ---- parameters

    def _parameters_of(self, where: str, declared: object, position: Position, case: Case) -> Iterator[ir.Parameter]:
        model = substituted(_resolved(declared, self._namespace), self._shapes.bindings)
        if model is None or model is type(None):
            return
        if not is_model(model) or shapes.is_root_model(model):
            self._fault(position, f"{where} takes {describe(model)}, which lists no parameters", _PARAMETERS_HINT)
            return
        try:
            model.model_rebuild()
        except Exception as error:
            message = f"the model {model.__name__} is incomplete: {said(error)}"
            self._fault(position, message, "everything that its fields name must be imported at run time")
            return
        self._refuse_validation(where, model, position)
        for member, message, hint in parameters_faults(model):
            self._fault(self._places(model, member, position)[0], message, hint)
        own = self._classes.get(model.__name__) if model.__module__ == self._module else None
        for fault in misread(own, self._namespace):
            self._fault(*fault)
        omitted: str | None = None
        for name, info in model.model_fields.items():
            place = self._places(model, name, position)[0]
            if omitted is not None and info.is_required():
                message = f"the parameter {name} of {where}() has no default, but {omitted} before it has one"
                self._fault(place, message, "declare the parameters without defaults first")
            elif name == "self":
                self._fault(place, f"a parameter of {where}() is called self", "give it another name")
            else:
                yield self._field(f"{where}()", model, name, info, position, case)
            omitted = omitted if info.is_required() else name

    def _refuse_validation(self, where: str, model: type[BaseModel], position: Position) -> None:
        """A model of parameters is never made, so that nothing would call what it validates with."""
        decorators = model.__pydantic_decorators__
        validators = (*decorators.field_validators, *decorators.model_validators, *decorators.validators)
        for name in validators:
            hint = "validate where the method is implemented, or in a model that a parameter takes"
            message = f"{model.__name__}.{name} validates the parameters of {where}, but would never be called"
            self._fault(position, message, hint)

    def _field(
        self, where: str, model: type[BaseModel], name: str, info: FieldInfo, used: Position, case: Case
    ) -> ir.Parameter:
        place, type_place = self._places(model, name, used)
        home = shapes.Shapes(vars(sys.modules[model.__module__]), self._shapes.declarations, constraints=False)
        # pydantic has taken constraints out of the type; beside a parameter of a Protocol they stand in Annotated.
        annotated: Any = Annotated
        written = annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
        shape = home.from_type(written, type_place)
        default = None
        if not info.is_required():
            # A value that has to be made anew each time is none that a signature could show.
            value: object = info.default if info.default is not PydanticUndefined else info.default_factory
            default = self._default_value(f"the parameter {name} of {where}", value, place, shape)
        return ir.Parameter(
            name=name,
            wire=info.alias or naming.wire_name(name, case),
            passing="positional",
            type=shape,
            default=default,
            secret=home.notes.secret,
            position=place,
        )

    def _places(self, model: type[BaseModel], name: str, used: Position) -> tuple[Position, Position]:
        """Where a field stands in this file, and its type; or else where the method does that takes it."""
        for owner in model.__mro__:
            source = self._classes.get(owner.__name__)
            for entry in source.body if source and owner.__module__ == self._module else ():
                if isinstance(entry, AttributeSource) and entry.name == name and entry.annotation:
                    return entry.position, entry.annotation.position
        return used, used

    @property
    def _module(self) -> object:
        return self._namespace.get("__name__")


def _evaluate(text: str, namespace: Mapping[str, Any]) -> object:
    """What an annotation means, also one in quotes."""
    value = evaluate(text, namespace)
    return _evaluate(value, namespace) if isinstance(value, str) else value


def _evaluated(entry: AttributeSource, namespace: Mapping[str, Any]) -> object:
    try:
        return _evaluate(entry.annotation.text, namespace) if entry.annotation else None
    except Exception:  # told when the member is read
        return None


def _resolved(annotation: object, namespace: Mapping[str, Any]) -> object:
    text = annotation.__forward_arg__ if isinstance(annotation, ForwardRef) else annotation
    try:
        return _evaluate(text, namespace) if isinstance(text, str) else text
    except Exception:
        return annotation


def _without_annotated(annotation: object) -> tuple[object, list[object]]:
    """What Annotated is about, and what is noted beside it."""
    if get_origin(annotation) is not Annotated:
        return annotation, []
    inner, *notes = get_args(annotation)
    return inner, notes


def _argument(written: Expression, index: int) -> Position:
    """Where an argument of `Method[...]` or `Property[...]` stands, also inside `Annotated[...]`."""
    text = f"({written.text})"
    node: ast.expr = ast.parse(text, mode="eval").body
    while isinstance(node, ast.Subscript):
        items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if not ast.unparse(node.value).endswith("Annotated"):
            node = items[index] if index < len(items) else node
            break
        node = items[0]
    line = node.lineno - 1
    inside = column(text.split("\n")[line], node.col_offset)
    # On the first line, the bracket that was put before the text counts as a column.
    start = written.position.column - 2 if line == 0 else 0
    return Position(line=written.position.line + line, column=start + inside)
