"""The table of an interface: what its methods and properties are called on the wire and how their values travel.
Rule: nothing outside is reachable.

One table serves both ends: stubs encode arguments and decode results by it, targets are dispatched by it. How Python
signatures travel, which TypeScript peers rely on: positional parameters positionally, without trailing omitted ones;
one omitted in the middle is undefined; keyword-only ones as one last object by wire name, left out when empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, TypeVar

from capnweb_runtime.core.codecs import ANY, TypeCodec
from capnweb_runtime.core.devaluate import devaluate
from capnweb_runtime.core.evaluate import Evaluator
from capnweb_runtime.core.hook import UNDEFINED_WIRE, Codec, Exporter, Path, Wire
from capnweb_runtime.core.mismatch import Mismatch
from capnweb_runtime.core.raises import DeclaredError, Raises

T = TypeVar("T")


class Omitted:
    """Default value of an optional parameter on a stub: the argument is not sent, so that the server's default applies.

    Attributes:
        default: the default that the schema declares, for whoever reads the signature.
    """

    __slots__ = ("default",)

    def __init__(self, default: object) -> None:
        self.default = default

    def __repr__(self) -> str:
        return f"<omitted: {self.default!r}>"


def omitted(default: T) -> T:
    """Marks a parameter as omitted unless the caller passes it; to type checkers it is the default itself.

    Parameters:
        default: the default that the schema declares; the server applies its own.
    """
    mark: Any = Omitted(default)
    return mark  # type: ignore[no-any-return]  # the point of it: typed as the default, recognised by identity of its class


class Parameter:
    """One parameter of a method.

    Attributes:
        name: as Python calls it.
        wire: as keyword-only parameters are keyed on the wire.
        codec: how arguments for it travel.
        required: whether it has no default.
        keyword: whether it is keyword-only.
        variadic: whether it takes all further positional arguments.
        secret: whether no log may show what it is given.
    """

    __slots__ = ("codec", "keyword", "name", "required", "secret", "variadic", "wire")

    def __init__(
        self,
        name: str,
        codec: TypeCodec,
        required: bool = True,
        keyword: bool = False,
        wire: str | None = None,
        variadic: bool = False,
        secret: bool = False,
    ) -> None:
        self.variadic = variadic
        self.secret = secret
        self.name = name
        self.wire = name if wire is None else wire
        self.codec = codec
        self.required = required
        self.keyword = keyword


class Arguments(Codec):
    """Codec of the arguments of one method: a pair (positional, by keyword) ↔ the escaped array that a call carries,
    without its escape.

    Attributes:
        method: whose they are; None where that was not said.
    """

    method: Method | None = None

    def __init__(self, params: tuple[Parameter, ...]) -> None:
        self.positional = tuple(p for p in params if not p.keyword and not p.variadic)
        self.idempotent = False  # whether the call may be made twice: here, since this goes where the arguments go
        self.variadic = next((p for p in params if p.variadic), None)
        self.keyword = tuple(p for p in params if p.keyword)
        self.pure = all(p.codec.pure for p in params)
        # For a call with one argument for each parameter, in order: what is the same on the wire, and what converts it.
        in_order = all(p.required and not p.keyword and not p.variadic for p in params)
        codecs = [p.codec for p in params]
        self._to_send = tuple((_same_on_wire(c), c.encode) for c in codecs) if in_order else None
        self._to_read = tuple((c.exact, c.decode) for c in codecs) if in_order else None

    @property
    def label(self) -> str:
        return "arguments"

    def encode(self, value: Any, to: Exporter) -> list[Wire]:
        """The bare list of expressions for a pair (positional arguments, keyword arguments)."""
        args, kwargs = value
        params = self._to_send
        if params is None or kwargs or len(args) != len(params):
            return self._encode_any(args, kwargs, to)
        wire: list[Wire] = []
        try:
            for (same, encode), argument in zip(params, args, strict=True):
                wire.append(argument if type(argument) is same else encode(argument, to))
        except Mismatch as mismatch:
            raise mismatch.inside(self.positional[len(wire)].name) from None
        return wire

    def _encode_any(self, args: Sequence[Any], kwargs: Mapping[str, Any], to: Exporter) -> list[Wire]:
        """Arguments of which some are omitted, given by keyword, or variadic."""
        wire: list[Wire] = []
        given = len(args)
        for param in self.positional:
            index = len(wire)
            argument = args[index] if index < given else kwargs.get(param.name, _ABSENT)
            if type(argument) is Omitted or argument is _ABSENT:
                wire.append(UNDEFINED_WIRE)
            else:
                wire.append(_argument(param, param.codec.encode, argument, to))
        rest = self._rest(self.variadic, args[len(self.positional) :], to) if self.variadic is not None else []
        last = self._keywords(kwargs, to) if self.keyword else None
        if last:
            return [*wire, *rest, last]
        if rest and rest != _EMPTY_ARRAY:
            return [*wire, *rest]
        while wire and wire[-1] is UNDEFINED_WIRE:
            wire.pop()
        if self.keyword and self._ends_as_keywords(wire):
            wire.append({})
        return wire

    def _rest(self, param: Parameter, args: Sequence[Any], to: Exporter) -> list[Wire]:
        """The variadic arguments: spread, or as one array where keyword-only parameters follow."""
        wire = [_argument(param, param.codec.encode, argument, to) for argument in args]
        return [[wire]] if self.keyword else wire

    def _keywords(self, kwargs: Mapping[str, Any], to: Exporter) -> dict[str, Wire]:
        given = ((p, kwargs.get(p.name, _ABSENT)) for p in self.keyword)
        return {
            p.wire: _argument(p, p.codec.encode, v, to) for p, v in given if v is not _ABSENT and type(v) is not Omitted
        }

    def decode(self, wire: list[Wire], source: Evaluator) -> tuple[list[Any], dict[str, Any]]:
        """The pair (positional arguments, keyword arguments) with which to call a target."""
        params = self._to_read
        if params is None or len(wire) != len(params):
            return self._decode_any(wire, source)
        values: list[Any] = []
        try:
            for (same, decode), item in zip(params, wire, strict=True):
                values.append(item if type(item) is same else decode(item, source))
        except Mismatch as mismatch:
            raise mismatch.inside(self.positional[len(values)].name) from None
        return values, {}

    def _decode_any(self, wire: list[Wire], source: Evaluator) -> tuple[list[Any], dict[str, Any]]:
        """Arguments of which some may be omitted, keyword arguments, or variadic."""
        positional = self.positional
        count = len(wire)
        kwargs: dict[str, Any] = {}
        if self.keyword:
            kwargs, count = self._decode_keywords(wire, source)
        if count > len(positional) and self.variadic is None:
            raise Mismatch(f"at most {len(positional)} arguments", str(count))
        args: list[Any] = []
        for index, param in enumerate(positional):
            if index >= count or (not param.required and wire[index] == UNDEFINED_WIRE):
                if param.required:
                    raise Mismatch(param.codec.label, "nothing").inside(param.name)
                continue
            value = _argument(param, param.codec.decode, wire[index], source)
            if len(args) == index:
                args.append(value)
            else:  # an earlier one was omitted
                kwargs[param.name] = value
        if self.variadic is not None and count > len(positional):
            rest = self._decode_rest(self.variadic, wire[len(positional) : count], source)
            if rest and len(args) < len(positional):  # Python cannot be told to omit it: the rest would take its place
                omitted = positional[len(args)]
                raise Mismatch(omitted.codec.label, "nothing, with more arguments behind it").inside(omitted.name)
            args += rest
        return args, kwargs

    def _decode_rest(self, param: Parameter, wire: list[Wire], source: Evaluator) -> list[Any]:
        """The variadic arguments; see `_rest`."""
        if self.keyword:
            if len(wire) != 1 or type(wire[0]) is not list or len(wire[0]) != 1 or type(wire[0][0]) is not list:
                raise Mismatch("one array", "something else").inside(param.name)
            wire = wire[0][0]
        return [_argument(param, param.codec.decode, item, source) for item in wire]

    def _ends_as_keywords(self, wire: list[Wire]) -> bool:
        """Whether the last expression is read as the keyword arguments. An object given for an optional parameter would
        be too, which is why an empty one then follows it.
        """
        return bool(wire) and type(wire[-1]) is dict and len(wire) > sum(p.required for p in self.positional)

    def _decode_keywords(self, wire: list[Wire], source: Evaluator) -> tuple[dict[str, Any], int]:
        """The keyword arguments, and how many expressions are left for positional ones."""
        count = len(wire)
        has_object = self._ends_as_keywords(wire)
        given: dict[str, Wire] = wire[-1] if has_object else {}
        by_wire = {p.wire: p for p in self.keyword}
        kwargs: dict[str, Any] = {}
        for key, item in given.items():
            if key not in by_wire:
                raise Mismatch("one of the keywords " + ", ".join(by_wire), "an unknown one").inside(key)
            if item != UNDEFINED_WIRE:
                kwargs[by_wire[key].name] = _argument(by_wire[key], by_wire[key].codec.decode, item, source)
        for param in self.keyword:
            if param.required and param.name not in kwargs:
                raise Mismatch(param.codec.label, "nothing").inside(param.name)
        return kwargs, count - has_object


_ABSENT: Final = object()
_EMPTY_ARRAY: Final[list[Wire]] = [[[]]]


def _same_on_wire(codec: TypeCodec) -> type | None:
    """The class of arguments that are sent as they are, whatever their value."""
    return codec.exact if codec.exact in (str, bool) else None


def _argument(param: Parameter, convert: Any, value: Any, context: Any) -> Any:
    try:
        return convert(value, context)
    except Mismatch as mismatch:
        raise mismatch.inside(param.name) from None


def argument_error(mismatch: Mismatch) -> TypeError:
    """The TypeError for arguments that do not fit, naming the argument and the path inside it."""
    name, rest = mismatch.outermost()
    return rest.error(f"argument '{name}'", name) if name else rest.error("arguments")


class _AnyArguments(Codec):
    """Arguments of a function that no schema describes: any number of any values."""

    pure = False

    @property
    def label(self) -> str:
        return "arguments"

    def encode(self, value: Any, to: Exporter) -> list[Wire]:
        args, kwargs = value
        if kwargs:
            raise Mismatch(
                "positional arguments only, as no schema names the parameters", f"keyword {next(iter(kwargs))!r}"
            )
        wire: list[Wire] = []
        try:
            for item in args:
                wire.append(devaluate(item, to, to.depth))
        except Mismatch as mismatch:
            raise mismatch.inside(str(len(wire) + 1)) from None
        return wire

    def decode(self, wire: list[Wire], source: Evaluator) -> tuple[list[Any], dict[str, Any]]:
        return [source.value(item, source.depth) for item in wire], {}


class Method:
    """A method of an interface.

    Attributes:
        name: on the wire; empty for what is called itself.
        path: from the object to the method.
        params: codec of its arguments.
        result: codec of its result.
        raises: the exceptions that it declares.
        label: what messages call it: interface and name in Python.
        secret: whether no log may show its result.
        cost: what a call counts for, where costs are bounded.
        items: how many items its list is taken to have before that is known; None if nothing is assumed.
    """

    __slots__ = ("cost", "items", "label", "name", "params", "path", "raises", "result", "secret")

    def __init__(
        self,
        name: str,
        result: TypeCodec,
        params: Codec,
        raises: Raises | None = None,
        secret: bool = False,
        cost: int = 1,
        items: int | None = None,
    ) -> None:
        self.raises = raises
        self.cost = cost
        self.items = items
        self.secret = secret
        self.name = name
        self.label = name or "a function"
        self.path: Path = (name,) if name else ()
        self.params = params
        self.result = result


class CancellableMethod(Method):
    """A method whose calls are cancelled once nobody wants their results any more; see `core.cancelling`. It is told
    apart by its class, so that calls of other methods need not be asked.
    """

    __slots__ = ()


class Property:
    """A read-only property of an interface.

    Attributes:
        name: on the wire.
        path: from the object to the property.
        codec: how its value travels.
        raises: the exceptions that reading it declares.
        label: what messages call it: interface and name in Python.
        secret: whether no log may show its value.
        cost: what reading it counts for, where costs are bounded.
        items: as of a method.
    """

    __slots__ = ("codec", "cost", "items", "label", "name", "path", "raises", "secret")

    def __init__(
        self,
        name: str,
        codec: TypeCodec,
        raises: Raises | None = None,
        secret: bool = False,
        cost: int = 1,
        items: int | None = None,
    ) -> None:
        self.raises = raises
        self.cost = cost
        self.items = items
        self.secret = secret
        self.name = self.label = name
        self.codec = codec
        self.path = PropertyPath((), self)


class PropertyPath(tuple[str | int, ...]):
    """A path to a property, or to a part of its value, that knows whose it is. Otherwise it is a path like any other:
    what passes paths on need not know.

    Parameters:
        before: from the object that is asked to the one that has the property.
        member: the property.
        inside: from its value to the part.
    """

    _member: Property
    _inside: Path

    def __new__(cls, before: Path, member: Property, inside: Path = ()) -> PropertyPath:
        path = super().__new__(cls, (*before, member.name, *inside))
        path._member = member
        path._inside = inside
        return path

    def part(self, key: str | int) -> PropertyPath:
        """The path to a part of what this one leads to."""
        before = self[: len(self) - len(self._inside) - 1]
        return PropertyPath(before, self._member, (*self._inside, key))

    @property
    def raises(self) -> Raises | None:
        """The exceptions that reading the property declares."""
        return self._member.raises

    @property
    def label(self) -> str:
        """What messages call it: interface, property, and what is read of that."""
        return ".".join((self._member.label, *map(str, self._inside)))


ANY_METHOD: Final = Method("", ANY, _AnyArguments())
"""What a function is taken for that no schema describes."""


class Interface:
    """Base of generated tables: class attributes that are `Method` or `Property`, named as in Python; bases' tables
    are inherited.

    Attributes:
        rpc_members: name on the wire → (name in Python, member).
    """

    rpc_members: ClassVar[Mapping[str, tuple[str, Method | Property]]] = {}

    def __init_subclass__(cls) -> None:
        interface = cls.__name__.removesuffix("Spec")
        for name, member in vars(cls).items():
            if isinstance(member, (Method, Property)):
                member.label = f"{interface}.{name}"
        members: dict[str, tuple[str, Method | Property]] = {}
        for base in reversed(cls.__mro__):
            for name, member in vars(base).items():
                if isinstance(member, (Method, Property)):
                    members[member.name] = (name, member)
        cls.rpc_members = members


def method(
    name: str,
    result: TypeCodec,
    *params: Parameter,
    raises: Sequence[DeclaredError] = (),
    idempotent: bool = False,
    cancellable: bool = False,
    cost: int = 1,
    items: int | None = None,
    secret: bool = False,
) -> Method:
    """A method for an interface's table: its name on the wire, codec of its result, its parameters in order, the
    exceptions it may raise, whether calling it twice does what calling it once does, whether it may be cancelled, what
    a call costs, how many items it is taken to give, and whether its result is secret.
    """
    cls = CancellableMethod if cancellable else Method
    arguments = Arguments(params)
    arguments.idempotent = idempotent
    arguments.method = made = cls(name, result, arguments, Raises(raises) if raises else None, secret, cost, items)
    return made


def prop(
    name: str,
    codec: TypeCodec,
    *,
    raises: Sequence[DeclaredError] = (),
    cost: int = 1,
    items: int | None = None,
    secret: bool = False,
) -> Property:
    """A property for an interface's table: its name on the wire, codec of its value, the exceptions it may raise, what
    reading it costs, how many items it is taken to have, and whether its value is secret.
    """
    return Property(name, codec, Raises(raises) if raises else None, secret, cost, items)


def param(
    name: str,
    codec: TypeCodec,
    required: bool = True,
    keyword: bool = False,
    wire: str | None = None,
    variadic: bool = False,
    secret: bool = False,
) -> Parameter:
    """A parameter for `method`; see `Parameter`."""
    return Parameter(name, codec, required, keyword, wire, variadic, secret)
