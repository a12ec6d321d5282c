"""The fields of pydantic models and pydantic dataclasses: names, types, and what their class says of them.

Rule: what a class says either holds on the way, because pydantic does it whenever an instance is made, or is refused
with its place. Nothing of it is passed over if that would change what travels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any

from pydantic.fields import FieldInfo

from capnweb_gen import ir, naming
from capnweb_gen.frontends.python.deprecation import field_deprecation
from capnweb_gen.frontends.python.places import doc_of, positions
from capnweb_gen.frontends.python.pydantic_classes import (
    accepted_name,
    computed_of,
    fields_of,
    other_taker,
    settings_of,
)
from capnweb_gen.frontends.python.pydantic_config import class_faults
from capnweb_gen.frontends.python.pydantic_schemas import field_schemas, unheard
from capnweb_gen.frontends.python.shapes import Notes, Shapes
from capnweb_gen.frontends.python.source import ClassSource
from capnweb_gen.ir import Position
from capnweb_gen.naming import Case


class PydanticFields:
    """Reads the fields of one complete pydantic class.

    Args:
        declared: the class.
        shapes: reads types in the words of the module that declares it.
        case: how names are spelled on the wire.
        source: where the class stands.
        fault: is told what is wrong: a place, a message, a hint.
    """

    def __init__(
        self,
        declared: type[object],
        shapes: Shapes,
        case: Case,
        source: ClassSource | None,
        fault: Callable[[Position, str, str], None],
    ) -> None:
        self._declared = declared
        self._shapes = shapes
        self._case: Case = case
        self._source = source
        self._fault = fault
        self._schemas = field_schemas(declared)

    def refuse(self) -> None:
        """Tell what the class says of itself as a whole that would not hold."""
        for member, message, hint in class_faults(self._declared):
            self._fault(positions(member, self._source)[0], message, hint)

    def all(self) -> Iterator[ir.ModelField]:
        """The fields, and then those that the class computes."""
        for name in fields_of(self._declared):
            yield self.field(name)
        yield from self.computed()

    def field(self, name: str, annotation: object = None, *, computed: bool = False) -> ir.ModelField:
        """Describe one field.

        Args:
            name: of the field.
            annotation: its type, if that is known better than pydantic does.
            computed: whether it is sent, and ignored on arrival.
        """
        info = fields_of(self._declared)[name]
        name_position, type_position = positions(name, self._source)
        self._refuse_left_out(name, info, name_position)
        notes = Notes()
        written = _annotation(info) if annotation is None else annotation
        shape = self._shapes.noting(notes).from_type(written, type_position)
        return ir.ModelField(
            name=name,
            wire=self._wire_name(name),
            accepts=name if computed else self._accepted_name(name, name_position),
            doc=info.description or doc_of(name, self._source),
            deprecated=field_deprecation(info.deprecation_message),
            type=self._judged(name, shape, type_position),
            required=info.is_required() and not computed,
            computed=computed,
            secret=notes.secret,
            position=name_position,
        )

    def computed(self) -> Iterator[ir.ModelField]:
        """Fields that the class makes itself. They are sent like the others."""
        for name, info in computed_of(self._declared).items():
            position = positions(name, self._source)[0]
            self._refuse_left_out(name, info, position)
            notes = Notes()
            shape = self._shapes.noting(notes).from_type(info.return_type, position)
            yield ir.ModelField(
                name=name,
                wire=info.alias or naming.wire_name(name, self._case),
                accepts=name,
                doc=info.description or doc_of(name, self._source),
                deprecated=field_deprecation(info.deprecation_message),
                type=self._judged(name, shape, position),
                required=False,
                computed=True,
                secret=notes.secret,
                position=position,
            )

    def _judged(self, name: str, shape: ir.TypeShape, position: Position) -> ir.TypeShape:
        """How a field travels, unless pydantic does with it what sending does not."""
        schema = self._schemas.get(name)
        if schema is None or isinstance(shape, ir.Unsupported):
            return shape
        fault = unheard(schema, shape, settings_of(self._declared))
        return shape if fault is None else ir.Unsupported(reason=fault[0], hint=fault[1], position=position)

    def _refuse_left_out(self, name: str, info: Any, position: Position) -> None:
        where = f"{self._declared.__name__}.{name}"
        if getattr(info, "exclude", None):
            self._fault(position, f"{where} is excluded from serialization", "leave out `exclude=True`")
        elif getattr(info, "exclude_if", None) is not None:
            hint = "leave out `exclude_if`; make the field `| None` if it may be missing"
            self._fault(position, f"{where} is excluded from serialization where `exclude_if` says so", hint)

    def _wire_name(self, name: str) -> str:
        return fields_of(self._declared)[name].serialization_alias or naming.wire_name(name, self._case)

    def _accepted_name(self, name: str, position: Position) -> str:
        where = f"{self._declared.__name__}.{name}"
        accepted = accepted_name(self._declared, name)
        if accepted is None:
            self._fault(position, f"the validation alias of {where} is a path", "use a plain string as the alias")
            return name
        other = other_taker(self._declared, name)
        if other is not None and self._wire_name(name) != self._wire_name(other):  # else there is more to be told
            message = f"validation looks for {where} under {accepted!r}, where it also looks for {other}"
            self._fault(position, message, "give each field names and aliases of its own")
        return accepted


def _annotation(info: FieldInfo) -> object:
    """The type of a field. Pydantic has taken apart what stands in Annotated."""
    marked: Any = Annotated
    return marked[(info.annotation, *info.metadata)] if info.metadata else info.annotation
