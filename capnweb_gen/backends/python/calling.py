"""Lowering the calling side of members, which interfaces and callbacks share: how each stands in a table, and what
stubs and promises have for it.

Rule: one line of the body does the call, by the entry of the table.
"""

from __future__ import annotations

from capnweb_gen import ir
from capnweb_gen.backends.python import layout, module_names
from capnweb_gen.backends.python.members import BODY, METHOD, doc, parameters, passed
from capnweb_gen.backends.python.scope import Scope
from capnweb_gen.backends.python.spelling import Spelling
from capnweb_gen.backends.python.views import FunctionView


class Calling:
    """Lowers the members of one module to what is called."""

    def __init__(self, schema: ir.Schema, scope: Scope, spell: Spelling) -> None:
        self._schema = schema
        self._scope = scope
        self._spell = spell

    def entry(self, name: str, member: ir.Method | ir.Property) -> str:
        """The assignment by which a table has a member, under a name."""
        wire = layout.string(member.wire)
        if isinstance(member, ir.Property):
            arguments = [wire, self._spell.codec(member.type), *_raises(member), *_cost(member), *_secret(member)]
            return layout.call(f"{name} = rpc.prop", arguments, indent=METHOD)
        written = [self._parameter(parameter) for parameter in member.parameters]
        arguments = [wire, self._spell.codec(member.result), *written, *_raises(member)]
        if member.idempotent:
            arguments.append("idempotent=True")
        if member.cancellable:
            arguments.append("cancellable=True")
        arguments += [*_cost(member), *_secret(member)]
        return layout.call(f"{name} = rpc.method", arguments, indent=METHOD)

    def _parameter(self, parameter: ir.Parameter) -> str:
        arguments = [layout.string(parameter.name), self._spell.codec(parameter.type)]
        if parameter.default is not None:
            arguments.append("required=False")
        if parameter.passing == "variadic":
            arguments.append("variadic=True")
        if parameter.passing == "keyword":
            arguments.append("keyword=True")
            if parameter.wire != parameter.name:
                arguments.append(f"wire={layout.string(parameter.wire)}")
        return f"rpc.param({', '.join([*arguments, *_secret(parameter)])})"

    def member(self, entry: str, member: ir.Method | ir.Property) -> FunctionView:
        """A member as stubs and promises have it; `entry` is where the table has it."""
        if isinstance(member, ir.Property):
            promise = self._spell.promise(member.type)
            return FunctionView(
                decorators=(f"@{self._scope.builtin('property')}", *self._spell.deprecated(member.deprecated)),
                signature=layout.signature(member.name, ["self"], promise, "", indent=METHOD),
                doc=doc(member, self._schema),
                body=layout.call("return self._get", [entry], indent=BODY),
            )
        written = {
            parameter.name: f"{parameter.name}: {self._spell.argument(parameter.type)}{self._spell.omitted(parameter)}"
            for parameter in member.parameters
        }
        arguments = [entry, *map(passed, member.parameters)]
        promise = self._spell.promise(member.result)
        return FunctionView(
            decorators=self._spell.deprecated(member.deprecated),
            signature=layout.signature(member.name, parameters(member, written), promise, "", indent=METHOD),
            doc=doc(member, self._schema),
            body=layout.call("return self._call", arguments, indent=BODY),
        )


def _secret(declared: ir.Method | ir.Property | ir.Parameter) -> list[str]:
    """The argument that says that something is secret, if it is."""
    return ["secret=True"] if declared.secret else []


def _cost(member: ir.Method | ir.Property) -> list[str]:
    """The arguments that say what a call costs, and how many items it is taken to give, where a schema says it."""
    cost = [f"cost={member.cost}"] if member.cost != 1 else []
    return [*cost, *([f"items={member.items}"] if member.items is not None else [])]


def _raises(member: ir.Method | ir.Property) -> list[str]:
    """The argument that says what a member raises, if it does."""
    names = [module_names.constant(reference.name) for reference in member.raises]
    return [f"raises=[{', '.join(names)}]"] if names else []
