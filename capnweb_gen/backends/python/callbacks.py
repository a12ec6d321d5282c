"""Lowering callbacks: for each a stub and a promise that are called, and what may be passed for one.

Rule: what is passed is a function of anybody's, so that a name is asked of it only where a call may need it: a
parameter in front of which nothing can be omitted is always given by position.
"""

from __future__ import annotations

from collections.abc import Callable

from capnweb_gen import ir, naming
from capnweb_gen.backends.python import layout
from capnweb_gen.backends.python.calling import Calling
from capnweb_gen.backends.python.members import METHOD, class_doc, interface_doc, parameters
from capnweb_gen.backends.python.scope import Scope
from capnweb_gen.backends.python.spelling import Spelling
from capnweb_gen.backends.python.views import CallbackView, ClassView, FunctionView

CALL = "call"
"""What the table of a callback calls its only entry."""


class Callbacks:
    """Lowers the callbacks of one module."""

    def __init__(self, scope: Scope, spell: Spelling, calling: Calling) -> None:
        self._scope = scope
        self._spell = spell
        self._calling = calling

    def callback(self, callback: ir.Callback) -> CallbackView:
        """The classes made for a callback."""
        name, call = callback.name, called(callback)
        thing, phrase = naming.with_article(name), naming.one_with_article(name)
        spec = ClassView(
            header=f"class {name}Spec:",
            doc=class_doc(f"The parameters and the result of {thing}, on the wire."),
            assignments=(self._calling.entry(f"{CALL}: rpc.Method", call),),
        )
        calls = ClassView(
            header=f"class {name}Calls(rpc.Calls):",
            doc=interface_doc(callback, f"Calls {thing}."),
            functions=(self._calling.member(f"{name}Spec.{CALL}", call),),
        )
        stub = ClassView(
            header=layout.call(f"class {name}Stub", [f"{name}Calls", "rpc.RpcStub"], ":"),
            doc=class_doc(f"A reference to {thing}, a function: calls return promises, `dispose()` releases it."),
        )
        promise = ClassView(
            header=layout.call(f"class {name}Promise", [f"{name}Calls", f"rpc.RpcPromise[{name}R]"], ":"),
            doc=class_doc(f"{phrase} that may not have arrived yet; awaiting it gives {name}Stub."),
        )
        result = self._spell.given_by_function(call.result)
        passed = like(callback, f"{name}Like", self._scope, self._spell.awaited, result)
        return CallbackView(name, (spec, calls, stub, promise, passed))


def called(callback: ir.Callback) -> ir.Method:
    """The method by which a stub is called."""
    return callback.call.model_copy(update={"name": "__call__", "wire": ""})


def like(
    callback: ir.Callback,
    name: str,
    scope: Scope,
    taken: Callable[[ir.TypeShape], str],
    result: str,
) -> ClassView:
    """The Protocol of what may be passed for a callback.

    Args:
        callback: the callback.
        name: what the Protocol is called.
        scope: spells names.
        taken: spells the type of what a function is given for a parameter.
        result: what it may give.
    """
    call = called(callback)
    written = {
        parameter.name: f"{parameter.name}: {taken(parameter.type)}{' = ...' if parameter.default else ''}"
        for parameter in call.parameters
    }
    signature = layout.signature("__call__", parameters(_by_position(call), written), result, " ...", indent=METHOD)
    return ClassView(
        header=layout.call(f"class {name}", ["rpc.CallbackLike", scope.imported("typing", "Protocol")], ":"),
        doc=interface_doc(callback, f"What may be passed as {naming.with_article(callback.name)}."),
        functions=(FunctionView((), signature, None, None),),
    )


def _by_position(call: ir.Method) -> ir.Method:
    """The same with only those parameters named that are given by name when one before them is omitted."""
    found: list[ir.Parameter] = []
    omitted = False
    for parameter in call.parameters:
        always = parameter.passing == "positional" and not omitted
        found.append(parameter.model_copy(update={"passing": "positional_only"}) if always else parameter)
        omitted = omitted or parameter.default is not None
    return call.model_copy(update={"parameters": tuple(found)})
