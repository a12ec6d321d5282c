"""Lowering the blocking face: for each interface one class, whose methods wait and give values.

Rule: nothing here is needed by the async face, and no promises show: what a caller gives and gets are values,
blocking stubs, ordinary functions and ordinary iterables.
"""

from __future__ import annotations

from capnweb_gen import ir, naming
from capnweb_gen.backends.python import layout
from capnweb_gen.backends.python.members import BODY, METHOD, doc, interface_doc, parameters, passed
from capnweb_gen.backends.python.scope import Scope
from capnweb_gen.backends.python.spelling import Spelling
from capnweb_gen.backends.python.views import ClassView, FunctionView


class Blocking:
    """Lowers the interfaces of one module to their blocking stubs."""

    def __init__(self, schema: ir.Schema, scope: Scope, spell: Spelling) -> None:
        self._schema = schema
        self._scope = scope
        self._spell = spell

    def stub(self, interface: ir.Interface) -> ClassView:
        """The blocking stub of an interface."""
        name = interface.name
        bases = [self._stub(base) for base in interface.bases] or ["rpc.BlockingStub"]
        covered = FunctionView(
            decorators=(self._property,),
            signature=layout.signature("_stub", ["self"], f"{name}Stub", "", indent=METHOD),
            doc=None,
            body="return self._held()",
        )
        return ClassView(
            header=layout.call(f"class {name}BlockingStub", [*bases, f"of={name}Stub"], ":"),
            doc=interface_doc(interface, f"{naming.one_with_article(name)} that is held, and waited for."),
            functions=(*(self._member(name, member) for member in interface.members), covered),
        )

    @property
    def _property(self) -> str:
        return f"@{self._scope.builtin('property')}"

    def _member(self, interface: str, member: ir.Method | ir.Property) -> FunctionView:
        entry = f"{interface}Spec.{member.name}"
        if isinstance(member, ir.Property):
            return FunctionView(
                decorators=(self._property, *self._spell.deprecated(member.deprecated)),
                signature=layout.signature(member.name, ["self"], self.result(member.type), "", indent=METHOD),
                doc=doc(member, self._schema),
                body=layout.call(f"return self._get{_any(member.type)}", [entry], indent=BODY),
            )
        written = {
            parameter.name: f"{parameter.name}: {self.argument(parameter.type)}{self._spell.omitted(parameter)}"
            for parameter in member.parameters
        }
        result = self.result(member.result)
        body = "self._call" if result == "None" else f"return self._call{_any(member.result)}"
        return FunctionView(
            decorators=self._spell.deprecated(member.deprecated),
            signature=layout.signature(member.name, parameters(member, written), result, "", indent=METHOD),
            doc=doc(member, self._schema),
            body=layout.call(body, [entry, *map(passed, member.parameters)], indent=BODY),
        )

    # ---- types

    def result(self, shape: ir.TypeShape) -> str:
        """What a call gives, and what a callback is given."""
        container = self._spell.container(shape, self.result)
        if container is not None:
            return container
        match shape:
            case ir.InterfaceShape(interface=reference):
                return self._stub(reference)
            case ir.StubShape():
                return "rpc.BlockingAnyStub"
            case ir.CallableShape(parameters=taken, result=result):
                return f"rpc.BlockingCallback[[{', '.join(map(self.argument, taken))}], {self.result(result)}]"
            case ir.StreamShape(item=item):
                return f"rpc.BlockingReadable[{self.result(item)}]"
            case ir.WritableShape(item=item):
                return f"rpc.BlockingWritable[{self.argument(item)}]"
            case _:
                return self._spell.awaited(shape)

    def argument(self, shape: ir.TypeShape) -> str:
        """What a caller may give."""
        parts = self._parts(shape)
        return " | ".join([*(part for part in parts if part != "None"), *(["None"] if "None" in parts else [])])

    def _parts(self, shape: ir.TypeShape) -> list[str]:
        match shape:
            case ir.ConstrainedShape(item=item):
                return self._parts(item)
            case ir.ListShape(item=item):
                return [f"rpc.ListArg[{self.argument(item)}]"]
            case ir.DictShape(key=key, value=value):
                mapping = self._scope.imported("collections.abc", "Mapping")
                return [f"{mapping}[{self.argument(key)}, {self.argument(value)}]"]
            case ir.OptionalShape(item=item):
                return [*self._parts(item), "None"]
            case ir.TupleShape(items=items):
                return [f"{self._scope.builtin('tuple')}[{', '.join(map(self.argument, items))}]"]
            case ir.CollectionShape(container="tuple", item=item):
                return [f"{self._scope.builtin('tuple')}[{self.argument(item)}, ...]"]
            case ir.UnionShape(members=members):
                return list(dict.fromkeys(part for member in members for part in self._parts(member)))
            case ir.InterfaceShape(interface=reference):
                return [self._spell.interface(reference, "Target"), self._stub(reference)]
            case ir.StubShape():
                anything = self._scope.imported("typing", "Any")
                function = f"{self._scope.imported('collections.abc', 'Callable')}[..., {anything}]"
                return ["rpc.RpcTarget", "rpc.BlockingStub", function]
            case ir.CallableShape():
                return [self._function(shape), self.result(shape)]
            case ir.StreamShape(item=item):
                chunk = self.argument(item)
                kinds = (self._scope.imported("collections.abc", kind) for kind in ("Iterable", "AsyncIterable"))
                return [f"{kind}[{chunk}]" for kind in kinds]
            case ir.WritableShape(item=item):
                return [f"rpc.WritableTarget[{self._spell.awaited(item)}]", self.result(shape)]
            case _:
                return [self._spell.given(shape)]

    def _function(self, shape: ir.CallableShape) -> str:
        """A function that is passed. It may be async; what it returns is of no interest where nothing is expected."""
        taken = ", ".join(map(self.result, shape.parameters))
        given = self._scope.builtin("object")
        if shape.result != ir.Scalar(name="none"):
            given = self.argument(shape.result)
            given = f"{given} | {self._scope.imported('collections.abc', 'Awaitable')}[{given}]"
        return f"{self._scope.imported('collections.abc', 'Callable')}[[{taken}], {given}]"

    def _stub(self, reference: ir.Reference) -> str:
        return self._spell.interface(reference, "BlockingStub")


def _any(shape: ir.TypeShape) -> str:
    """How what gives any value is told from what gives the type that is declared, for type checkers."""
    return "_any" if isinstance(shape, ir.Scalar) and shape.name == "any" else ""
