"""How plain functions travel. Rule: a function is passed by reference, its arguments are checked before it runs, and
what arrives is a CallbackStub.
"""

from __future__ import annotations

from typing import Any

from capnweb_runtime.core.codecs import TypeCodec
from capnweb_runtime.core.compound import stub_of
from capnweb_runtime.core.devaluate import encode_ref
from capnweb_runtime.core.evaluate import Evaluator
from capnweb_runtime.core.hook import Exporter, StubRef, Wire
from capnweb_runtime.core.interface import Method
from capnweb_runtime.core.target_hooks import FunctionHook
from capnweb_runtime.objects.any_stub import CallbackPromise
from capnweb_runtime.objects.stub import CallbackStub


class CallbackCodec(TypeCodec):
    """A callable with positional parameters.

    Parameters:
        method: how its arguments and its result travel; its name is empty.
    """

    pure = False

    @property
    def label(self) -> str:
        return "a function"

    promise = staticmethod(lambda: CallbackPromise)

    def __init__(self, method: Method) -> None:
        self.method = method

    def encode(self, value: Any, to: Exporter) -> Wire:
        if isinstance(value, StubRef):
            return encode_ref(value, to)
        if callable(value):
            name = getattr(value, "__qualname__", type(value).__name__)
            return ["export", to.export_stub(FunctionHook(value, self.method, to.host, name))]
        return self.other(value, to)

    def decode(self, wire: Wire, source: Evaluator) -> Any:
        return stub_of(wire, source, lambda: self._stub, self)

    def _stub(self, hook: Any) -> CallbackStub[..., Any]:
        return CallbackStub(hook, self.method)
