"""Lowering the blocking face: for each interface one class, whose methods wait and give values.

Rule: nothing here is needed by the async face, and no promises show: what a caller gives and gets are values,
blocking stubs, ordinary functions and ordinary iterables.
"""

from __future__ import annotations

from collections.abc import Iterable

from capnweb_gen import ir, naming
from capnweb_gen.backends.python import layout
from capnweb_gen.backends.python.callbacks import CALL, called, like
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

    def classes(self, interfaces: Iterable[ir.Interface]) -> tuple[ClassView, ...]:
        """All classes for a module: of its callbacks, then of its interfaces."""
        callbacks = [
            one for callback in self._schema.callbacks for one in (self._called(callback), self._like(callback))
        ]
        return (*callbacks, *(self._interface(interface) for interface in interfaces))

    def _interface(self, interface: ir.Interface) -> ClassView:
        bases = [self._stub(base) for base in interface.bases] or ["rpc.BlockingStub"]
        members = (self._member(f"{interface.name}Spec.{member.name}", member) for member in interface.members)
        return self._class(interface, bases, *members)

    def _called(self, callback: ir.Callback) -> ClassView:
        call = self._member(f"{callback.name}Spec.{CALL}", called(callback))
        return self._class(callback, ["rpc.BlockingStub"], call)

    def _like(self, callback: ir.Callback) -> ClassView:
        """What may be passed for a callback, which is given blocking objects."""
        result = self._given(callback.call.result)
        return like(callback, f"{callback.name}BlockingLike", self._scope, self.result, result)

    def _class(self, declared: ir.Interface | ir.Callback, bases: list[str], *members: FunctionView) -> ClassView:
        name = declared.name
        covered = FunctionView(
            decorators=(self._property,),
            signature=layout.signature("_stub", ["self"], f"{name}Stub", "", indent=METHOD),
            doc=None,
            body="return self._held()",
        )
        return ClassView(
            header=layout.call(f"class {name}BlockingStub", [*bases, f"of={name}Stub"], ":"),
            doc=interface_doc(declared, f"A reference to {naming.with_article(name)}: calls wait, and return values."),
            functions=(*members, covered),
        )

    @property
    def _property(self) -> str:
        return f"@{self._scope.builtin('property')}"

    def _member(self, entry: str, member: ir.Method | ir.Property) -> FunctionView:
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
            case ir.InterfaceShape(interface=reference) | ir.CallbackShape(callback=reference):
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
        return _union(self._parts(shape))

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
            case ir.OpenShape(item=item):
                return [*self._parts(item), "rpc.Unknown"]
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
            case ir.CallbackShape(callback=reference):
                return [self._spell.interface(reference, "BlockingLike")]
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
        return f"{self._scope.imported('collections.abc', 'Callable')}[[{taken}], {self._given(shape.result)}]"

    def _given(self, result: ir.TypeShape) -> str:
        """What such a function may give."""
        if result == ir.Scalar(name="none"):
            return self._scope.builtin("object")
        later = f"{self._scope.imported('collections.abc', 'Awaitable')}[{self.argument(result)}]"
        return _union([*self._parts(result), later])

    def _stub(self, reference: ir.Reference) -> str:
        return self._spell.interface(reference, "BlockingStub")


def _union(parts: list[str]) -> str:
    """A union of these types, None as the last of them."""
    return " | ".join([*(part for part in parts if part != "None"), *(["None"] if "None" in parts else [])])


def _any(shape: ir.TypeShape) -> str:
    """How what gives any value is told from what gives the type that is declared, for type checkers."""
    return "_any" if isinstance(shape, ir.Scalar) and shape.name == "any" else ""
