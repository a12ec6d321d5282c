"""Functions, both ways: how they travel, and the stub of one of the peer's. Rule: one is passed by reference, its
arguments are checked before it runs, and what arrives is a stub: a CallbackStub, or one of a generated class.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, ParamSpec, Self, TypeVar

from capnweb_runtime.core.codecs import TypeCodec
from capnweb_runtime.core.compound import stub_of
from capnweb_runtime.core.devaluate import encode_ref
from capnweb_runtime.core.evaluate import Evaluator
from capnweb_runtime.core.hook import Exporter, Hook, Path, PromiseRef, StubRef, Wire
from capnweb_runtime.core.interface import Method
from capnweb_runtime.core.raises import Raises
from capnweb_runtime.core.target_hooks import function_hook
from capnweb_runtime.objects.stub import Calls, RpcPromise, RpcStub

R_co = TypeVar("R_co", covariant=True)
Params = ParamSpec("Params")


class CallbackStub(RpcStub, Generic[Params, R_co]):
    """A stub of a function of the peer: `await callback(...)` runs it there. Parameters and result are those that the
    schema declares.

    A method that is given one as an argument may call it until the method returns; `dup()` gives one to keep.
    """

    __slots__ = ("_method",)

    def __init__(self, hook: Hook, method: Method) -> None:
        super().__init__(hook)
        self._method = method

    def __call__(self, *args: Params.args, **kwargs: Params.kwargs) -> RpcPromise[R_co]:
        return CallbackStub.call_through(self._hook, (), self._method, args, kwargs)

    @staticmethod
    def call_through(
        hook: Hook, path: Path, method: Method, args: Any, kwargs: Any, raises: Raises | None = None
    ) -> RpcPromise[Any]:
        """Calls a function that has not arrived yet. For the runtime."""
        return _Caller(hook, path, raises)._call(method, *args, **kwargs)

    def dup(self) -> Self:
        """Makes a second stub for the same function, to be disposed by itself; it is still good after the method that
        was given the first one has returned.

        Raises:
            DisposedError: this stub has been disposed.
        """
        return self._owning(type(self)(self._second_hook(), self._method))


class _Caller(Calls):
    """Calls a function that a hook leads to."""

    __slots__ = ("_hook", "_path", "_raises")

    def _owner(self) -> tuple[str, str]:
        return CallbackStub.__name__, "it"

    def __init__(self, hook: Hook, path: Path, raises: Raises | None) -> None:
        self._hook = hook
        self._path = path
        self._raises = raises


class CallbackCodec(TypeCodec):
    """A function. What it is made of is asked for only when a value travels, so that it may be defined later.

    Parameters:
        method: gives how arguments and result travel; its name is empty.
        stub: gives what makes a stub of a hook.
        promise: gives the class of its promises.
    """

    pure = False

    def __init__(
        self,
        method: Callable[[], Method],
        stub: Callable[[], Callable[[Hook], StubRef]],
        promise: Callable[[], type[PromiseRef]],
    ) -> None:
        self._method = method
        self._stub = stub
        self.promise = promise

    @property
    def label(self) -> str:
        return "a function"

    @property
    def method(self) -> Method:
        """How arguments and result travel."""
        return self._method()

    def encode(self, value: Any, to: Exporter) -> Wire:
        if isinstance(value, (StubRef, PromiseRef)):
            return encode_ref(value, to)
        if callable(value):
            name = getattr(value, "__qualname__", type(value).__name__)
            return ["export", to.export_stub(function_hook(value, self.method, to.host, name))]
        return self.other(value, to)

    def decode(self, wire: Wire, source: Evaluator) -> Any:
        return stub_of(wire, source, self._stub, self)
