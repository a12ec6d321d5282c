"""How functions travel. Rule: a function is passed by reference, its arguments are checked before it runs, and what
arrives is a stub: a CallbackStub, or one of a generated class.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from capnweb_runtime.core.codecs import TypeCodec
from capnweb_runtime.core.compound import stub_of
from capnweb_runtime.core.devaluate import encode_ref
from capnweb_runtime.core.evaluate import Evaluator
from capnweb_runtime.core.hook import Exporter, Hook, PromiseRef, StubRef, Wire
from capnweb_runtime.core.interface import Method
from capnweb_runtime.core.target_hooks import function_hook


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
