"""Stubs and promises that no schema describes. Rule: names are given as text, nothing is checked on this side,
results are plain values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Generic, ParamSpec, TypeVar

from capnweb_runtime.core.codecs import ANY, TypeCodec
from capnweb_runtime.core.compound import stub_of
from capnweb_runtime.core.devaluate import devaluate
from capnweb_runtime.core.evaluate import Evaluator
from capnweb_runtime.core.hook import Exporter, Hook, PromiseRef, StubRef, Wire
from capnweb_runtime.core.interface import ANY_METHOD, Method, Property
from capnweb_runtime.core.refs import Exportable
from capnweb_runtime.core.target_hooks import TargetHook
from capnweb_runtime.objects import variables
from capnweb_runtime.objects.callbacks import CallbackStub
from capnweb_runtime.objects.stub import Calls, RpcPromise, RpcStub, map_over

T = TypeVar("T")
R = TypeVar("R")
S = TypeVar("S", bound=RpcStub)
Params = ParamSpec("Params")

Names = str | tuple[str | int, ...]
"""A name, or the names and indices that lead to something."""


class AnyCalls(Calls):
    """Calls by name."""

    __slots__ = ()

    def call(self, name: Names, /, *args: Any) -> AnyPromise:
        """Calls a method.

        Parameters:
            name: of the method on the wire, or the path to it.
            args: any serializable values, capabilities and promises.

        Returns:
            The promise of its result.
        """
        return self.get(name)(*args)

    def get(self, name: Names, /) -> AnyPromise:
        """The promise of a property; see `call`."""
        path = (name,) if isinstance(name, str) else name
        return AnyPromise(self._hook, (*self._path, *path), ANY, self, self._raises)

    def __call__(self, *args: Any) -> AnyPromise:
        """Calls what this stands for, as a function."""
        promise: AnyPromise = self._call(_ANY_METHOD, *args)
        promise._asked = Property(".".join(map(str, self._path)) or "a function", ANY)  # for messages
        return promise

    def _owner(self) -> tuple[str, str]:
        parent = getattr(self, "_parent", None)  # of a promise that stands for a member only
        return parent._owner() if isinstance(parent, AnyCalls) else super()._owner()


class AnyStub(AnyCalls, RpcStub):
    """A capability of which no schema says what it can do."""

    __slots__ = ()


class AnyPromise(AnyCalls, RpcPromise[Any]):
    """A result of which no schema says what it is."""

    __slots__ = ()

    def map(self, function: Callable[[AnyPromise], Any]) -> AnyPromise:
        """Applies a function to each item of the list that this stands for, where it is; see `ListPromise.map`."""
        return map_over(self, function, _ANY, _ANY)

    def __getitem__(self, key: str | int) -> AnyPromise:
        """The promise of an item."""
        return self.get((key,))


StubR = variables.TypeVar("StubR", covariant=True, default=AnyStub)


class StubPromise(AnyCalls, RpcPromise[StubR]):
    """A capability that may not have arrived, of which no schema says what it can do.

    Type parameter: what awaiting it gives, where that is not always a stub.
    """

    __slots__ = ()


CallbackR = variables.TypeVar("CallbackR", covariant=True, default="CallbackStub[Params, R]")


class CallbackPromise(RpcPromise[CallbackR], Generic[Params, R, CallbackR]):
    """A function that may not have arrived: it can be called already.

    Type parameters: what it takes, what a call gives; what awaiting it gives, where that is not always a stub.
    """

    __slots__ = ()

    def __call__(self, *args: Params.args, **kwargs: Params.kwargs) -> RpcPromise[R]:
        codec = getattr(self._codec, "item", self._codec)  # of a function that may be None, too
        method: Method = getattr(codec, "method", ANY_METHOD)
        return CallbackStub[Params, R].call_through(self._hook, self._path, method, args, kwargs, self._raises)


class _AnyCodec(TypeCodec):
    """Any value, with `AnyPromise` for one that has not arrived."""

    pure = False
    passes = True
    promise = staticmethod(lambda: AnyPromise)

    @property
    def label(self) -> str:
        return ANY.label

    def encode(self, value: Any, to: Exporter) -> Wire:
        return ANY.encode(value, to)

    def decode(self, wire: Wire, source: Evaluator) -> Any:
        return ANY.decode(wire, source)


class _StubCodec(TypeCodec):
    """Any capability."""

    pure = False
    promise = staticmethod(lambda: StubPromise)

    @property
    def label(self) -> str:
        return "a capability"

    def encode(self, value: Any, to: Exporter) -> Wire:
        if isinstance(value, (Exportable, StubRef)) or (callable(value) and not isinstance(value, (PromiseRef, type))):
            return devaluate(value, to, to.depth)
        return self.other(value, to)

    def decode(self, wire: Wire, source: Evaluator) -> Any:
        return stub_of(wire, source, lambda: AnyStub, self)


_ANY: Final = _AnyCodec()
_ANY_METHOD: Final = Method("", _ANY, ANY_METHOD.params)
ANY_VALUE: Final = _ANY
ANY_CAPABILITY: Final = _StubCodec()


def as_stub(held: object, cls: type[S]) -> S:
    """The stub that a field holds whose type is an interface of the schema, for type checkers to know it as one.

    Parameters:
        held: what the field of a model holds that arrived.
        cls: the stub's class.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(held, cls):
        raise TypeError(f"expected {cls.__name__}, got {type(held).__name__}")
    return held


def unwrap(stub: RpcStub, cls: type[T]) -> T | None:
    """The local object behind a stub, if it is one of ours that came home.

    Parameters:
        stub: as it arrived.
        cls: class of the object.

    Returns:
        The object, or None if the stub refers to something of the peer's or of another class.
    """
    hook: Hook = stub._hook
    target = hook.target if isinstance(hook, TargetHook) else None
    return target if isinstance(target, cls) else None
