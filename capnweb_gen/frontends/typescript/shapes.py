"""From TypeScript's types to IR types.

Rule: total. Every type has an answer; what cannot travel is told where it stands, with what to write instead, and
becomes `BROKEN`, so that the rest is still read. Interfaces and models are named, not read: whoever asked is told of
each through `Registry`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol

from capnweb_gen import ir
from capnweb_gen.errors import UnsupportedTypeError
from capnweb_gen.frontends import keys, unions
from capnweb_gen.frontends.typescript import marked, nodes
from capnweb_gen.frontends.typescript.alternatives import (
    constant_of,
    is_json,
    tag_name,
    tag_of,
    with_constants_together,
)
from capnweb_gen.frontends.typescript.decisions import Notes, Options
from capnweb_gen.frontends.typescript.evaluate import Slot, Types, View, enum_of
from capnweb_gen.frontends.typescript.files import Group
from capnweb_gen.frontends.typescript.known import BYTES, ERRORS, KEYWORDS, REFUSED, SCALARS, WRAPPERS
from capnweb_gen.frontends.typescript.names import Hint, part_name, shape_name
from capnweb_gen.frontends.typescript.patterns import pattern
from capnweb_gen.frontends.typescript.scope import Builtin, Closure, Declared, Meaning, RefusedTypeError
from capnweb_gen.ir import Position

BROKEN = ir.Unsupported(reason="", hint="", position=Position(line=1, column=1))
"""A type of which a fault was told."""

_ANY, _NONE = ir.Scalar(name="any"), ir.Scalar(name="none")
_DEEPEST = 90  # types inside types, by whatever names
_REPEATED = 3  # a generic type inside itself: each time there may be several of it
_CAPABILITY_HINT = (
    "what travels by reference is in a union with null alone: put it into an object, and give each object of the union "
    'a member such as kind: "...", with a value that the others do not have'
)
_UNION_HINT = (
    "unions are of types that have different forms on the wire, such as string | number | string[]; objects in one "
    'need a member such as kind: "...", with a value that the others do not have'
)

_OPEN_HINT = "put it around an enum, or a union; a model may get further members without it"


class Registry(Protocol):
    """Told of what types name. Gives references to it."""

    def is_capability(self, declared: Declared, view: View) -> bool: ...
    def nominal(
        self, declared: Declared, view: View, arguments: tuple[ir.TypeShape, ...], called: Declared | None
    ) -> ir.TypeShape: ...
    def anonymous(self, closure: Closure, view: View, hint: Hint) -> ir.TypeShape: ...
    def callback(self, slot: Slot, hint: Hint, declared: Declared | None = None) -> ir.TypeShape: ...
    def enum(self, declared: Declared, enum: nodes.EnumDeclaration) -> ir.EnumShape: ...
    def root(self, declared: Declared, item: Callable[[], ir.TypeShape]) -> ir.TypeShape: ...
    def reference(self, declared: Declared) -> ir.Reference: ...
    def alias(self, declared: Declared, shape: ir.TypeShape) -> None: ...


class Shapes:
    """Reads types. Faults and decisions go to `notes`."""

    def __init__(self, types: Types, notes: Notes, options: Options, registry: Registry) -> None:
        self.types = types
        self._notes = notes
        self._options = options
        self._registry = registry
        self._inside: list[Group] = []  # aliases that are being read, outermost first
        self._depth = 0

    def shape(self, closure: Closure, hint: Hint) -> ir.TypeShape:
        """The type that something has which may be called `hint`, if its type has no name."""
        self._depth += 1
        try:
            if self._depth > _DEEPEST:
                raise closure.refuse("this type goes on without an end", "give a part of it a name: interface X {...}")
            return self._shape(closure, hint)
        except RefusedTypeError as refused:
            self._notes.fault(refused.file, refused.position, refused.reason, refused.hint)
            return BROKEN
        finally:
            self._depth -= 1

    def result(self, closure: Closure, hint: Hint) -> ir.TypeShape:
        """The type of what a call gives, which is awaited in any case."""
        return self.shape(closure, hint)

    def _shape(self, closure: Closure, hint: Hint) -> ir.TypeShape:
        meaning = self.types.step(closure)
        if isinstance(meaning, Declared):
            return self._declared(meaning, hint)
        if isinstance(meaning, Builtin):
            return self._builtin(meaning, hint)
        return self._structural(meaning, hint)

    def _structural(self, closure: Closure, hint: Hint) -> ir.TypeShape:
        match closure.node:
            case nodes.Keyword(name=name):
                return self._keyword(closure, name)
            case nodes.Constant(value=value):
                return _constant(closure, value)
            case nodes.ArrayType(item=item):
                return self._list(closure.at(item), hint)
            case nodes.TupleType(items=items):
                return self._tuple(closure, items, hint)
            case nodes.UnionType(members=members):
                return self._union(closure, [closure.at(member) for member in members], hint)
            case nodes.FunctionType(signature=signature):
                return self.function(Slot("", closure.position, closure.env, signature=signature), hint)
            case nodes.Template():
                return ir.ConstrainedShape(item=ir.Scalar(name="str"), pattern=pattern(self.types, closure))
            case nodes.Refused(reason=reason, hint=instead):
                raise closure.refuse(reason, instead)
            case nodes.IntersectionType() | nodes.ObjectType() | nodes.MappedType():
                return self._object(closure, hint)
            case _:
                return self._behind(closure, hint)

    def _behind(self, closure: Closure, hint: Hint) -> ir.TypeShape:
        """The type that an operator makes of others, which may have a name."""
        name, _, member = closure.node.name.rpartition(".") if isinstance(closure.node, nodes.TypeOf) else ("", "", "")
        group = self.types.files.lookup(closure.env.file, name, closure.env.namespace) if name else None
        enum = enum_of(group) if isinstance(group, Group) else None
        if isinstance(group, Group) and enum is not None:
            return self._enum(Declared(group, (), closure, member=member), enum)
        made = self.types.computed(closure)
        if made is None:
            raise closure.refuse("this type cannot be read", "write the type out")
        return self._shape(made, hint)

    # ---- types without parts

    def _keyword(self, closure: Closure, name: str) -> ir.TypeShape:
        if name == "number":
            return ir.Scalar(name=self._options.numbers)
        if name == "any" and self._options.tsc:
            self._notes.decide(closure.env.file, closure.position, "this is any, for all that tsc could tell")
        if name in KEYWORDS:
            return ir.Scalar(name=KEYWORDS[name])
        if name == "never":
            raise closure.refuse(
                "never has no values that could travel", "leave it out; a method that only fails gives void"
            )
        if name == "this":
            raise closure.refuse("`this` means nothing here", "name the type")
        raise closure.refuse(
            f"{name} may be anything that is no primitive", "write Record<string, unknown>, or unknown"
        )

    # ---- containers

    def _list(self, item: Closure, hint: Hint) -> ir.TypeShape:
        inner = self.shape(item, hint)
        return inner if inner is BROKEN else ir.ListShape(item=inner)

    def _tuple(self, closure: Closure, items: Sequence[nodes.Element], hint: Hint) -> ir.TypeShape:
        if not items:
            raise closure.refuse("this tuple is empty", "leave it out, or say what is in it")
        plain = not any(element.optional or element.rest for element in items)
        shapes: list[ir.TypeShape] = []
        names: list[str] = []
        for number, element in enumerate(items, 1):
            one = closure.at(element.type)
            if element.rest:
                one = self._element(self.types.head(one), closure)
            shapes.append(self.shape(one, hint.inside(str(number))))
            names.append(f"element {number}")
        if BROKEN in shapes:
            return BROKEN
        if plain:
            return ir.TupleShape(items=tuple(shapes))
        text = "a tuple whose length is not fixed is read as a list"
        self._notes.decide(closure.env.file, closure.position, text)
        return ir.ListShape(item=self._alternatives(closure, names, shapes))

    def _element(self, meaning: Meaning, closure: Closure) -> Closure:
        if isinstance(meaning, Closure) and isinstance(meaning.node, nodes.ArrayType):
            return meaning.at(meaning.node.item)
        if isinstance(meaning, Builtin) and meaning.name in {"Array", "ReadonlyArray"}:
            return meaning.argument()
        raise closure.refuse("a tuple in a tuple cannot be read", "write its elements out")

    def _union(self, closure: Closure, members: Sequence[Closure], hint: Hint) -> ir.TypeShape:
        hints = self._tagged(members, hint)
        shapes = [self.shape(member, one) for member, one in zip(members, hints, strict=True)]
        if BROKEN in shapes:
            return BROKEN
        return self._alternatives(closure, [_spelled(member) for member in members], shapes)

    def _alternatives(self, closure: Closure, names: Sequence[str], shapes: Sequence[ir.TypeShape]) -> ir.TypeShape:
        """One type of several."""
        if _ANY in [_inner(shape) for shape in shapes]:
            return _ANY
        null = any(shape == _NONE or isinstance(shape, ir.OptionalShape) for shape in shapes)
        kept = [(name, _inner(shape)) for name, shape in zip(names, shapes, strict=True) if shape != _NONE]
        if not kept:
            return _NONE
        kept = with_constants_together(kept)
        try:
            whole = kept[0][1] if len(kept) == 1 else unions.union([name for name, _ in kept], [one for _, one in kept])
        except UnsupportedTypeError as refused:
            held = any(ir.by_reference(one) for _, one in kept)
            raise closure.refuse(refused.reason, _CAPABILITY_HINT if held else _UNION_HINT) from refused
        return ir.OptionalShape(item=whole) if null and not isinstance(whole, ir.OptionalShape) else whole

    def _tagged(self, members: Sequence[Closure], hint: Hint) -> list[Hint]:
        """What the objects in a union may be called: by the constant that tells each from the others."""
        bare = [closure for closure in members if isinstance(closure.node, nodes.ObjectType | nodes.IntersectionType)]
        if len(bare) < 2:
            return [hint for _ in members]
        views = {id(closure): self._quietly(closure) for closure in bare}
        tag = tag_of([view for view in views.values() if view is not None], self.types)
        hints: list[Hint] = []
        for member in members:
            view = views.get(id(member))
            constant = constant_of(view, tag, self.types) if view is not None and tag is not None else None
            hints.append(hint if constant is None or tag is None else hint.inside(tag_name(tag, constant)))
        return hints

    def _quietly(self, closure: Closure) -> View | None:
        try:
            return self.types.view(closure)
        except RefusedTypeError:
            return None

    # ---- objects

    def _object(self, closure: Closure, hint: Hint) -> ir.TypeShape:
        several = self.types.distributed(closure)
        if several is not None:
            return self._union(closure, several, hint)
        branded = self._branded(closure)
        if branded is not None:
            return self.shape(branded, hint)
        view = self.types.view(closure)
        if view is None:
            raise closure.refuse("what this intersection comes to cannot be told", "write the type out")
        if view.is_error:
            return self._exception(closure, "Error")
        if view.calls and not view.slots:
            return self.function(view.calls[0], hint)
        plain = self._keyed(view, closure, hint)
        return plain or self._registry.anonymous(closure, view, hint)

    def _branded(self, closure: Closure) -> Closure | None:
        """What a type such as `string & { __brand: "Id" }` is made of."""
        if not isinstance(closure.node, nodes.IntersectionType):
            return None
        found = [closure.at(member) for member in closure.node.members]
        heads = [self.types.head(one) for one in found]
        plain = [
            one
            for one, head in zip(found, heads, strict=True)
            if isinstance(head, Closure) and isinstance(head.node, nodes.Keyword | nodes.Constant | nodes.Template)
        ]
        return plain[0] if len(plain) == 1 else None

    def _keyed(self, view: View, closure: Closure, hint: Hint) -> ir.TypeShape | None:
        """An object all of whose members have one type; None if it has others."""
        if view.index is None or view.slots:
            return self._constant_keys(view, closure, hint)
        key = ir.Scalar(name="str") if view.key is None else self._key(view.key, hint)
        value = self.shape(view.index, hint)
        return BROKEN if BROKEN in (key, value) else ir.DictShape(key=key, value=value)

    def _key(self, closure: Closure, hint: Hint) -> ir.TypeShape:
        shape = self.shape(closure, hint)
        if shape == ir.Scalar(name="float"):
            return ir.Scalar(name="int")
        if shape == _ANY:
            return ir.Scalar(name="str")
        if shape is not BROKEN and not keys.can_be_key(shape):
            raise closure.refuse("this cannot be the type of keys", "write string, or number")
        return shape

    def _constant_keys(self, view: View, closure: Closure, hint: Hint) -> ir.TypeShape | None:
        """Partial<Record<"a" | "b", T>>: a dictionary some of whose keys may be missing."""
        head = self.types.head(closure)
        if not isinstance(head, Builtin) or head.name != "Partial" or not view.slots:
            return None
        inner = self.types.head(head.argument())
        if not isinstance(inner, Builtin) or inner.name != "Record":
            return None
        key, value = self._key(inner.argument(0), hint), self.shape(inner.argument(1), hint)
        return BROKEN if BROKEN in (key, value) else ir.DictShape(key=key, value=value)

    # ---- functions

    def function(self, slot: Slot, hint: Hint) -> ir.TypeShape:
        """A function type. One that can be called with fewer arguments, or with any number, needs a name."""
        signature = slot.signature
        if signature is None:
            raise AssertionError("a function has a signature")
        place = Closure(nodes.FunctionType(slot.position, signature), slot.env)
        if signature.type_parameters:
            hint_text = "declare what it takes and gives: a function of its own for each type"
            raise place.refuse("a function with type parameters of its own cannot be read", hint_text)
        if _is_callback(place.node):
            return self._registry.callback(slot, hint)
        shapes: list[ir.TypeShape] = []
        for number, parameter in enumerate(signature.parameters, 1):
            if parameter.type is None:
                hint_text = "declare it, or use --tsc" if not self._options.tsc else "declare it"
                raise place.refuse(f"the type of the parameter {parameter.name or number} is not declared", hint_text)
            inner = hint.inside(part_name(parameter.name or str(number)))
            shapes.append(self.shape(place.at(parameter.type), inner))
        if signature.result is None:
            raise place.refuse("what this function gives is not declared", "declare it")
        result = self.result(place.at(signature.result), hint.inside("Result"))
        if BROKEN in (*shapes, result):
            return BROKEN
        return ir.CallableShape(parameters=tuple(shapes), result=result)

    # ---- names

    def _declared(self, declared: Declared, hint: Hint) -> ir.TypeShape:
        enum = enum_of(declared.group)
        if enum is not None:
            return self._enum(declared, enum)
        special = self._marked(declared, hint)
        if special is not None:
            return special
        body = declared.body
        if body is None or not {"interface", "model"}.isdisjoint(declared.group.first.doc.marks()):
            return self._nominal(declared)
        if "root" in declared.group.first.doc.marks():
            return self._registry.root(declared, lambda: self.shape(body, hint))
        first = self.types.step(body)
        if isinstance(first, Declared) and first.body is None and first.arguments and not declared.arguments:
            return self._nominal(first, called=declared)
        head = self.types.head(body)
        if isinstance(head, Closure) and isinstance(
            head.node, nodes.ObjectType | nodes.MappedType | nodes.IntersectionType
        ):
            if self.types.distributed(body) is None and self._branded(head) is None:
                return self._nominal(declared)
        elif isinstance(head, Builtin) and head.name in {"Partial", "Required", "Pick", "Omit", "Record"}:
            return self._nominal(declared)
        elif isinstance(head, Closure) and _is_callback(head.node):
            return self._registry.callback(self._slot(head, declared), hint, declared)
        if is_json(self.types, declared):
            return ir.Scalar(name="json")
        self._refuse_endless(declared)
        return self._aliased(declared, body, hint)

    def _refuse_endless(self, declared: Declared) -> None:
        """Refuse a type that is inside itself; a generic one may be so a few times, with other type arguments."""
        if self._inside.count(declared.group) > (_REPEATED if declared.arguments else 0):
            what = f"{declared.group.name} is made of itself"
            raise declared.written.refuse(what, "declare an interface for what repeats, or write unknown")

    def _aliased(self, declared: Declared, body: Closure, hint: Hint) -> ir.TypeShape:
        """What an alias stands for, which is no object."""
        name = self._alias_name(declared)
        given = "".join(shape_name(self.shape(one, hint)) for one in _given(declared))
        with self._reading(declared):
            shape = self.shape(body, Hint(name, name + given))
        if shape is not BROKEN:
            self._registry.alias(declared, shape)
        return shape

    @contextmanager
    def _reading(self, declared: Declared) -> Generator[None]:
        """While this lasts, a type is being read."""
        self._inside.append(declared.group)
        try:
            yield
        finally:
            self._inside.pop()

    def _alias_name(self, declared: Declared) -> str:
        return self._registry.reference(declared).name

    def _slot(self, closure: Closure, declared: Declared) -> Slot:
        """The function that an alias names."""
        signature = self.types.signature(closure)
        return Slot("", closure.position, closure.env, signature=signature, doc=declared.group.first.doc)

    def _marked(self, declared: Declared, hint: Hint) -> ir.TypeShape | None:
        """What a comment says of an alias: a type that TypeScript has no words for."""
        doc = declared.group.first.doc
        if not doc.marks():
            return None
        item = declared.body
        try:
            made = marked.special(doc.marks(), lambda: self._marked_item(declared, item, hint))
        except UnsupportedTypeError as refused:
            raise declared.written.refuse(refused.reason, _OPEN_HINT) from refused
        if made is None and "callback" in doc.marks() and item is not None:
            return self._registry.callback(self._slot(item, declared), hint, declared)
        if isinstance(made, ir.NewTypeShape):
            return made.model_copy(update={"new_type": self._registry.reference(declared)})
        return made

    def _marked_item(self, declared: Declared, item: Closure | None, hint: Hint) -> ir.TypeShape:
        """What is inside a type that a comment speaks of: of a generic alias, its type argument."""
        if declared.arguments:
            return self.shape(declared.arguments[0], hint)
        if item is None:
            return BROKEN
        return self.shape(item, hint)

    def _nominal(self, declared: Declared, called: Declared | None = None) -> ir.TypeShape:
        """An interface, a class, or an alias of an object. `called` is an alias that gives it a name."""
        view = self.types.view(declared.written)
        if view is None:
            raise declared.written.refuse(f"{declared.group.name} has no members that could be told", "write them out")
        name = declared.group.name
        if view.is_error:
            return self._exception(declared.written, name)
        if view.calls and not view.slots:
            call = _documented(view.calls[0], declared.group.first.doc)
            said = "callback" in call.doc.marks() or call.doc.throws or declared.group.file.syntax.generated
            if said or _is_callback(call):
                return self._registry.callback(call, Hint(name, name), declared)
            self._refuse_endless(declared)
            with self._reading(declared):
                return self.function(view.calls[0], Hint(self._alias_name(declared), self._alias_name(declared)))
        if view.is_class and not view.is_target:
            raise declared.written.refuse(
                f"{name} is a class that does not extend RpcTarget, whose instances cannot travel",
                "extend RpcTarget to pass it by reference, or declare an interface of its data",
            )
        if not self._registry.is_capability(declared, view):
            plain = self._keyed(view, declared.written, Hint(name, name))
            if plain is not None:
                return plain
        inner = Hint(self._alias_name(declared), self._alias_name(declared))
        arguments = tuple(
            self.shape(one, inner.inside(f"Argument{number}")) for number, one in enumerate(_given(declared), 1)
        )
        if BROKEN in arguments:
            return BROKEN
        if sum(1 for argument in arguments for _ in ir.walk(argument)) > 12 or any(
            len(shape_name(argument)) > 120 for argument in arguments
        ):
            raise declared.written.refuse(
                f"the type arguments of {name} go on without an end", "give the type in them a name of its own"
            )
        return self._registry.nominal(declared, view, arguments, called)

    def _exception(self, written: Closure, name: str) -> ir.TypeShape:
        self._notes.decide(written.env.file, written.position, f"{name}, by value, is read as Any: an exception")
        return _ANY

    def _enum(self, declared: Declared, enum: nodes.EnumDeclaration) -> ir.TypeShape:
        whole = self._registry.enum(declared, enum)
        if declared.member is None:
            return whole
        members = tuple(member for member in whole.members if member.name == declared.member)
        if not members:
            raise declared.written.refuse(f"{enum.name} has no member {declared.member}", "correct the name")
        return whole.model_copy(update={"members": members, "partial": True})

    # ---- what JavaScript and the RPC package have

    def _builtin(self, builtin: Builtin, hint: Hint) -> ir.TypeShape:
        name, written = builtin.name, builtin.written
        if name in SCALARS:
            return ir.Scalar(name=SCALARS[name])
        if name in BYTES:
            self._notes.decide(written.env.file, written.position, f"{name} is read as bytes, and sent as a Uint8Array")
            return ir.Scalar(name="bytes")
        if name in ERRORS:
            return self._exception(written, name)
        match name:
            case "Array":
                return self._list(builtin.argument(), hint)
            case "ReadonlyArray":
                inner = self.shape(builtin.argument(), hint)
                return inner if inner is BROKEN else ir.CollectionShape(container="tuple", item=inner)
            case "Readonly":
                return self._readonly(builtin, hint)
            case "ReadableStream" | "WritableStream":
                item = self.shape(builtin.argument(), hint) if builtin.arguments else _ANY
                made = ir.StreamShape if name == "ReadableStream" else ir.WritableShape
                return item if item is BROKEN else made(item=item)
            case "RpcStub":
                return self._stub(builtin, hint)
            case "RpcTarget":
                return ir.StubShape()
            case "InstanceType":
                return self._instance(builtin, hint)
            case _:
                return self._other(builtin, hint)

    def _other(self, builtin: Builtin, hint: Hint) -> ir.TypeShape:
        name, written = builtin.name, builtin.written
        if name in REFUSED:
            raise written.refuse(f"{name} cannot travel", REFUSED[name])
        if name in WRAPPERS:
            return self._shape(written.at(nodes.Keyword(written.position, WRAPPERS[name])), hint)
        if name in {"Partial", "Required", "Pick", "Omit", "Record"}:
            return self._applied(builtin, hint)
        made = self.types.computed(builtin)
        if made is None:
            raise written.refuse(f"{name} cannot be read", "write the type out")
        return self._shape(made, hint)

    def _applied(self, builtin: Builtin, hint: Hint) -> ir.TypeShape:
        """A utility type that makes an object of another."""
        written = builtin.written
        view = self.types.view(written)
        if view is None:
            raise written.refuse("the members of this type cannot be told", "write the type out")
        plain = self._keyed(view, written, hint)
        if plain is not None:
            return plain
        first = self.types.step(builtin.argument())
        if isinstance(first, Declared) and builtin.name in {"Partial", "Required"} and not first.arguments:
            name = f"{builtin.name}{self._registry.reference(first).name}"
            hint = Hint(name, name)
        return self._registry.anonymous(written, view, hint)

    def _readonly(self, builtin: Builtin, hint: Hint) -> ir.TypeShape:
        inner = self.shape(builtin.argument(), hint)
        return ir.CollectionShape(container="tuple", item=inner.item) if isinstance(inner, ir.ListShape) else inner

    def _stub(self, builtin: Builtin, hint: Hint) -> ir.TypeShape:
        """RpcStub<T>: a capability."""
        if not builtin.arguments:
            return ir.StubShape()
        inner = builtin.argument()
        head = self.types.head(inner)
        if isinstance(head, Closure) and (
            (isinstance(head.node, nodes.Keyword) and head.node.name in {"any", "unknown", "object"})
            or head.node == nodes.ObjectType(head.position, ())
        ):
            return ir.StubShape()
        shape = self.shape(inner, hint)
        if shape is BROKEN or ir.by_reference(shape):
            return shape
        if shape == _ANY:
            return ir.StubShape()
        raise builtin.written.refuse(
            "RpcStub<...> takes a type that travels by reference, and this one travels by value",
            "leave RpcStub out, or name an interface or a function in it",
        )

    def _instance(self, builtin: Builtin, hint: Hint) -> ir.TypeShape:
        inner = builtin.argument()
        if isinstance(inner.node, nodes.TypeOf):
            return self._shape(inner.at(nodes.Named(inner.position, inner.node.name)), hint)
        raise builtin.written.refuse("InstanceType cannot be read here", "name the class")


def _is_callback(function: Slot | nodes.TypeNode) -> bool:
    """Whether a function can be called with fewer arguments, or with any number."""
    signature = function.signature if isinstance(function, Slot | nodes.FunctionType) else None
    return signature is not None and any(one.optional or one.rest for one in signature.parameters)


def _documented(call: Slot, doc: nodes.Doc) -> Slot:
    """A function with what the comments on it and on what declares it say."""
    parameters, throws = (*doc.parameters, *call.doc.parameters), (*doc.throws, *call.doc.throws)
    return replace(call, doc=replace(doc, parameters=parameters, throws=throws, tags=(*doc.tags, *call.doc.tags)))


def _given(declared: Declared) -> list[Closure]:
    """The type arguments of a generic, defaults included."""
    return list(declared.env.bindings.values())


def _inner(shape: ir.TypeShape) -> ir.TypeShape:
    return shape.item if isinstance(shape, ir.OptionalShape) else shape


def _constant(closure: Closure, value: nodes.TypeValue) -> ir.TypeShape:
    if isinstance(value, float):
        raise closure.refuse(f"the constant {value} cannot be told from others exactly", "write number")
    return ir.LiteralShape(values=(value,))


def _spelled(closure: Closure) -> str:
    match closure.node:
        case nodes.Named(name=name) if not name.startswith("#"):
            return name
        case nodes.Keyword(name=name):
            return name
        case nodes.Constant(value=value):
            return repr(value)
        case nodes.ArrayType(item=item):
            return f"{_spelled(closure.at(item))}[]"
        case nodes.FunctionType():
            return "a function"
        case _:
            return "{...}"
