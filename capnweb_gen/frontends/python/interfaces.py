"""Reading one interface: a Protocol class and its source, to the IR.

Rule: what an interface cannot say is refused here, at the place where it stands; what its types cannot say is left in
the IR as `Unsupported`.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator, Mapping, Sequence
from types import FunctionType
from typing import Any, Generic, Protocol, get_origin

import typing_extensions

from capnweb_gen import ir, naming
from capnweb_gen.errors import Diagnostic
from capnweb_gen.frontends.python import deprecation
from capnweb_gen.frontends.python.costs import Fault, Said, needless_items, read_cost
from capnweb_gen.frontends.python.decorators import meaning, written_name
from capnweb_gen.frontends.python.failures import told
from capnweb_gen.frontends.python.raising import RAISES_ATTRIBUTE, WIRE_NAME_ATTRIBUTE, error_fault
from capnweb_gen.frontends.python.refusals import UNPACKED
from capnweb_gen.frontends.python.shapes import Notes, Shapes, describe
from capnweb_gen.frontends.python.source import (
    AttributeSource,
    ClassSource,
    DecoratorSource,
    Expression,
    FunctionSource,
    OtherSource,
    ParameterSource,
)
from capnweb_gen.frontends.python.type_names import constant
from capnweb_gen.ir import Position
from capnweb_gen.naming import Case
from capnweb_runtime.schema import InterfaceModel

# The decorator `interface` of capnweb_runtime.schema leaves its argument here.
WIRE_CASE_ATTRIBUTE = "__capnweb_wire_case__"

_KNOWN_DECORATORS = frozenset(
    {
        *("property", "abstractmethod", "override", "cancellable", "cost", "idempotent", "raises", "wire_name"),
        deprecation.NAME,
    }
)
# The decorator `idempotent` of capnweb_runtime.schema sets this.
IDEMPOTENT_ATTRIBUTE = "__capnweb_idempotent__"
_REFUSED_DECORATORS = {
    "staticmethod": "is a static method; an interface has methods of an object alone: take self, without the decorator",
    "classmethod": "is a class method; an interface has methods of an object alone: take self, without the decorator",
    "setter": "has a setter, but peers can only read a property: leave out the setter and declare a method",
    "deleter": "has a deleter, but peers can only read a property: leave out the deleter and declare a method",
    "overload": "is overloaded; a method has one signature on the wire: declare methods with different names",
}
_NOT_INTERFACES: tuple[object, ...] = (Protocol, typing_extensions.Protocol, Generic, InterfaceModel, object)


class InterfaceReader:
    """Reads the interfaces of one file. Faults are added to `faults`."""

    def __init__(
        self, path: str, namespace: Mapping[str, Any], case: Case, shapes: Shapes, faults: list[Diagnostic]
    ) -> None:
        self._path = path
        self._namespace = namespace
        self._case: Case = case
        self._shapes = shapes
        self._faults = faults

    def read(self, interface: type, source: ClassSource) -> ir.Interface:
        """Describe one interface."""
        case = self._case_of(interface, source)
        return ir.Interface(
            name=interface.__name__,
            doc=source.doc,
            deprecated=self._deprecation(interface.__name__, source),
            members=self._members(interface, source, case),
            bases=tuple(self._bases(interface, source)),
            position=source.position,
        )

    def _members(self, interface: type, source: ClassSource, case: Case) -> tuple[ir.Method | ir.Property, ...]:
        members: dict[str, ir.Method | ir.Property] = {}
        for entry in source.body:
            if isinstance(entry, FunctionSource):
                member = self._member(interface, entry, case, entry.name in members)
                if member is not None:
                    members[entry.name] = member
            else:
                self._refuse_statement(interface.__name__, entry)
        return tuple(members.values())

    def _case_of(self, interface: type, source: ClassSource) -> Case:
        declared = vars(interface).get(WIRE_CASE_ATTRIBUTE, self._case)
        case = naming.as_case(declared)
        if case is None:
            position = self._argument(source, "interface")
            self._fault(position, f"{interface.__name__} has the unknown case {constant(declared)}", naming.CASE_HINT)
        return case or self._case

    def _bases(self, interface: type, source: ClassSource) -> Iterator[ir.Reference]:
        written = {base.text.partition("[")[0].rpartition(".")[2]: base.position for base in source.bases}
        bases: tuple[object, ...] = vars(interface).get("__orig_bases__", interface.__bases__)
        for base in bases:
            origin = get_origin(base) or base
            if origin in _NOT_INTERFACES:
                continue
            position = written.get(getattr(origin, "__name__", ""), source.position)
            shape = self._shapes.from_type(base, position)
            if isinstance(shape, ir.InterfaceShape):
                yield shape.interface
            elif isinstance(shape, ir.Unsupported):
                self._fault(position, f"{interface.__name__} inherits {describe(base)}: {shape.reason}", shape.hint)
            else:
                message = f"{interface.__name__} inherits {describe(base)}, which is no interface of a schema"
                self._fault(position, message, "list Protocol, and interfaces of schemas, as its bases")

    def _refuse_statement(self, interface: str, entry: AttributeSource | OtherSource) -> None:
        if isinstance(entry, AttributeSource):
            kind = entry.annotation.text if entry.annotation else "..."
            hint = f"declare a read-only property: @property, def {entry.name}(self) -> {kind}: ..."
            self._fault(entry.position, f"{interface}.{entry.name} is an attribute", hint)
        else:
            hint = "an interface has methods and read-only properties; put anything else outside the class"
            self._fault(entry.position, f"{entry.what} cannot be part of the interface {interface}", hint)

    # ---- members

    def _member(
        self, interface: type, source: FunctionSource, case: Case, seen: bool
    ) -> ir.Method | ir.Property | None:
        where = f"{interface.__name__}.{source.name}"
        decorators = self._decorators(where, source)
        if decorators is None:
            return None
        if seen:
            self._fault(source.position, f"{where} is declared twice", "give one of them another name")
            return None
        declared = vars(interface).get(source.name)
        function = declared.fget if isinstance(declared, property) else declared
        marks = vars(function) if isinstance(function, FunctionType) else {}
        wire = self._wire_name(where, marks, source, case)
        raised = tuple(self._raised(where, marks.get(RAISES_ATTRIBUTE), self._place(source, "raises")))
        idempotent = IDEMPOTENT_ATTRIBUTE in marks
        if "property" in decorators:
            if idempotent:
                self._refuse_idempotent(where, self._place(source, "idempotent"))
            if "cancellable" in decorators:
                place = self._place(source, "cancellable")
                self._fault(place, f"{where} is a property, which cannot be cancelled", "declare a method")
            return self._with_cost(where, source, self._property(where, source, wire, raised))
        if source.type_parameters is not None:
            hint = "name the types, or write Any where any value may travel"
            self._fault(source.type_parameters, f"{where}() has type parameters of its own", hint)
            return None
        said = {"idempotent": idempotent, "cancellable": "cancellable" in decorators}
        method = self._method(where, source, wire, case, raised).model_copy(update=said)
        return self._with_cost(where, source, method)

    def _with_cost(
        self, where: str, source: FunctionSource, member: ir.Method | ir.Property
    ) -> ir.Method | ir.Property:
        """A member with what its decorators say of its cost."""
        written = [one for one in source.decorators if meaning(one, self._namespace) == "cost"]
        said: list[Said] = [
            (one.text, [argument.position for argument in one.arguments], one.position) for one in written
        ]
        return self._costing(where, said, member)

    def _costing(self, where: str, said: Sequence[Said], member: ir.Method | ir.Property) -> ir.Method | ir.Property:
        """A member with what is said of its cost."""
        if not said:
            return member
        faults: list[Fault] = [(at, f"the cost of {where} is said twice", "leave one out") for _, _, at in said[1:]]
        fields = read_cost(where, said[0], faults)
        made = member.model_copy(update=fields)
        needless = needless_items(where, made)
        if needless is not None:
            faults.append((said[0][2], *needless))
        for fault in faults:
            self._fault(*fault)
        return made

    def _refuse_idempotent(self, where: str, position: Position) -> None:
        self._fault(
            position,
            f"{where} is a property, and reading it is idempotent anyway",
            "leave out idempotent: it is for methods",
        )

    def _decorators(self, where: str, source: FunctionSource) -> set[str] | None:
        """The decorators by their bare names, or None if one of them is refused."""
        names: set[str] = set()
        for decorator in source.decorators:
            written = written_name(decorator)
            name = meaning(decorator, self._namespace) or (written if written == deprecation.NAME else "")
            if name in _REFUSED_DECORATORS:
                message, hint = _REFUSED_DECORATORS[name].rsplit(": ", 1)
                self._fault(decorator.position, f"{where} {message}", hint)
                return None
            if name not in _KNOWN_DECORATORS:
                hint = "decorate the class that implements the interface"
                message = f"@{written} on {where} would have no effect: only the types of a schema are compiled"
                self._fault(decorator.position, message, hint)
                return None
            names.add(name)
        return names

    def _wire_name(self, where: str, marks: Mapping[str, Any], source: FunctionSource, case: Case) -> str:
        declared: object = marks.get(WIRE_NAME_ATTRIBUTE)
        if declared is None:
            return naming.wire_name(source.name, case)
        if not isinstance(declared, str) or not declared:
            hint = "a wire name is a string that is not empty"
            self._fault(self._argument(source, "wire_name"), f"the wire name of {where} is {constant(declared)}", hint)
            return source.name
        return declared

    def _raised(self, where: str, declared: tuple[object, ...] | None, position: Position) -> Iterator[ir.Reference]:
        """The exceptions that a member declares; None if it declares nothing of them."""
        if declared == ():
            self._fault(position, f"@raises on {where} names no exception", "name the exceptions: @raises(NotFound)")
        for error in dict.fromkeys(declared or ()):
            fault = error_fault(error)
            if fault is None and isinstance(error, type) and issubclass(error, BaseException):
                fault = self._shapes.declarations.error(error)
                yield ir.Reference(module=error.__module__, name=error.__name__)
            if fault is not None:
                self._fault(position, f"{where} cannot raise this: {fault[0]}", fault[1])

    def _property(self, where: str, source: FunctionSource, wire: str, raised: tuple[ir.Reference, ...]) -> ir.Property:
        if source.is_async:
            hint = "write `def`: a property that is read from afar is a promise anyway"
            self._fault(source.position, f"the property {where} is declared with async def", hint)
        if len(source.parameters) != 1:
            self._fault(source.position, f"the property {where} takes parameters", "declare a method")
        notes = Notes()
        return ir.Property(
            name=source.name,
            wire=wire,
            doc=source.doc,
            deprecated=self._deprecation(where, source),
            type=self._type(source.returns, source.position, "write -> and the type", notes),
            raises=raised,
            secret=notes.secret,
            position=source.position,
        )

    def _method(
        self, where: str, source: FunctionSource, wire: str, case: Case, raised: tuple[ir.Reference, ...]
    ) -> ir.Method:
        declared = source.parameters
        if declared and declared[0].passing in {"positional", "positional_only"}:
            declared = declared[1:]
        else:
            self._fault(source.position, f"{where}() does not take self", "make self the first parameter")
        parameters = (self._parameter(f"{where}()", parameter, case) for parameter in declared)
        notes = Notes()
        return ir.Method(
            name=source.name,
            wire=wire,
            doc=source.doc,
            deprecated=self._deprecation(where, source),
            parameters=tuple(parameter for parameter in parameters if parameter),
            result=self._result(source, notes),
            raises=raised,
            secret=notes.secret,
            position=source.position,
        )

    def _result(self, source: FunctionSource, notes: Notes) -> ir.TypeShape:
        return self._type(source.returns, source.position, "write -> and the type, or -> None", notes)

    def _parameter(self, where: str, source: ParameterSource, case: Case) -> ir.Parameter | None:
        if source.passing == "double_star":
            hint = "take a dict[str, ...], or name the parameters"
            self._fault(source.position, f"**{source.name} of {where} cannot travel", hint)
            return None
        what = f"the parameter {source.name} of {where}"
        notes = Notes()
        shape = self._parameter_type(source, notes)
        return ir.Parameter(
            name=source.name,
            wire=naming.wire_name(source.name, case),
            passing="variadic" if source.passing == "star" else source.passing,
            type=shape,
            default=self._default(what, source.default, shape) if source.default else None,
            secret=notes.secret,
            position=source.position,
        )

    def _parameter_type(self, source: ParameterSource, notes: Notes) -> ir.TypeShape:
        written = source.annotation
        if source.passing == "star" and written is not None and written.text.lstrip().startswith("*"):
            reason = f"{written.text.strip()} cannot travel"
            return ir.Unsupported(reason=reason, hint=UNPACKED, position=written.position)
        return self._type(written, source.position, f"write {source.name}: and the type", notes)

    def _deprecation(self, what: str, source: ClassSource | FunctionSource) -> ir.Deprecation | None:
        return deprecation.read_deprecation(self._path, what, source.decorators, self._namespace, self._faults)

    def _type(self, written: Expression | None, position: Position, hint: str, notes: Notes) -> ir.TypeShape:
        if written is None:
            return ir.Unsupported(reason="the annotation is missing", hint=hint, position=position)
        return self._shapes.noting(notes).from_text(written.text, written.position)

    def _default(self, what: str, written: Expression, shape: ir.TypeShape) -> ir.Default:
        try:
            value: object = eval(written.text, dict(self._namespace))
        except Exception as error:
            message = f"the default of {what} cannot be evaluated: {told(error)}"
            self._fault(written.position, message, 'write a literal, such as 0, "" or None')
            return ir.Default(value=None)
        return self._default_value(what, value, written.position, shape)

    def _default_value(self, what: str, value: object, position: Position, shape: ir.TypeShape) -> ir.Default:
        if isinstance(value, enum.Enum):
            value = value.value
        if value is not None and type(value) not in {bool, int, float, str}:
            hint = "write None as the default, and let the server's method fill in the value"
            self._fault(position, f"the default of {what} is not a number, a string, a bool or None", hint)
            return ir.Default(value=None)
        if isinstance(value, float) and not math.isfinite(value):
            value = ir.SpecialFloat.model_validate({"float": repr(value)})
        default = ir.Default.model_validate({"value": value})
        if not _fits(default.value, shape):
            hint = "write | None after the type" if value is None else "correct the default, or the type"
            self._fault(position, f"the default of {what} is {value!r}, which its type excludes", hint)
        return default

    def _decorator(self, source: ClassSource | FunctionSource, decorator: str) -> DecoratorSource | None:
        return next((one for one in source.decorators if meaning(one, self._namespace) == decorator), None)

    def _place(self, source: FunctionSource, decorator: str) -> Position:
        """Where a decorator stands; or else, what is decorated."""
        found = self._decorator(source, decorator)
        return found.position if found else source.position

    def _argument(self, source: ClassSource | FunctionSource, decorator: str) -> Position:
        """Where the first argument of a decorator stands; or else, what is decorated."""
        found = self._decorator(source, decorator)
        return found.arguments[0].position if found and found.arguments else source.position

    def _fault(self, position: Position, message: str, hint: str) -> None:
        self._faults.append(Diagnostic(self._path, position.line, position.column, message, hint))


def _fits(value: ir.DefaultValue, shape: ir.TypeShape) -> bool:
    """Whether a default is of its parameter's type. What is unsupported is reported elsewhere."""
    match shape:
        case ir.Unsupported() | ir.Scalar(name="any"):
            return True
        case ir.Scalar(name="json"):
            return not isinstance(value, ir.SpecialFloat)
        case ir.TextShape(format="email"):
            return type(value) is str
        case ir.OptionalShape(item=inner):
            return value is None or _fits(value, inner)
        case ir.UnionShape(members=members):
            return any(_fits(value, member) for member in members)
        case ir.NewTypeShape(item=inner) | ir.ConstrainedShape(item=inner) | ir.OpenShape(item=inner):
            return _fits(value, inner)
        case ir.LiteralShape(values=values):
            return any(value == constant and type(value) is type(constant) for constant in values)
        case ir.EnumShape(members=members, flag=flag):
            named = any(value == member.value and type(value) is type(member.value) for member in members)
            return named or (flag and type(value) is int)
        case ir.Scalar(name="none"):
            return value is None
        case ir.Scalar(name="float"):
            return type(value) in {int, float, ir.SpecialFloat}
        case ir.Scalar(name=name):
            return type(value).__name__ == name
        case _:
            return False
