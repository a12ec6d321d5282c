"""Methods, properties and functions: from members of an object to the IR.

Rule: a parameter that may be left out may be left out in Python, too. Its default is the server's; None stands for it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from capnweb_gen import ir, naming
from capnweb_gen.frontends.typescript import nodes
from capnweb_gen.frontends.typescript.comments import default_of, docstring, is_many, is_secret
from capnweb_gen.frontends.typescript.decisions import Notes, Options
from capnweb_gen.frontends.typescript.evaluate import Slot, View
from capnweb_gen.frontends.typescript.names import (
    Hint,
    implied,
    member_name,
    parameter_name,
    part_name,
    said_name,
)
from capnweb_gen.frontends.typescript.nodes import Doc, Parameter, Signature
from capnweb_gen.frontends.typescript.scope import Closure, Env
from capnweb_gen.frontends.typescript.shapes import BROKEN, Shapes
from capnweb_gen.frontends.typescript.throws import ThrowsReader
from capnweb_gen.naming import Case
from capnweb_runtime.schema import FORBIDDEN_KEYS

_NONE = ir.Scalar(name="none")


class MemberReader:
    """Reads interfaces."""

    def __init__(self, shapes: Shapes, notes: Notes, options: Options, throws: ThrowsReader) -> None:
        self._shapes = shapes
        self._throws = throws
        self._notes = notes
        self._declare = "declare it" if options.tsc else "declare it, or use --tsc"

    def interface(self, name: str, doc: Doc, view: View, position: ir.Position, case: Case, hint: Hint) -> ir.Interface:
        """Describe an interface."""
        members: dict[str, ir.Method | ir.Property] = {}
        for slot in view.slots.values():
            for member in self._member(slot, case, hint, list(members)):
                members[member.name] = member
        for call in view.calls:
            self._fault(call, "an object with members cannot be called, too", "give the function a name")
        if view.index is not None:
            closure = view.index
            what = "an interface cannot have members of any name"
            self._notes.fault(
                closure.env.file, closure.position, what, "list them, or declare a method that takes the name"
            )
        return ir.Interface(
            name=name,
            doc=docstring(doc),
            deprecated=deprecation(doc),
            members=tuple(members.values()),
            position=position,
        )

    def call(self, slot: Slot, case: Case, hint: Hint) -> ir.Method:
        """What a function takes and gives."""
        method = self._method(slot, slot.signature, "__call__", case, hint)
        found = method or ir.Method(name="__call__", wire="", result=_NONE, position=slot.position)
        own = slot.member.doc if slot.member is not None and slot.member.kind == "call" else nodes.NO_DOC
        written = slot.signature.parameters if slot.signature is not None else ()
        called = {one.name: other.name for one, other in zip(written, found.parameters, strict=False)}
        said = {"doc": docstring(own, called), "deprecated": deprecation(own)}
        return found.model_copy(update={"wire": "", **said})

    # ---- members

    def _member(self, slot: Slot, case: Case, hint: Hint, taken: Sequence[str]) -> Iterator[ir.Method | ir.Property]:
        if slot.name.startswith("#") or not slot.name:
            return
        if slot.name in FORBIDDEN_KEYS - {"toJSON"}:
            what = f"{slot.name} is a name that every JavaScript object has, so that peers cannot reach it"
            self._fault(slot, what, "rename it")
            return
        name = member_name(slot.name, taken, said=said_name(slot.doc))
        if name in taken:
            self._fault(slot, f"{slot.name} is called {name} in Python, as something else is", "rename one of them")
            return
        place = Hint(part_name(slot.name), hint.long + part_name(slot.name))
        signature = self._function(slot)
        if signature is not None:
            if slot.optional:
                what = f"{slot.name}() may be missing, which a caller could not tell"
                self._fault(slot, what, "declare it without `?`, and fail where it is not supported")
            method = self._method(signature, signature.signature, name, case, place)
            if method is not None:
                yield method
            return
        yield self._property(slot, name, place)

    def _function(self, slot: Slot) -> Slot | None:
        """A method; and so is a property that holds a function, unless it is one to be read."""
        if slot.signature is not None:
            return slot
        if slot.member is None or slot.member.kind == "getter" or slot.member.readonly:
            return None
        if not isinstance(slot.type, nodes.FunctionType):
            return None
        return Slot(
            slot.name, slot.position, slot.env, signature=slot.type.signature, optional=slot.optional, doc=slot.doc
        )

    def _property(self, slot: Slot, name: str, hint: Hint) -> ir.Property:
        closure = slot.closure
        shape: ir.TypeShape = BROKEN
        if closure is None:
            self._fault(slot, f"the type of {slot.name} is inferred", self._declare)
        else:
            shape = self._shapes.shape(closure, hint)
        if slot.optional and shape is not BROKEN:
            shape = optional(shape)
        made = ir.Property(
            name=name,
            wire=slot.name,
            doc=docstring(slot.doc),
            deprecated=deprecation(slot.doc),
            type=shape,
            raises=self._throws.of(slot),
            secret="secret" in slot.doc.marks(),
            position=slot.position,
        )
        return made.model_copy(update=self._costs(slot))

    def _method(self, slot: Slot, signature: Signature | None, name: str, case: Case, hint: Hint) -> ir.Method | None:
        if signature is None or not self._is_plain(slot, signature):
            return None
        parameters = self._parameters(slot, signature, case, hint)
        called = {one.name: other.name for one, other in zip(signature.parameters, parameters, strict=False)}
        marks = slot.doc.marks()
        made = ir.Method(
            name=name,
            wire=slot.name,
            doc=docstring(slot.doc, called),
            deprecated=deprecation(slot.doc),
            parameters=tuple(parameters),
            result=self._result(slot, signature, hint),
            raises=self._throws.of(slot),
            idempotent="idempotent" in marks,
            cancellable="cancellable" in marks,
            secret="secret" in marks,
            position=slot.position,
        )
        return made.model_copy(update=self._costs(slot))

    def _costs(self, slot: Slot) -> dict[str, int]:
        """What its comment says that it costs, and of how many items."""
        costs: dict[str, int] = {}
        for key, _, said in (mark.partition(" ") for mark in slot.doc.marks()):
            if key in ("cost", "items"):
                if re.fullmatch(r"[1-9][0-9]{0,6}", said) and int(said) <= ir.MOST_COST:
                    costs[key] = int(said)
                else:
                    hint = f"write a number from 1 to {ir.MOST_COST:,}"
                    self._fault(slot, f"@capnweb {key} of {slot.name} is {said or 'nothing'}", hint)
        return costs

    def _is_plain(self, slot: Slot, signature: Signature) -> bool:
        what = f"{slot.name}()" if slot.name else "this function"
        member = slot.member
        overloads = slot.others - (1 if member is not None and member.body and slot.others else 0)
        if slot.others and (overloads or not (member and member.body)):
            self._fault(slot, f"{what} is overloaded", "declare one signature, with unions or optional parameters")
            return False
        if signature.type_parameters:
            names = ", ".join(parameter.name for parameter in signature.type_parameters)
            hint = "types do not travel with a call: declare a method for each type, or write unknown"
            self._fault(slot, f"{what} has type parameters of its own: {names}", hint)
            return False
        if member is not None and member.generator:
            hint = "give a ReadableStream<T>: the npm package sends no generators"
            self._fault(slot, f"{what} is a generator", hint)
            return False
        return True

    def _result(self, slot: Slot, signature: Signature, hint: Hint) -> ir.TypeShape:
        if signature.result is None:
            what = f"{slot.name}()" if slot.name else "this function"
            self._fault(slot, f"the result of {what} is inferred", self._declare)
            return BROKEN
        return self._shapes.result(Closure(signature.result, slot.env), hint.inside("Result"))

    # ---- parameters

    def _parameters(self, slot: Slot, signature: Signature, case: Case, hint: Hint) -> list[ir.Parameter]:
        found: list[ir.Parameter] = []
        said = dict(slot.doc.parameters)
        for number, parameter in enumerate(signature.parameters):
            others = [one.name for one in found]
            is_last = number == len(signature.parameters) - 1
            keywords = self._keywords(slot, parameter) if is_last and parameter.name == "options" else None
            if keywords is not None:
                text = f"the options of {slot.name or 'this function'}() are keyword-only parameters"
                self._notes.decide(slot.env.file, parameter.position, text)
                found += self._keyword_parameters(keywords, others, case, hint)
                continue
            text = said.get(parameter.name, "")
            must = any(not self._may_be_left_out(slot, later) for later in signature.parameters[number + 1 :])
            many = is_many(text) and not parameter.rest
            found.append(self._parameter(slot, parameter, others, case, hint, text, must=must, many=many))
        return found

    def _may_be_left_out(self, slot: Slot, parameter: Parameter) -> bool:
        """Whether Python could call without a parameter: it is optional, or undefined will do, or it holds keywords."""
        if parameter.optional or parameter.rest or (parameter.name == "options" and self._keywords(slot, parameter)):
            return True
        return parameter.type is not None and self._shapes.types.may_be_undefined(Closure(parameter.type, slot.env))

    def _parameter(
        self,
        slot: Slot,
        parameter: Parameter,
        others: Sequence[str],
        case: Case,
        hint: Hint,
        said: str,
        *,
        must: bool,
        many: bool,
    ) -> ir.Parameter:
        name = parameter_name(parameter.name, others)
        shape = self._parameter_type(slot, parameter, hint.inside(part_name(parameter.name or "value")))
        default: ir.Default | None = None
        if parameter.rest or many:
            shape = self._rest(slot, parameter, shape)
        elif shape is not BROKEN and self._may_be_left_out(slot, parameter):
            shape, default = self._optional(parameter.default, default_of(said), shape, must=must)
        return ir.Parameter(
            name=name,
            wire=implied(name, case),
            passing="variadic" if parameter.rest or many else "positional",
            type=shape,
            default=default,
            secret=is_secret(said),
            position=parameter.position,
        )

    def _parameter_type(self, slot: Slot, parameter: Parameter, hint: Hint) -> ir.TypeShape:
        if parameter.type is None:
            what = f"the type of the parameter {parameter.name or 'here'} is not declared"
            self._notes.fault(slot.env.file, parameter.position, what, self._declare)
            return BROKEN
        return self._shapes.shape(Closure(parameter.type, slot.env), hint)

    def _rest(self, slot: Slot, parameter: Parameter, shape: ir.TypeShape) -> ir.TypeShape:
        if isinstance(shape, ir.OptionalShape) and not parameter.rest:  # options that are needed come after it
            shape = shape.item
        if isinstance(shape, ir.ListShape | ir.CollectionShape):
            return shape.item
        if shape is not BROKEN and shape != ir.Scalar(name="any"):
            what = f"...{parameter.name} is no array of one type"
            self._notes.fault(slot.env.file, parameter.position, what, "write ...values: T[], or name the parameters")
            return BROKEN
        return shape

    def _optional(
        self, written: nodes.TypeValue | None, said: object, shape: ir.TypeShape, *, must: bool
    ) -> tuple[ir.TypeShape, ir.Default | None]:
        """The type of a parameter that may be left out, and its default."""
        if must:  # in Python, what follows could not be given without it
            return optional(shape), None
        for value in (written, said):
            default = _default(value, shape)
            if default is not None:
                return shape, default
        return optional(shape), ir.Default(value=None)

    def _keywords(self, slot: Slot, parameter: Parameter) -> View | None:
        """The members of a last parameter `options` that stand for keyword-only parameters: its type is written out in
        place, and it may be left out just if all of them may.
        """
        if not isinstance(parameter.type, nodes.ObjectType) or parameter.rest or parameter.default is not None:
            return None
        view = self._shapes.types.view(Closure(parameter.type, slot.env))
        if view is None or not view.slots or view.index is not None or view.calls or view.has_methods:
            return None
        all_optional = all(member.optional for member in view.slots.values())
        return view if parameter.optional == all_optional else None

    def _keyword_parameters(self, view: View, others: Sequence[str], case: Case, hint: Hint) -> Iterator[ir.Parameter]:
        taken = list(others)
        for member in view.slots.values():
            if member.name in FORBIDDEN_KEYS:
                self._fault(member, f"{member.name} is a name that every JavaScript object has", "rename it")
            name = said_name(member.doc) or parameter_name(member.name, taken)
            if implied(name, case) != member.name:  # nothing else can say how a keyword is called on the wire
                name = (
                    member.name if naming.is_name(member.name) and implied(member.name, case) == member.name else name
                )
            if implied(name, case) != member.name:
                what = f"the option {member.name} has a name that no keyword can have in Python"
                self._fault(member, what, "rename it, or declare the options as an interface")
            taken.append(name)
            closure = member.closure
            shape = self._shapes.shape(closure, hint.inside(part_name(member.name))) if closure else BROKEN
            if closure is None:
                self._fault(member, f"the type of {member.name} is not declared", self._declare)
            default: ir.Default | None = None
            if member.optional and shape is not BROKEN:
                shape, default = self._optional(None, default_of(member.doc.text), shape, must=False)
            yield ir.Parameter(
                name=name,
                wire=member.name,
                passing="keyword",
                type=shape,
                default=default,
                secret="secret" in member.doc.marks(),
                position=member.position,
            )

    def _fault(self, slot: Slot, reason: str, hint: str) -> None:
        self._notes.fault(slot.env.file, slot.position, reason, hint)


def optional(shape: ir.TypeShape) -> ir.TypeShape:
    """The same, or null. What can be null already stays as it is."""
    if isinstance(shape, ir.OptionalShape) or shape in (ir.Scalar(name="any"), ir.Scalar(name="json"), _NONE):
        return shape
    return ir.OptionalShape(item=shape)


def deprecation(doc: Doc) -> ir.Deprecation | None:
    """What a comment says of it that should not be used any more."""
    return ir.Deprecation(message=doc.deprecated or "deprecated") if doc.deprecated is not None else None


def _default(value: object, shape: ir.TypeShape) -> ir.Default | None:
    """A default, if it is of the type."""
    match shape:
        case ir.OptionalShape(item=item) | ir.OpenShape(item=item):
            return _default(value, item)
        case ir.ConstrainedShape(item=item) | ir.NewTypeShape(item=item):
            return _default(value, item)
        case ir.UnionShape(members=members):
            return next((found for member in members if (found := _default(value, member))), None)
        case ir.LiteralShape(values=constants):
            known = any(value == one and type(value) is type(one) for one in constants)
        case ir.EnumShape(members=named, flag=flag):
            known = any(value == one.value and type(value) is type(one.value) for one in named)
            known = known or (flag and type(value) is int)
        case ir.Scalar(name="any" | "json"):
            known = type(value) in {bool, int, float, str}
        case ir.Scalar(name="float"):
            known = type(value) in {int, float}
        case ir.Scalar(name=name):
            known = type(value).__name__ == name
        case _:
            known = False
    if not known:
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return ir.Default.model_validate({"value": {"float": repr(value)}})
    return ir.Default.model_validate({"value": value})


__all__ = ["Env", "MemberReader", "deprecation", "optional"]
