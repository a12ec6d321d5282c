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
"""A name, as "search"; or a path of names and indices, as ("profile", "tags", 0)."""


class AnyCalls(Calls):
    """Calls by name."""

    __slots__ = ()

    def call(self, name: Names, /, *args: Any) -> AnyPromise:
        """Calls a method by name.

        Parameters:
            name: name of the method as the peer has it on the wire, as "getProfile"; or a path to it, a tuple of names.
            args: its arguments: any values that can travel, stubs, targets, functions and promises.

        Returns:
            The promise of the result.

        Raises:
            TypeError: an argument cannot travel; nothing has been sent.
        """
        return self.get(name)(*args)

    def get(self, name: Names, /) -> AnyPromise:
        """Gives the promise of a property. It is read when the promise is awaited or used.

        Parameters:
            name: name of the property as the peer has it on the wire; or a path to it, a tuple of names and indices.
        """
        path = (name,) if isinstance(name, str) else name
        return AnyPromise(self._hook, (*self._path, *path), ANY, self, self._raises)

    def __call__(self, *args: Any) -> AnyPromise:
        """Calls this itself, where it stands for a function.

        Parameters:
            args: as for `call`.
        """
        promise: AnyPromise = self._call(_ANY_METHOD, *args)
        promise._asked = Property(".".join(map(str, self._path)) or "a function", ANY)  # for messages
        return promise

    def _owner(self) -> tuple[str, str]:
        parent = getattr(self, "_parent", None)  # of a promise that stands for a member only
        return parent._owner() if isinstance(parent, AnyCalls) else super()._owner()


class AnyStub(AnyCalls, RpcStub):
    """A stub of an object without a schema: methods and properties are given by name, and nothing is checked on this
    side. Results are plain values.
    """

    __slots__ = ()


class AnyPromise(AnyCalls, RpcPromise[Any]):
    """The promise of a result without a schema: a plain value, or an `AnyStub` for an object. It can be called and read
    before it has arrived, as an `AnyStub` can.
    """

    __slots__ = ()

    def map(self, function: Callable[[AnyPromise], Any]) -> AnyPromise:
        """Applies a function to each item of the list that is promised, on the side where the list is, in the same
        round trip; `docs/promises.md` says what the function may do.

        Parameters:
            function: plain function that is called once, here, with a placeholder for an item, and returns promises.

        Returns:
            The promise of the list of results.

        Raises:
            TypeError: the function is async, or does what cannot be recorded.
        """
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
    """Tells type checkers that a field of a model that has arrived holds a stub. The schema declares such a field by
    its interface, which says nothing of stubs.

    Parameters:
        held: what the field holds.
        cls: class of stubs that it should be an instance of.

    Returns:
        `held` itself.

    Raises:
        TypeError: `held` is no instance of `cls`.
    """
    if not isinstance(held, cls):
        raise TypeError(f"expected {cls.__name__}, got {type(held).__name__}")
    return held


def unwrap(stub: RpcStub, cls: type[T]) -> T | None:
    """Gives the object behind a stub, if it is an object of this process that was passed to a peer and has come back.

    Parameters:
        stub: the stub, as it arrived in an argument or a result.
        cls: class of targets that the object should be an instance of.

    Returns:
        The object; None if it belongs to the peer, or is of another class.
    """
    hook: Hook = stub._hook
    target = hook.target if isinstance(hook, TargetHook) else None
    return target if isinstance(target, cls) else None
