"""What types come to: aliases followed, utility types applied, and the members that an object of a type has.

Rule: as much of TypeScript's type language as interfaces are written with. What would take its type checker is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from capnweb_gen.frontends.typescript import nodes
from capnweb_gen.frontends.typescript.files import Group
from capnweb_gen.frontends.typescript.known import ERRORS
from capnweb_gen.frontends.typescript.nodes import Doc, Signature
from capnweb_gen.frontends.typescript.scope import Builtin, Closure, Declared, Env, Meaning, RefusedTypeError, Scope
from capnweb_gen.ir import Position

_LONGEST = 60  # names that stand for names that stand for names
_MOST = 400  # members of a union that an intersection is multiplied out to
_DISPOSABLE = frozenset({"Disposable", "AsyncDisposable"})
_WRITE_OUT = "write the type out"


@dataclass(frozen=True, eq=False)
class Slot:
    """A member of an object: a property of a type, or a method with a signature; `env` is where either stands.

    `made_optional` tells that it may be left out because Partial says so. `others` are further signatures of it.
    """

    name: str
    position: Position
    env: Env
    type: nodes.TypeNode | None = None
    signature: Signature | None = None
    optional: bool = False
    made_optional: bool = False
    doc: Doc = nodes.NO_DOC
    member: nodes.Member | None = None
    others: int = 0

    @property
    def closure(self) -> Closure | None:
        """Its type; of a method, that of the function."""
        if self.signature is not None:
            return Closure(nodes.FunctionType(self.position, self.signature), self.env)
        return Closure(self.type, self.env) if self.type is not None else None


@dataclass(eq=False)
class View:
    """What an object of a type has. `index` is the type of other members, `key` that of their names; `is_target` tells
    that it extends RpcTarget, `is_error` that it extends Error, `skipped` what of a class is no part of it.
    """

    slots: dict[str, Slot] = field(default_factory=dict[str, Slot])
    index: Closure | None = None
    key: Closure | None = None
    calls: list[Slot] = field(default_factory=list[Slot])
    is_target: bool = False
    is_class: bool = False
    is_error: bool = False
    skipped: list[nodes.Member] = field(default_factory=list[nodes.Member])

    def add(self, other: View) -> None:
        """Take over what another has."""
        self.slots |= other.slots
        self.index, self.key = other.index or self.index, other.key or self.key
        self.calls += other.calls
        self.is_target |= other.is_target
        self.is_error |= other.is_error

    @property
    def has_methods(self) -> bool:
        """Whether one of its members is a method."""
        return any(slot.signature is not None for slot in self.slots.values())


class Types(Scope):
    """Says what types come to."""

    def head(self, closure: Closure) -> Meaning:
        """What a type is at last: behind all aliases, with what is computed of other types worked out.

        Raises:
            RefusedTypeError: it cannot be told.
        """
        for _ in range(_LONGEST):
            meaning = self.step(closure)
            if isinstance(meaning, Declared) and meaning.body is not None:
                closure = meaning.body
                continue
            computed = self.computed(meaning)
            if computed is None:
                return meaning
            closure = computed
        raise closure.refuse("this type stands for itself", _WRITE_OUT)

    def computed(self, meaning: Meaning) -> Closure | None:
        """The type that an operator or a utility type makes of others; None where it makes none."""
        if isinstance(meaning, Builtin):
            return self._utility(meaning)
        if not isinstance(meaning, Closure):
            return None
        match meaning.node:
            case nodes.Indexed(item=item, index=index):
                return self._indexed(meaning, meaning.at(item), meaning.at(index))
            case nodes.KeyOf():
                names = self.literals(meaning)
                return meaning.at(_union(meaning.position, [nodes.Constant(meaning.position, name) for name in names]))
            case nodes.TypeOf(name=name):
                return self._type_of(meaning, name)
            case nodes.UnionType(members=(only,)) | nodes.IntersectionType(members=(only,)):
                return meaning.at(only)
            case _:
                return None

    def _utility(self, builtin: Builtin) -> Closure | None:
        match builtin.name:
            case "NoInfer" | "Readonly" | "RpcPromise" | "RpcCompatible":
                if builtin.name == "Readonly" and self._is_array(builtin.argument()):
                    return None
                return builtin.argument()
            case "Promise" | "PromiseLike" | "Awaited":
                return builtin.argument()
            case "NonNullable":
                return self._without(builtin, lambda one: _is_keyword(one, "null", "undefined"))
            case "Exclude" | "Extract":
                others = [self._key_of(one) for one in self.alternatives(builtin.argument(1))]
                keep = builtin.name == "Extract"
                return self._without(builtin, lambda one: self._fits(one, others) is not keep)
            case "ReturnType":
                signature = self.signature(builtin.argument())
                if signature.result is None:
                    raise builtin.written.refuse("the result of this function is not declared", "declare it")
                return builtin.argument().at(signature.result)
            case "Parameters":
                function = self.head(builtin.argument())
                elements = [
                    nodes.Element(one.type or nodes.Keyword(one.position, "unknown"), one.optional, one.rest)
                    for one in self.signature(builtin.argument()).parameters
                ]
                place = function if isinstance(function, Closure) else builtin.argument()
                return place.at(nodes.TupleType(builtin.written.position, tuple(elements)))
            case _:
                return None

    def signature(self, closure: Closure) -> Signature:
        """The signature of a function type.

        Raises:
            RefusedTypeError: it is no function.
        """
        head = self.head(closure)
        if isinstance(head, Closure) and isinstance(head.node, nodes.FunctionType):
            return head.node.signature
        raise closure.refuse("this is no function whose type is written out", _WRITE_OUT)

    # ---- unions

    def alternatives(self, closure: Closure, depth: int = 0) -> list[Closure]:
        """The members of a union, also of those that its members are."""
        if depth > _LONGEST:
            raise closure.refuse("this type stands for itself", _WRITE_OUT)
        head = self.head(closure)
        if isinstance(head, Closure) and isinstance(head.node, nodes.UnionType):
            return [inner for member in head.node.members for inner in self.alternatives(head.at(member), depth + 1)]
        return [closure]

    def _without(self, builtin: Builtin, drop: Callable[[Meaning], bool]) -> Closure:
        kept = [one for one in self.alternatives(builtin.argument()) if not drop(self.head(one))]
        return _joined(builtin.written, kept, nodes.UnionType)

    def _key_of(self, closure: Closure) -> object:
        """Something that is equal for equal types, as far as unions are made smaller by it."""
        head = self.head(closure)
        if isinstance(head, Closure):
            match head.node:
                case nodes.Keyword(name=name):
                    return ("keyword", name)
                case nodes.Constant(value=value):
                    return ("constant", type(value), value)
                case _:
                    return head.node
        return head.group if isinstance(head, Declared) else head.name

    def _fits(self, one: Meaning, others: list[object]) -> bool:
        if isinstance(one, Closure):
            if isinstance(one.node, nodes.Constant):
                value = one.node.value
                kind = "boolean" if isinstance(value, bool) else "string" if isinstance(value, str) else "number"
                return ("keyword", kind) in others or ("constant", type(value), value) in others
            if isinstance(one.node, nodes.Keyword):
                return ("keyword", one.node.name) in others
            return one.node in others
        return (one.group if isinstance(one, Declared) else one.name) in others

    def may_be_undefined(self, closure: Closure) -> bool:
        """Whether undefined is one of the values of a type, written as such."""
        try:
            return any(_is_keyword(self.head(one), "undefined") for one in self.alternatives(closure))
        except RefusedTypeError:
            return False

    def literals(self, closure: Closure) -> list[str]:
        """The constants that a type consists of, as names of members.

        Raises:
            RefusedTypeError: it does not consist of constants alone.
        """
        if isinstance(closure.node, nodes.KeyOf):
            item = closure.at(closure.node.item)
            view = self.view(item)
            if view is None or view.index is not None:
                raise closure.refuse("the keys of this type are not written out", "write them as a union of strings")
            return list(view.slots)
        head = self.head(closure)
        if isinstance(head, Closure):
            match head.node:
                case nodes.Constant(value=value):
                    return [str(value)]
                case nodes.UnionType(members=members):
                    return [name for member in members for name in self.literals(head.at(member))]
                case nodes.Keyword(name="never"):
                    return []
                case _:
                    pass
        elif isinstance(head, Declared) and (enum := enum_of(head.group)) is not None:
            return [str(one.value) for one in enum.members if head.member in {None, one.name}]
        raise closure.refuse("this does not consist of constants alone", 'write a union such as "a" | "b"')

    def are_constants(self, closure: Closure) -> bool:
        """Whether a type consists of constants alone."""
        try:
            self.literals(closure)
        except RefusedTypeError:
            return False
        return True

    # ---- parts of types

    def _indexed(self, place: Closure, item: Closure, index: Closure) -> Closure:
        if self._is_array(item):
            return self._element(place, item, index)
        view = self.view(item)
        if view is None:
            raise place.refuse("the members of this type cannot be told", _WRITE_OUT)
        if view.index is not None and not self.are_constants(index):
            return view.index
        found: list[Closure] = []
        for name in self.literals(index):
            slot = view.slots.get(name)
            closure = slot.closure if slot else view.index
            if closure is None:
                raise index.refuse(f"it has no member {name} whose type is written", "correct the name")
            found.append(closure)
            if slot is not None and slot.optional:
                found.append(place.at(nodes.Keyword(place.position, "undefined")))
        return _joined(place, found, nodes.UnionType)

    def _element(self, place: Closure, item: Closure, index: Closure) -> Closure:
        """What is at a place in an array or a tuple."""
        head = self.head(item)
        if isinstance(head, Builtin):
            return head.argument()
        if isinstance(head, Closure) and isinstance(head.node, nodes.ArrayType):
            return head.at(head.node.item)
        if isinstance(head, Closure) and isinstance(head.node, nodes.TupleType):
            elements = [head.at(one.type) for one in head.node.items]
            if self.are_constants(index):
                places = [int(name) for name in self.literals(index) if name.isdecimal()]
                elements = [elements[number] for number in places if number < len(elements)]
            return _joined(place, elements, nodes.UnionType)
        raise place.refuse("the elements of this type cannot be told", _WRITE_OUT)

    def _is_array(self, closure: Closure) -> bool:
        head = self.head(closure)
        if isinstance(head, Builtin):
            return head.name in {"Array", "ReadonlyArray"}
        return isinstance(head, Closure) and isinstance(head.node, nodes.ArrayType | nodes.TupleType)

    def _type_of(self, place: Closure, name: str) -> Closure:
        first, *path = name.split(".")
        found = self.files.lookup(place.env.file, first, place.env.namespace)
        constants = (
            [one for one in found.declarations if isinstance(one, nodes.ConstDeclaration)]
            if isinstance(found, Group)
            else []
        )
        if not constants or not isinstance(found, Group):
            raise place.refuse(f"what {name} is can be told by TypeScript alone", "write its type out, or use --tsc")
        constant, env = constants[0], Env(found.file)
        if constant.type is not None:
            indexed = constant.type
            for part in path:
                indexed = nodes.Indexed(place.position, indexed, nodes.Constant(place.position, part))
            return Closure(indexed, env)
        value = constant.value
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        made = _type_of_value(place.position, value)
        if made is None:
            raise place.refuse(
                f"what {name} is can be told by TypeScript alone", "write its type out, or add `as const`"
            )
        return Closure(made, env)

    # ---- members

    def view(self, closure: Closure, depth: int = 0) -> View | None:
        """What an object of a type has; None if it is no object, or one of several.

        Raises:
            RefusedTypeError: its members cannot be told.
        """
        if depth > _LONGEST:
            raise closure.refuse("this type stands for itself", _WRITE_OUT)
        head = self.head(closure)
        if isinstance(head, Declared):
            return self._declared_view(head, depth)
        if isinstance(head, Builtin):
            return self._builtin_view(head, depth)
        match head.node:
            case nodes.ObjectType(members=members):
                return _view_of(members, head.env)
            case nodes.IntersectionType(members=members):
                whole = View()
                for member in members:
                    part = self.view(head.at(member), depth + 1)
                    if part is None:
                        return None
                    whole.add(part)
                return whole
            case nodes.MappedType():
                return self._mapped_view(head, head.node, depth)
            case _:
                return None

    def _declared_view(self, declared: Declared, depth: int) -> View | None:
        interfaces = [one for one in declared.group.declarations if isinstance(one, nodes.InterfaceDeclaration)]
        if not interfaces:
            return None
        whole = View()
        for base in self.bases(declared):
            inherited = self.view(base, depth + 1)
            if inherited is None:
                hint = "extend an interface or a class, or list the members"
                raise base.refuse("what this extends has no members that could be told", hint)
            whole.add(inherited)
        whole.add(self.own(declared))
        whole.is_class = any(one.is_class for one in interfaces)
        return whole

    def bases(self, declared: Declared) -> Iterator[Closure]:
        """What an interface or a class extends."""
        for declaration in declared.group.declarations:
            if isinstance(declaration, nodes.InterfaceDeclaration):
                yield from (Closure(base, declared.env) for base in declaration.bases)

    def own(self, declared: Declared) -> View:
        """What an interface or a class declares itself; parts of it may stand in several places."""
        whole = View()
        for declaration in declared.group.declarations:
            if not isinstance(declaration, nodes.InterfaceDeclaration):
                continue
            part = _view_of(declaration.members, declared.env, is_class=declaration.is_class)
            for name in part.slots.keys() & whole.slots.keys():
                earlier = whole.slots[name]
                part.slots[name] = replace(part.slots[name], others=part.slots[name].others + earlier.others + 1)
            whole.add(part)
            whole.skipped += part.skipped
        return whole

    def _builtin_view(self, builtin: Builtin, depth: int) -> View | None:
        match builtin.name:
            case "RpcTarget":
                return View(is_target=True)
            case name if name in ERRORS:
                text, env = nodes.Keyword(builtin.written.position, "string"), builtin.written.env
                return View({one: Slot(one, text.position, env, text) for one in ("name", "message")}, is_error=True)
            case name if name in _DISPOSABLE:
                return View()
            case "Partial" | "Required":
                inner = self.view(builtin.argument(), depth + 1)
                if inner is None:
                    return None
                optional = builtin.name == "Partial"
                slots = {
                    name: replace(slot, optional=optional, made_optional=optional) for name, slot in inner.slots.items()
                }
                return View(slots, inner.index, inner.key, inner.calls, inner.is_target)
            case "Readonly":
                return self.view(builtin.argument(), depth + 1)
            case "Pick" | "Omit":
                return self._picked(builtin, depth)
            case "Record" if self.are_constants(builtin.argument(0)):
                value, key = builtin.argument(1), builtin.argument(0)
                slots = {name: Slot(name, key.position, value.env, value.node) for name in self.literals(key)}
                return View(slots)
            case "Record":
                if _is_keyword(self.head(builtin.argument(1)), "never"):
                    return View()
                return View(index=builtin.argument(1), key=builtin.argument(0))
            case _:
                return None

    def _picked(self, builtin: Builtin, depth: int) -> View:
        inner = self.view(builtin.argument(0), depth + 1)
        if inner is None:
            raise builtin.argument(0).refuse("the members of this type cannot be told", _WRITE_OUT)
        names = self.literals(builtin.argument(1))
        if builtin.name == "Omit":
            slots = {name: slot for name, slot in inner.slots.items() if name not in names}
            return View(slots, inner.index, inner.key)
        missing = [name for name in names if name not in inner.slots]
        if missing:
            raise builtin.argument(1).refuse(f"there is no member {missing[0]} to pick", "correct the name")
        return View({name: inner.slots[name] for name in names})

    def _mapped_view(self, place: Closure, node: nodes.MappedType, depth: int) -> View:
        keys, optional = place.at(node.keys), node.optional
        source = self.view(place.at(node.keys.item), depth + 1) if isinstance(node.keys, nodes.KeyOf) else None
        if source is None and not self.are_constants(keys):
            return View(index=place.at(node.type), key=keys)
        whole = View()
        for name in self.literals(keys):
            known = source.slots.get(name) if source is not None else None
            same = known is not None and _is_same_member(node)
            made = bool(known.optional if known and optional is None else optional)
            constant = Closure(nodes.Constant(place.position, name), place.env)
            env = place.env.binding({**place.env.bindings, node.key: constant}, place.env.this)
            if known is not None and same:
                whole.slots[name] = replace(known, optional=made, made_optional=made and optional is True)
            else:
                position = known.position if known else keys.position
                doc = known.doc if known else nodes.NO_DOC
                whole.slots[name] = Slot(name, position, env, node.type, None, made, made and optional is True, doc)
        return whole

    def distributed(self, closure: Closure) -> list[Closure] | None:
        """The members of a union that an intersection comes to; None if it is no such intersection."""
        head = self.head(closure)
        if not isinstance(head, Closure) or not isinstance(head.node, nodes.IntersectionType):
            return None
        products: list[list[Closure]] = [[]]
        for member in head.node.members:
            parts = self.alternatives(head.at(member))
            products = [[*product, part] for product in products for part in parts]
            if len(products) > _MOST:
                raise closure.refuse(f"this comes to more than {_MOST} types", "write fewer of them")
        if len(products) == 1:
            return None
        return [_joined(head, product, nodes.IntersectionType) for product in products]


def enum_of(group: Group) -> nodes.EnumDeclaration | None:
    """The enum that a name is: one that is declared as such, in one place or several, or a constant object of which a
    type of the same name tells the values.
    """
    enums = [one for one in group.declarations if isinstance(one, nodes.EnumDeclaration)]
    if enums:
        return replace(enums[0], members=tuple(member for one in enums for member in one.members))
    constant = next((one for one in group.declarations if isinstance(one, nodes.ConstDeclaration)), None)
    alias = next((one for one in group.declarations if isinstance(one, nodes.AliasDeclaration)), None)
    if constant is None or alias is None or not isinstance(constant.value, dict) or not constant.value:
        return None
    item = nodes.TypeOf(alias.position, group.name.rpartition(".")[2])
    match alias.type:
        case nodes.Indexed(item=nodes.TypeOf(name=name), index=nodes.KeyOf(item=nodes.TypeOf(name=same))) if (
            name == same == item.name
        ):
            pass
        case _ if "flag" not in constant.doc.marks():
            return None
        case _:
            pass
    members: list[nodes.EnumMember] = []
    for key, value in constant.value.items():
        if not isinstance(value, int | str):
            return None
        members.append(nodes.EnumMember(key, value, constant.position))
    doc = alias.doc if alias.doc.text else constant.doc
    doc = replace(doc, tags=(*alias.doc.tags, *constant.doc.tags))
    return nodes.EnumDeclaration(group.name, constant.position, doc, alias.exported, tuple(members))


def _is_keyword(meaning: Meaning, *names: str) -> bool:
    return isinstance(meaning, Closure) and isinstance(meaning.node, nodes.Keyword) and meaning.node.name in names


def _is_same_member(node: nodes.MappedType) -> bool:
    """Whether a mapped type gives each member of a type as it is: { [K in keyof T]: T[K] }."""
    match node:
        case nodes.MappedType(
            key=key,
            keys=nodes.KeyOf(item=nodes.Named(name=of, arguments=())),
            type=nodes.Indexed(item=nodes.Named(name=item, arguments=()), index=nodes.Named(name=index, arguments=())),
        ):
            return of == item and index == key
        case _:
            return False


def _view_of(members: tuple[nodes.Member, ...], env: Env, *, is_class: bool = False) -> View:
    """What is listed between braces. Of a class, only public methods and getters can be reached."""
    view = View(is_class=is_class)
    for member in members:
        if is_class and (skipped := _is_out_of_reach(member)) is not None:
            if skipped:
                view.skipped.append(member)
            continue
        match member.kind:
            case "property" | "getter" | "method" if member.name is not None:
                _add(view, member, env)
            case "call" if member.signature is not None:
                view.calls.append(
                    Slot("", member.position, env, signature=member.signature, doc=member.doc, member=member)
                )
            case "index" if member.type is not None:
                view.index = Closure(member.type, env)
                view.key = Closure(member.key, env) if member.key is not None else None
            case "construct" | "setter":
                view.skipped.append(member)
            case _:
                pass
    return view


def _is_out_of_reach(member: nodes.Member) -> bool | None:
    """Whether peers cannot reach a member of a class, and whether that is worth telling; None if they can."""
    if member.kind in {"constructor", "index"}:
        return False
    if member.static or member.access != "public" or member.kind in {"property", "setter"}:
        return not (member.name or "").startswith("#") and not (member.access != "public" and member.kind == "property")
    return None


def _add(view: View, member: nodes.Member, env: Env) -> None:
    name = member.name or ""
    earlier = view.slots.get(name)
    if member.kind == "method":
        # The implementation of an overloaded method is none of its signatures.
        others = earlier.others + 1 if earlier and earlier.signature is not None else 0
        view.slots[name] = Slot(
            name,
            earlier.position if earlier else member.position,
            env,
            signature=member.signature,
            optional=member.optional,
            doc=earlier.doc if earlier and earlier.doc.text else member.doc,
            member=member,
            others=others,
        )
        return
    declared = member.type
    if member.kind == "getter" and member.signature is not None:
        declared = member.signature.result
    view.slots[name] = Slot(
        name, member.position, env, type=declared, optional=member.optional, doc=member.doc, member=member
    )


def _union(position: Position, members: list[nodes.TypeNode]) -> nodes.TypeNode:
    return nodes.UnionType(position, tuple(members)) if members else nodes.Keyword(position, "never")


def _joined(
    place: Closure, parts: list[Closure], made: type[nodes.UnionType] | type[nodes.IntersectionType]
) -> Closure:
    """One type of several that stand in different places."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return place.at(nodes.Keyword(place.position, "never"))
    names = [f"#{index}" for index in range(len(parts))]
    members = tuple(nodes.Named(part.position, name) for part, name in zip(parts, names, strict=True))
    bindings = {**place.env.bindings, **dict(zip(names, parts, strict=True))}
    return Closure(made(place.position, members), place.env.binding(bindings, place.env.this))


def _type_of_value(position: Position, value: nodes.ConstValue) -> nodes.TypeNode | None:
    if value is None:
        return None
    if isinstance(value, dict):
        members = [
            nodes.Member("property", position, name, type=made)
            for name, inner in value.items()
            if (made := _type_of_value(position, inner)) is not None
        ]
        return nodes.ObjectType(position, tuple(members))
    if isinstance(value, list):
        items = [made for inner in value if (made := _type_of_value(position, inner)) is not None]
        return nodes.TupleType(position, tuple(nodes.Element(item) for item in items))
    return nodes.Constant(position, value)
