"""How a type of a schema is spelled in Python: as a codec, a promise, an argument, and a result.

Rule: one class, one method per place where a type can stand, each total over the IR. For `list[Profile]`:

    codec      LIST_PROFILE
    promise    rpc.ListPromise[Profile, ProfilePromise]                what a call gives
    awaited    list[Profile]                                           what awaiting gives; what a target is given
    argument   rpc.ListArg[Profile | rpc.RpcPromise[Profile]] | ...    what a caller may give
    given      Sequence[Profile]                                       what a target may return
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from capnweb_gen import ir, naming
from capnweb_gen.backends.python import layout, module_names
from capnweb_gen.backends.python.scope import Scope

LONGEST_NAME = 60

_COLLECTION_CODECS = {"set": "rpc.set_of", "frozenset": "rpc.frozenset_of", "tuple": "rpc.tuple_of_any"}
_COLLECTION_LABELS = {"set": "SET", "frozenset": "FROZENSET", "tuple": "TUPLE_OF_ANY"}
_ETC = {"set": "", "frozenset": "", "tuple": ", ..."}


class Spelling:
    """Spells the types of one generated module, and collects the codecs that they need."""

    def __init__(self, scope: Scope, taken: frozenset[str]) -> None:
        """`taken` are names that the module declares already."""
        self._scope = scope
        self._taken = set(taken)
        self._codecs: dict[str, str] = {}  # by the type's repr: as values, Literal[1] and Literal[True] are equal
        self._texts: list[str] = []

    @property
    def codecs(self) -> tuple[str, ...]:
        """The codecs spelled so far that the module has to declare: an assignment each, the parts before the whole."""
        return tuple(self._texts)

    # ---- codec

    def codec(self, shape: ir.TypeShape) -> str:
        """The name of the codec of a type."""
        match shape:
            case ir.Scalar():
                return f"rpc.{shape.name.upper()}"
            case ir.StubShape():
                return "rpc.STUB"
            case ir.SturdyRefShape():
                return "rpc.STURDY_REF"
            case ir.NewTypeShape(item=item):
                return self.codec(item)
            case (
                ir.ModelShape(model=reference)
                | ir.InterfaceShape(interface=reference)
                | ir.CallbackShape(callback=reference)
            ) if not self._scope.is_cyclic(reference):
                return self._scope.generated(reference, module_names.constant)
            case _:
                key = repr(shape)
                if key not in self._codecs:
                    function, arguments = self._codec_text(shape)
                    name = self._free_name(_label(shape))
                    self._codecs[key] = name
                    self._texts.append(layout.call(f"{name} = {function}", arguments))
                return self._codecs[key]

    def _codec_text(self, shape: ir.TypeShape) -> tuple[str, list[str]]:
        match shape:
            case ir.ListShape(item=item):
                return "rpc.list_of", [self.codec(item)]
            case ir.DictShape(value=value) if _has_plain_keys(shape):
                return "rpc.dict_of", [self.codec(value)]
            case ir.DictShape(key=key, value=value):
                return f"rpc.dict_by{'_number' if _is_number(key) else ''}", [self.codec(key), self.codec(value)]
            case ir.OptionalShape(item=item):
                return "rpc.optional", [self.codec(item)]
            case ir.TupleShape(items=items):
                return "rpc.tuple_of", [self.codec(item) for item in items]
            case ir.UnionShape():
                return self._union_text(shape)
            case ir.CollectionShape(container=container, item=item):
                return _COLLECTION_CODECS[container], [self.codec(item)]
            case ir.EnumShape(enum=reference, members=members, partial=True):
                return "rpc.members_of", [f"{self.named(reference)}.{member.name}" for member in members]
            case ir.EnumShape(enum=reference):
                return "rpc.enum_of", [self.named(reference)]
            case ir.TextShape(type=reference):
                return "rpc.format_of", [self.named(reference)]
            case ir.ConstrainedShape():
                return self._constrained_text(shape)
            case ir.StreamShape(item=item):
                return "rpc.stream_of", [self.codec(item)]
            case ir.WritableShape(item=item):
                return "rpc.writable_of", [self.codec(item)]
            case ir.LiteralShape(values=values):
                return "rpc.literal_of", [_constant(value) for value in values]
            case ir.CallableShape(parameters=parameters, result=result):
                return "rpc.callback", [self.codec(result), *(self.codec(parameter) for parameter in parameters)]
            case ir.ModelShape(model=reference):
                return self.model_codec(reference)
            case ir.InterfaceShape(interface=reference):
                return self.interface_codec(reference)
            case ir.CallbackShape(callback=reference):
                return self.callback_codec(reference)
            case _:
                raise AssertionError(f"no codec for {shape!r}: check lets no such type through")

    def _constrained_text(self, shape: ir.ConstrainedShape) -> tuple[str, list[str]]:
        limits = shape.model_dump(exclude={"kind", "item", "microseconds"}, exclude_none=True)
        spelled = (layout.string(limit) if isinstance(limit, str) else repr(limit) for limit in limits.values())
        if shape.microseconds is None:
            return "rpc.constrained", [self.codec(shape.item), *map("{}={}".format, limits, spelled)]
        handled = "rpc.datetime_of", [layout.string(shape.microseconds)]
        if not limits:
            return handled
        return "rpc.constrained", [f"{handled[0]}({handled[1][0]})", *map("{}={}".format, limits, spelled)]

    def _union_text(self, union: ir.UnionShape) -> tuple[str, list[str]]:
        models = tuple(member for member in union.members if isinstance(member, ir.ModelShape))
        if len(models) < 2:
            return "rpc.union_of", [self.codec(member) for member in sorted(union.members, key=_order_to_try)]
        if len(models) < len(union.members):
            others = sorted((member for member in union.members if member not in models), key=_order_to_try)
            return "rpc.union_of", [self.codec(member) for member in (ir.UnionShape(members=models), *others)]
        wire, tags = self._scope.tags(union)
        pairs = (f"({_constant(value)}, {self.codec(model)})" for value, model in tags)
        return "rpc.tagged_union", [layout.string(wire), *pairs]

    def model_codec(self, reference: ir.Reference) -> tuple[str, list[str]]:
        """The expression that makes a model's codec: what is called, and with what."""
        encode = self._scope.generated(reference, lambda name: f"encode_{naming.snake(name)}")
        decode = self._scope.generated(reference, lambda name: f"decode_{naming.snake(name)}")
        promise = self._scope.generated(reference, lambda name: f"{name}Promise")
        if self._scope.is_cyclic(reference):
            encode = f"lambda value, to: {encode}(value, to)"
            decode = f"lambda wire, source: {decode}(wire, source)"
        said = [] if self._scope.is_pure(reference) else ["pure=False"]
        secret = self._scope.secret_keys(reference)
        said += [f"secret={layout.strings(secret)}"] if secret else []
        function = "rpc.typed_dict" if self._scope.is_typed_dict(reference) else "rpc.model"
        return function, [self.model_class(reference), encode, decode, f"lambda: {promise}", *said]

    def interface_codec(self, reference: ir.Reference) -> tuple[str, list[str]]:
        """The expression that makes an interface's codec."""
        parts = (self.interface(reference, part) for part in ("Stub", "Promise", "Target"))
        return "rpc.interface", [f"lambda: {part}" for part in parts]

    def callback_codec(self, reference: ir.Reference) -> tuple[str, list[str]]:
        """The expression that makes a callback's codec."""
        parts = (self.interface(reference, part) for part in ("Stub", "Promise", "Spec.call"))
        return "rpc.declared_callback", [f"lambda: {part}" for part in parts]

    def _free_name(self, label: str) -> str:
        name, number = label, 2
        while name in self._taken:
            name, number = f"{label}_{number}", number + 1
        self._taken.add(name)
        return name

    def default(self, value: ir.DefaultValue, shape: ir.TypeShape) -> str:
        """The default of a parameter of a type, as an expression."""
        match shape:
            case ir.OptionalShape(item=item) | ir.ConstrainedShape(item=item):
                return "None" if value is None else self.default(value, item)
            case ir.NewTypeShape(new_type=reference, item=item):
                return f"{self.named(reference)}({self.default(value, item)})"
            case ir.EnumShape(enum=reference, members=members):
                name = next((member.name for member in members if _same(member.value, value)), None)
                spelled = self.named(reference)
                return f"{spelled}({value!r})" if name is None else f"{spelled}.{name}"
            case ir.UnionShape(members=members):
                enums = [member for member in members if isinstance(member, ir.EnumShape)]
                found = (one for one in enums if any(_same(member.value, value) for member in one.members))
                return self.default(value, next(found, ir.Scalar(name="any")))
            case _ if isinstance(value, ir.SpecialFloat):
                return f"{self._scope.builtin('float')}({layout.string(value.float)})"
            case _:
                return layout.string(value) if isinstance(value, str) else repr(value)

    def omitted(self, parameter: ir.Parameter) -> str:
        """The default of a parameter on the calling side: it is not sent, so that the other side's applies."""
        if parameter.default is None:
            return ""
        return f" = rpc.omitted({self.default(parameter.default.value, parameter.type)})"

    def deprecated(self, deprecation: ir.Deprecation | None) -> tuple[str, ...]:
        """The decorator that says so, if something is deprecated."""
        if deprecation is None:
            return ()
        arguments = [layout.string(deprecation.message)]
        if deprecation.category is None:
            arguments.append("category=None")
        elif deprecation.category != ir.Deprecation(message="").category:
            arguments.append(f"category={self._category(deprecation.category)}")
        if deprecation.stacklevel != 1:
            arguments.append(f"stacklevel={deprecation.stacklevel}")
        decorator = self._scope.imported("typing_extensions", "deprecated")
        return (layout.call(f"@{decorator}", arguments, indent=layout.STEP),)

    def _category(self, reference: ir.Reference) -> str:
        return self._scope.builtin(reference.name) if reference.module == "builtins" else self.named(reference)

    # ---- names

    def model(self, reference: ir.Reference) -> str:
        """The model itself, which the module of the schema declares, as it arrives."""
        return self._model_of(reference, self.awaited)

    def _model_of(self, reference: ir.Reference, spell: Callable[[ir.TypeShape], str]) -> str:
        generic = self._scope.generic(reference)
        if generic is None:
            return self._scope.imported(reference.module, reference.name)
        return f"{self.named(generic.origin)}[{', '.join(map(spell, generic.arguments))}]"

    def model_class(self, reference: ir.Reference) -> str:
        """The class that a model is at run time."""
        generic = self._scope.generic(reference)
        if generic is None or not self._scope.is_bare(reference):
            return self.model(reference)
        return self.named(generic.origin)

    def typed_model_class(self, reference: ir.Reference) -> str:
        """The class that a model is at run time, as an expression that type checkers know the type arguments of."""
        generic = self._scope.generic(reference)
        if not self._scope.is_bare(reference) or (generic and generic.by_default):
            return self.model_class(reference)
        cast = self._scope.imported("typing", "cast")
        return f"{cast}({layout.string(f'type[{self.model(reference)}]')}, {self.model_class(reference)})"

    def named(self, reference: ir.Reference) -> str:
        """An enum, a NewType, a class of texts or an interface itself, as some module declares it."""
        return self._scope.imported(reference.module, reference.name)

    def error(self, reference: ir.Reference) -> str:
        """An exception class, which is built in or declared by a module as well."""
        if reference.module == "builtins":
            return self._scope.builtin(reference.name)
        return self.named(reference)

    def interface(self, reference: ir.Reference, part: str) -> str:
        """One of the classes of an interface or a callback: its Stub, Promise, Target, Calls, Spec or Like."""
        return self._scope.generated(reference, lambda name: f"{name}{part}")

    # ---- promise

    def promise(self, shape: ir.TypeShape) -> str:
        """What a call or a property gives on the calling side."""
        match shape:
            case ir.ConstrainedShape(item=item):
                return self.promise(item)
            case ir.ModelShape(model=reference):
                return self._scope.generated(reference, lambda name: f"{name}Promise")
            case ir.InterfaceShape(interface=reference) | ir.CallbackShape(callback=reference):
                return self.interface(reference, "Promise")
            case ir.OptionalShape(item=item) if _is_promised_by_name(item):
                return self._optional_promise(item)
            case ir.ListShape(item=inner):
                return f"rpc.ListPromise[{self.awaited(inner)}, {self.promise(inner)}]"
            case ir.DictShape(value=inner) if _has_plain_keys(shape):
                return f"rpc.DictPromise[{self.awaited(inner)}, {self.promise(inner)}]"
            case ir.DictShape(key=key, value=inner):
                return f"rpc.KeyedPromise[{self.awaited(key)}, {self.awaited(inner)}, {self.promise(inner)}]"
            case ir.StreamShape(item=inner):
                return f"rpc.StreamPromise[{self.awaited(inner)}]"
            case ir.CallableShape():
                return f"rpc.CallbackPromise[{self._call_signature(shape)}]"
            case ir.StubShape():
                return "rpc.StubPromise"
            case ir.Scalar(name="any"):
                return "rpc.AnyPromise"
            case _:
                return f"rpc.RpcPromise[{self.awaited(shape)}]"

    def _optional_promise(self, item: ir.TypeShape) -> str:
        """The promise of what may be None: it has all that the promise of the thing itself has."""
        awaited = f"{self.awaited(item)} | None"
        promise = self.promise(item)
        return f"{promise[:-1]}, {awaited}]" if promise.endswith("]") else f"{promise}[{awaited}]"

    # ---- awaited

    def awaited(self, shape: ir.TypeShape) -> str:
        """What awaiting a promise gives, and what a target is called with: stubs for capabilities, lists, models."""
        container = self.container(shape, self.awaited)
        if container is not None:
            return container
        match shape:
            case ir.InterfaceShape(interface=reference) | ir.CallbackShape(callback=reference):
                return self.interface(reference, "Stub")
            case ir.StubShape():
                return "rpc.AnyStub"
            case ir.CallableShape():
                return self._callback_stub(shape)
            case ir.StreamShape(item=item):
                return f"rpc.ReadableStream[{self.awaited(item)}]"
            case ir.WritableShape(item=item):
                return f"rpc.WritableStream[{self.given(item)}]"
            case _:
                return self._leaf(shape)

    def container(self, shape: ir.TypeShape, inside: Callable[[ir.TypeShape], str]) -> str | None:
        """A type that is put together from others, in the very containers that arrive; None for any other.

        Args:
            inside: spells what is in it.
        """
        match shape:
            case ir.ConstrainedShape(item=item):
                return inside(item)
            case ir.ListShape(item=item):
                return f"{self._scope.builtin('list')}[{inside(item)}]"
            case ir.DictShape(key=key, value=value):
                return f"{self._scope.builtin('dict')}[{inside(key)}, {inside(value)}]"
            case ir.OptionalShape(item=item):
                return f"{inside(item)} | None"
            case ir.TupleShape(items=items):
                return f"{self._scope.builtin('tuple')}[{', '.join(map(inside, items))}]"
            case ir.CollectionShape(container=container, item=item):
                return f"{self._scope.builtin(container)}[{inside(item)}{_ETC[container]}]"
            case ir.UnionShape(members=members):
                return " | ".join(map(inside, members))
            case _:
                return None

    # ---- given

    def given(self, shape: ir.TypeShape) -> str:
        """What a target may return, and what a callback stub may be called with."""
        match shape:
            case ir.ConstrainedShape(item=item):
                return self.given(item)
            case ir.ListShape(item=item):
                return f"{self._scope.imported('collections.abc', 'Sequence')}[{self.given(item)}]"
            case ir.DictShape(key=key, value=value):
                mapping = self._scope.imported("collections.abc", "Mapping")
                return f"{mapping}[{self.given(key)}, {self.given(value)}]"
            case ir.OptionalShape(item=item):
                return f"{self.given(item)} | None"
            case ir.TupleShape(items=items):
                return f"{self._scope.builtin('tuple')}[{', '.join(map(self.given, items))}]"
            case ir.CollectionShape(container=container, item=item):
                return f"{self._collection(container)}[{self.given(item)}{_ETC[container]}]"
            case ir.UnionShape(members=members):
                return " | ".join(map(self.given, members))
            case _:
                return " | ".join(self._whole(shape))

    def _held(self, shape: ir.TypeShape) -> str:
        """What a type argument of a generic model is when the model is given: as awaited, but for capabilities."""
        container = self.container(shape, self._held)
        if container is not None:
            return container
        if ir.by_reference(shape) or isinstance(shape, ir.ModelShape):
            return " | ".join(self._whole(shape))
        return self.awaited(shape)

    def result(self, shape: ir.TypeShape) -> str:
        """What a method of a target gives: at once, or when it is awaited."""
        given = self.given(shape)
        if _is_any(shape):
            return given
        awaitable = f"{self._scope.imported('collections.abc', 'Awaitable')}[{given}]"
        if given == "None":
            return f"{awaitable} | None"
        if isinstance(shape, ir.OptionalShape):
            return f"{self.given(shape.item)} | {awaitable} | None"
        return f"{given} | {awaitable}"

    # ---- argument

    def argument(self, shape: ir.TypeShape) -> str:
        """What a caller may give: the value, or a promise for it."""
        promised = self._promised(shape)
        parts = [*self._values(shape), *([] if promised is None else [f"rpc.RpcPromise[{promised}]"])]
        if isinstance(shape, ir.OptionalShape) or "None" in parts:
            parts = [*(part for part in parts if part != "None"), "None"]
        return " | ".join(parts)

    def _values(self, shape: ir.TypeShape) -> list[str]:
        match shape:
            case ir.ConstrainedShape(item=item):
                return self._values(item)
            case ir.ListShape(item=item):
                return [f"rpc.ListArg[{self.argument(item)}]"]
            case ir.DictShape(key=key, value=value):
                mapping = self._scope.imported("collections.abc", "Mapping")
                return [f"{mapping}[{self.given(key)}, {self.argument(value)}]"]
            case ir.TupleShape(items=items):
                return [f"{self._scope.builtin('tuple')}[{', '.join(map(self.argument, items))}]"]
            case ir.CollectionShape(container="tuple", item=item):
                return [f"{self._scope.builtin('tuple')}[{self.argument(item)}, ...]"]
            case ir.UnionShape(members=members):
                return [part for member in members for part in self._values(member)]
            case ir.OptionalShape(item=item):
                return self._values(item)
            case _:
                return self._whole(shape)

    def _whole(self, shape: ir.TypeShape) -> list[str]:
        """What may be given for a type without parts that could be promised one by one."""
        match shape:
            case ir.InterfaceShape(interface=reference):
                return [self.interface(reference, "Target"), self.interface(reference, "Stub")]
            case ir.StubShape():
                anything = self._scope.imported("typing", "Any")
                function = f"{self._scope.imported('collections.abc', 'Callable')}[..., {anything}]"
                return ["rpc.RpcTarget", "rpc.RpcStub", function]
            case ir.CallableShape():
                return [self._callable(shape), self._callback_stub(shape)]
            case ir.CallbackShape(callback=reference):
                return [self.interface(reference, "Like")]  # which stubs and promises of it are, too
            case ir.StreamShape(item=item):
                return [f"{self._scope.imported('collections.abc', 'AsyncIterable')}[{self.given(item)}]"]
            case ir.WritableShape(item=item):
                return [f"rpc.WritableTarget[{self.awaited(item)}]", self.awaited(shape)]
            case ir.ModelShape(model=reference):
                return [self._model_of(reference, self._held)]
            case _:
                return [self._leaf(shape)]

    def _promised(self, shape: ir.TypeShape) -> str | None:
        """What a promise given as an argument is of, where a promise is not given as what it promises."""
        whole = shape.item if isinstance(shape, ir.OptionalShape) else shape
        match whole:
            case ir.StubShape():
                return self._scope.imported("typing", "Any")
            case ir.Scalar(name="any") | ir.WritableShape():
                return None
            case ir.CallableShape() | ir.CallbackShape() | ir.StreamShape():
                return None  # promises of these can be called and iterated themselves
            case _:
                return self.awaited(shape)

    def _collection(self, container: Literal["set", "frozenset", "tuple"]) -> str:
        """The type of what may be given for a collection: any kind of set for a set."""
        if container == "tuple":
            return self._scope.builtin("tuple")
        return self._scope.imported("collections.abc", "Set")

    # ---- parts

    def _callable(self, shape: ir.CallableShape) -> str:
        callable_ = self._scope.imported("collections.abc", "Callable")
        taken = ", ".join(self.awaited(parameter) for parameter in shape.parameters)
        return f"{callable_}[[{taken}], {self.given_by_function(shape.result)}]"

    def given_by_function(self, result: ir.TypeShape) -> str:
        """What a function that is passed may give; of no interest where nothing is expected."""
        return self._scope.builtin("object") if result == ir.Scalar(name="none") else self.result(result)

    def _callback_stub(self, shape: ir.CallableShape) -> str:
        return f"rpc.CallbackStub[{self._call_signature(shape)}]"

    def _call_signature(self, shape: ir.CallableShape) -> str:
        """The arguments of CallbackStub and CallbackPromise: what is taken, and what a call gives when awaited."""
        given = ", ".join(self.given(parameter) for parameter in shape.parameters)
        return f"[{given}], {self.awaited(shape.result)}"

    def _leaf(self, shape: ir.TypeShape) -> str:
        match shape:
            case ir.Scalar(name="none"):
                return "None"
            case ir.Scalar(name="any"):
                return self._scope.imported("typing", "Any")
            case ir.Scalar(name="json"):
                return self._scope.imported("pydantic", "JsonValue")
            case ir.Scalar(name="exact_datetime" | "local_datetime"):
                return self._scope.imported("datetime", "datetime")
            case ir.Scalar(name="datetime" | "date" | "time" | "timedelta" as name):
                return self._scope.imported("datetime", name)
            case ir.Scalar(name="decimal"):
                return self._scope.imported("decimal", "Decimal")
            case ir.Scalar(name="uuid"):
                return self._scope.imported("uuid", "UUID")
            case ir.EnumShape(enum=reference, members=members, partial=True):
                names = ", ".join(f"{self.named(reference)}.{member.name}" for member in members)
                return f"{self._scope.imported('typing', 'Literal')}[{names}]"
            case ir.EnumShape(enum=reference) | ir.NewTypeShape(new_type=reference) | ir.TextShape(type=reference):
                return self.named(reference)
            case ir.SturdyRefShape(interface=reference):
                return f"rpc.SturdyRef[{self.named(reference)}]"
            case ir.CollectionShape():
                return self.given(shape)
            case ir.Scalar(name="blob" | "url" | "headers" | "request" | "response" as name):
                return f"rpc.{name.capitalize()}"
            case ir.Scalar(name=name):
                return self._scope.builtin(name)
            case ir.LiteralShape(values=values):
                return f"{self._scope.imported('typing', 'Literal')}[{', '.join(map(_constant, values))}]"
            case ir.ModelShape(model=reference):
                return self.model(reference)
            case _:
                raise AssertionError(f"{shape!r} is not a leaf")


def _is_promised_by_name(shape: ir.TypeShape) -> bool:
    """Whether promises of a type have members of their own, and say by a last type parameter what they give."""
    return isinstance(shape, ir.ModelShape) or (ir.by_reference(shape) and not isinstance(shape, ir.WritableShape))


def _order_to_try(shape: ir.TypeShape) -> int:
    """The order in which the codecs of a union are tried: a NamedTuple could go as a list, and an int as a float."""
    match shape:
        case ir.ModelShape():
            return 0
        case ir.Scalar(name="float"):
            return 2
        case ir.NewTypeShape(item=item) | ir.ConstrainedShape(item=item):
            return _order_to_try(item)
        case _:
            return 1


def _has_plain_keys(shape: ir.DictShape) -> bool:
    return shape.key == ir.Scalar(name="str")


def _is_number(key: ir.TypeShape) -> bool:
    """Whether keys of a type are integers."""
    match key:
        case ir.NewTypeShape(item=item) | ir.ConstrainedShape(item=item):
            return _is_number(item)
        case ir.LiteralShape(values=values):
            return type(values[0]) is int
        case ir.EnumShape(members=members):
            return type(members[0].value) is int
        case _:
            return key == ir.Scalar(name="int")


def _same(constant: ir.LiteralValue, value: ir.DefaultValue) -> bool:
    return type(constant) is type(value) and constant == value


def _is_any(shape: ir.TypeShape) -> bool:
    return isinstance(shape, ir.Scalar) and shape.name == "any"


def _constant(value: ir.LiteralValue) -> str:
    return layout.string(value) if isinstance(value, str) else repr(value)


def _label(shape: ir.TypeShape) -> str:
    """A readable name for a codec: `LIST_PROFILE`, `CALL_INT_TO_STR`."""
    match shape:
        case ir.Scalar(name=name):
            return name.upper()
        case ir.ModelShape(model=reference) | ir.InterfaceShape(interface=reference):
            return module_names.constant(reference.name)
        case ir.CallbackShape(callback=reference):
            return module_names.constant(reference.name)
        case ir.EnumShape(enum=reference, members=members, partial=True):
            names = (module_names.constant(reference.name), *(member.name.upper() for member in members))
            return _short("_".join(names), names[0])
        case ir.TextShape(type=reference):
            return module_names.constant(reference.name.replace("IPv", "Ipv"))
        case ir.SturdyRefShape(interface=reference):
            return f"STURDY_{module_names.constant(reference.name)}"
        case ir.EnumShape(enum=reference) | ir.NewTypeShape(new_type=reference):
            return module_names.constant(reference.name)
        case ir.ConstrainedShape(item=item):
            return f"{_label(item)}_LIMITED"
        case ir.ListShape(item=item):
            return f"LIST_{_label(item)}"
        case ir.CollectionShape(container=container, item=item):
            return f"{_COLLECTION_LABELS[container]}_{_label(item)}"
        case ir.DictShape(value=value) if _has_plain_keys(shape):
            return f"DICT_{_label(value)}"
        case ir.DictShape(key=key, value=value):
            return f"DICT_{_label(key)}_TO_{_label(value)}"
        case ir.OptionalShape(item=item):
            return f"OPTIONAL_{_label(item)}"
        case ir.StubShape():
            return "STUB"
        case ir.StreamShape(item=item):
            return f"STREAM_{_label(item)}"
        case ir.WritableShape(item=item):
            return f"WRITABLE_{_label(item)}"
        case ir.TupleShape(items=items):
            return _short("_".join(["TUPLE", *map(_label, items)]), "TUPLE")
        case ir.UnionShape(members=members):
            return _short("_OR_".join(map(_label, members)), "UNION")
        case ir.LiteralShape(values=values):
            words = "_".join(re.sub(r"[^A-Z0-9]+", "_", str(value).upper()).strip("_") for value in values)
            return f"LITERAL_{words}".rstrip("_") if len(words) <= LONGEST_NAME else "LITERAL"
        case ir.CallableShape(parameters=parameters, result=result):
            taken = "_".join(["CALL", *map(_label, parameters)])
            given = "" if isinstance(result, ir.Scalar) and result.name == "none" else f"_TO_{_label(result)}"
            return _short(taken + given, "CALL")
        case ir.Unsupported():
            raise AssertionError(f"{shape!r} cannot be spelled: check lets no such type through")


def _short(label: str, otherwise: str) -> str:
    return label if len(label) <= LONGEST_NAME else otherwise
