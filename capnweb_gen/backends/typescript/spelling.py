"""How a type of a schema is spelled in TypeScript.

Rule: total over the IR. A capability that is held, which it is in a parameter, a model or a stream, is an `RpcStub<X>`,
for which callers may give an X as well; one that a call gives is an `X`, for which they get a stub.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from capnweb_gen import ir
from capnweb_gen.backends.typescript import aliases, names, text
from capnweb_gen.backends.typescript.scope import Scope


@dataclass(frozen=True)
class _Place:
    """Where a type stands.

    Attributes:
        held: whether capabilities are stubs there.
        within: the callback in whose signature it stands.
        whole: whether it is all of an alias, which it may name itself.
    """

    held: bool
    within: ir.Reference | None = None
    whole: bool = False


_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")


class Spelling:
    """Spells the types of one generated file."""

    def __init__(self, scope: Scope, *, validate: bool = False) -> None:
        """`validate` tells that results are checked: nothing is null where it comes from Python."""
        self._scope = scope
        self._nothing = "Promise<void | null>" if validate else "Promise<void>"

    def held(self, shape: ir.TypeShape, within: ir.Reference | None = None) -> str:
        """A type as it stands in a parameter, a model or a stream.

        Args:
            shape: the type.
            within: the callback whose signature this is part of. Functions that lead back to it are not spelled as
                stubs there, because a signature cannot be made of itself.
        """
        return self._spell(shape, _Place(True, within))

    def given(self, shape: ir.TypeShape, within: ir.Reference | None = None) -> str:
        """A type as the result of a call."""
        return self._spell(shape, _Place(False, within))

    def promised(self, shape: ir.TypeShape) -> str:
        """What a method gives."""
        return self._nothing if _is_none(shape) else f"Promise<{self.given(shape)}>"

    def answered(self, shape: ir.TypeShape, within: ir.Reference | None = None) -> str:
        """What a function gives, which whoever passes one may write with or without `async`."""
        spelled = "void" if _is_none(shape) else self.given(shape, within)
        spelled = _grouped(spelled, " => ")
        return f"{spelled} | Promise<{spelled}>"

    def whole(self, shape: ir.TypeShape) -> str:
        """A type as all of an alias. Dictionaries are written out there, because an alias that names itself as an
        argument of another one is an error.
        """
        return self._spell(shape, _Place(True, whole=True))

    def _spell(self, shape: ir.TypeShape, place: _Place) -> str:
        match shape:
            case ir.Scalar(name=name):
                return self._scope.alias(aliases.SCALARS[name]) if name in aliases.SCALARS else aliases.PLAIN[name]
            case ir.LiteralShape(values=values):
                return " | ".join(map(text.literal, values)) or "never"
            case ir.EnumShape():
                return self._enum(shape)
            case ir.NewTypeShape(new_type=reference) | ir.ModelShape(model=reference):
                return self._scope.named(reference)
            case ir.TextShape():
                return self._scope.alias(aliases.formatted(shape))
            case ir.SturdyRefShape(interface=reference):
                return f"{self._scope.alias(aliases.STURDY_REF)}<{self._scope.named(reference)}>"
            case ir.ConstrainedShape():
                return self._constrained(shape, place)
            case ir.Unsupported():
                raise AssertionError(f"{shape!r} cannot be spelled: check lets no such type through")
            case (
                ir.InterfaceShape()
                | ir.CallableShape()
                | ir.CallbackShape()
                | ir.StubShape()
                | ir.StreamShape()
                | ir.WritableShape()
            ):
                return self._capability(shape, place)
            case _:
                return self._compound(shape, place)

    def _compound(self, shape: ir.TypeShape, place: _Place) -> str:
        def inner(part: ir.TypeShape) -> str:
            return self._spell(part, place)

        match shape:
            case ir.ListShape(item=item):
                return f"{_element(inner(item))}[]"
            case ir.CollectionShape(container="tuple", item=item):
                return f"readonly {_element(inner(item))}[]"
            case ir.CollectionShape(container=container, item=item):
                alias = aliases.SET if container == "set" else aliases.FROZENSET
                return f"{self._scope.alias(alias)}<{inner(item)}>"
            case ir.TupleShape(items=items):
                return f"[{', '.join(map(inner, items))}]"
            case ir.DictShape(key=key, value=value) if place.whole:
                return self._written_out(key, inner(value))
            case ir.DictShape(key=key, value=value) if self._has_constant_keys(key):
                return f"Partial<Record<{self._key(key)}, {inner(value)}>>"
            case ir.DictShape(key=key, value=value):
                return f"Record<{self._key(key)}, {inner(value)}>"
            case ir.UnionShape(members=members):
                return " | ".join(_grouped(inner(member), " => ") for member in members)
            case ir.OptionalShape(item=item):
                return f"{_grouped(inner(item), ' => ')} | null"
            case ir.OpenShape(item=item):
                return f"{self._scope.alias(aliases.OPEN)}<{inner(item)}>"
            case _:
                raise AssertionError(f"no spelling for {shape!r}")

    def _written_out(self, key: ir.TypeShape, value: str) -> str:
        spelled = self._key(key)
        return (
            f"{{ [K in {spelled}]?: {value} }}" if self._has_constant_keys(key) else f"{{ [key: {spelled}]: {value} }}"
        )

    def _capability(self, shape: ir.TypeShape, place: _Place) -> str:
        held, within = place.held, place.within
        match shape:
            case ir.StreamShape(item=item):
                return f"ReadableStream<{self._spell(item, replace(place, held=True))}>"
            case ir.WritableShape(item=item):
                return f"WritableStream<{self._spell(item, replace(place, held=True))}>"
            case ir.StubShape():
                spelled = self._scope.alias(aliases.STUB)
            case ir.CallableShape():
                spelled = self._function(shape, within)
            case ir.CallbackShape(callback=reference):
                spelled = self._scope.named(reference)
                held = held and not (within and self._leads_to(reference, within))
            case ir.InterfaceShape(interface=reference):
                spelled = self._scope.named(reference)
            case _:
                raise AssertionError(f"{shape!r} is no capability")
        return f"{self._scope.runtime('RpcStub')}<{spelled}>" if held else spelled

    def _function(self, shape: ir.CallableShape, within: ir.Reference | None) -> str:
        count = len(shape.parameters)
        called = ["value"] if count == 1 else [*_ORDINALS, *(f"value{number}" for number in range(7, count + 1))]
        taken = (f"{name}: {self.held(part, within)}" for name, part in zip(called, shape.parameters, strict=False))
        return f"({', '.join(taken)}) => {self.answered(shape.result, within)}"

    def _enum(self, shape: ir.EnumShape) -> str:
        name = self._scope.named(shape.enum)
        if not shape.partial:
            return name
        return " | ".join(names.element(name, member.name) for member in shape.members)

    def _constrained(self, shape: ir.ConstrainedShape, place: _Place) -> str:
        large = aliases.is_large(shape)
        spelled = self._scope.alias(aliases.LARGE_INT) if large else self._spell(shape.item, place)
        if shape.model_dump(exclude={"kind", "item"}, exclude_none=True) == {}:
            return spelled
        return self._scope.alias(aliases.constrained(shape, _label(shape.item), spelled))

    def _key(self, key: ir.TypeShape) -> str:
        spelled = self.held(key)
        if isinstance(key, ir.ConstrainedShape) and aliases.is_large(key):
            return self.held(key.item)
        return spelled

    def _has_constant_keys(self, key: ir.TypeShape) -> bool:
        match key:
            case ir.ConstrainedShape(item=item) | ir.NewTypeShape(item=item) | ir.OpenShape(item=item):
                return self._has_constant_keys(item)
            case ir.UnionShape(members=members):
                return all(map(self._has_constant_keys, members))
            case ir.EnumShape(flag=flag):
                return not flag
            case _:
                return isinstance(key, ir.LiteralShape)

    def _leads_to(self, reference: ir.Reference, wanted: ir.Reference) -> bool:
        """Whether the signature of a callback names another one, or one whose signature does."""
        seen: set[ir.Reference] = set()
        waiting = [reference]
        while waiting:
            here = waiting.pop()
            if here == wanted:
                return True
            if here in seen:
                continue
            seen.add(here)
            home = self._scope.peers.get(here.module, self._scope.schema)
            for callback in home.callbacks:
                if callback.name == here.name:
                    types = [shape for part in ir.member_types(callback.call) for shape in ir.walk(part)]
                    waiting.extend(shape.callback for shape in types if isinstance(shape, ir.CallbackShape))
        return False


def _is_none(shape: ir.TypeShape) -> bool:
    return shape == ir.Scalar(name="none")


def _grouped(spelled: str, *separators: str) -> str:
    """In parentheses, if one of these would be read as part of what comes after."""
    loose = any(len(text.split(spelled, separator)) > 1 for separator in separators)
    return f"({spelled})" if loose else spelled


def _element(spelled: str) -> str:
    """As the element type of an array."""
    return f"({spelled})" if spelled.startswith(("readonly ", "typeof ")) else _grouped(spelled, " | ", " => ")


def _label(shape: ir.TypeShape) -> str:
    """What the name of an alias begins with that limits a type."""
    match shape:
        case ir.Scalar(name=name):
            alias = aliases.SCALARS.get(name)
            plain = aliases.PLAIN.get(name, name)
            return alias.name if alias else plain[0].upper() + plain[1:]
        case ir.TextShape(type=reference) | ir.NewTypeShape(new_type=reference) | ir.ModelShape(model=reference):
            return reference.name
        case ir.EnumShape(enum=reference):
            return reference.name
        case ir.OptionalShape(item=item) | ir.OpenShape(item=item) | ir.ConstrainedShape(item=item):
            return _label(item)
        case ir.DictShape():
            return "Dict"
        case ir.CollectionShape(container=container):
            return container.capitalize()
        case _:
            return shape.kind.capitalize()
