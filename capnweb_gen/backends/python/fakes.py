"""Lowering one schema to the view of its fakes: a module of its own beside the generated one, which tests import and
nothing else does.

Rule: what a fake is told to return, and what it was called with, has the types that a target's method has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from capnweb_gen import graph, ir, naming
from capnweb_gen.backends.python import layout, module_names
from capnweb_gen.backends.python.members import BODY, METHOD, class_doc, parameters
from capnweb_gen.backends.python.module import GENERATED_API, header
from capnweb_gen.backends.python.scope import RUNTIME, Scope, relative
from capnweb_gen.backends.python.spelling import Spelling
from capnweb_gen.backends.python.views import ClassView, FakesView, FakeView, FunctionView
from capnweb_gen.errors import Diagnostic

TESTING = "capnweb_runtime.testing"
VERIFY = "verify"
"""What fakes have beside the members of their interface."""


def output_of(schema: ir.Schema) -> str:
    """The path of the module of a schema's fakes: `library.py` → `library_fakes.py`."""
    return f"{schema.output.removesuffix('.py')}_fakes.py"


def same_module(schemas: tuple[ir.Schema, ...]) -> list[Diagnostic]:
    """Schemas whose generated module would be that of the fakes of another one."""
    places = {output_of(schema): schema for schema in schemas if schema.interfaces}
    hint = "rename one of them, or leave out fakes"
    return [
        Diagnostic(
            schema.path, 1, 1, f"this becomes {schema.output}, as the fakes of {places[schema.output].path}", hint
        )
        for schema in schemas
        if schema.output in places
    ]


def lower_fakes(schema: ir.Schema, peers: graph.Peers, command: str) -> FakesView:
    """Decide everything about the fakes of a schema's interfaces.

    Args:
        schema: a schema in which nothing is wrong.
        peers: all schemas of the run, by module.
        command: what a reader should run instead of editing the file.
    """
    return _Lowering(schema, peers).module(command)


class _Scope(Scope):
    """Spells names for the module of a schema's fakes, which imports what the generated one declares."""

    def __init__(self, schema: ir.Schema, peers: graph.Peers) -> None:
        super().__init__(schema, peers, frozenset(), frozenset(_names(schema, peers)))

    def generated(self, reference: ir.Reference, derive: Callable[[str], str]) -> str:
        return self.imported("".join(relative(self._schema, self._home(reference))), derive(reference.name))

    def members(self, reference: ir.Reference) -> str:
        """The class of the members of an interface's fakes."""
        name = f"{reference.name}FakeMembers"
        home = self._home(reference)
        return name if home is self._schema else self.imported("".join(relative(self._schema, home)) + "_fakes", name)


class _Lowering:
    """The state of lowering the fakes of one schema."""

    def __init__(self, schema: ir.Schema, peers: graph.Peers) -> None:
        self._schema = schema
        self._peers = peers
        self._scope = _Scope(schema, peers)
        self._spell = Spelling(self._scope, frozenset())
        self._calls = call_names(schema, peers)
        self._fakes = self._scope.imported(TESTING, "fakes")

    def module(self, command: str) -> FakesView:
        """The whole module. Imports are collected on the way, so that they come last here."""
        schema = self._schema
        fakes = tuple(self._fake(interface) for interface in graph.bases_first(schema))
        self._scope.imported(RUNTIME.rpartition(".")[0], "codegen_api as rpc")
        return FakesView(
            header=header(f" from {schema.path}", command),
            doc=layout.docstring(f"Typed fakes of the interfaces of {schema.path}, for tests.", indent=""),
            imports=tuple(tuple(block) for block in self._scope.import_blocks()),
            api=GENERATED_API,
            fakes=fakes,
        )

    def _fake(self, interface: ir.Interface) -> FakeView:
        name = interface.name
        own = _declared(interface, self._peers)
        bases = [self._scope.members(base) for base in interface.bases] if own is interface.members else []
        verifies = VERIFY not in graph.all_members(interface, self._peers)
        base = f"{self._fakes}.{'Fake' if verifies else 'BareFake'}"
        target = self._spell.interface(ir.Reference(module=self._schema.module, name=name), "Target")
        return FakeView(
            name=name,
            calls=tuple(self._call(interface, member) for member in own if isinstance(member, ir.Method)),
            members=ClassView(
                header=layout.call(f"class {name}FakeMembers", bases or [f"{self._fakes}.Members"], ":"),
                doc=class_doc(f"What can be set of {naming.with_article(f'{name}Fake')}, and what it was asked."),
                functions=tuple(self._member(interface, member) for member in own),
            ),
            fake=ClassView(
                header=layout.call(f"class {name}Fake", [f"{name}FakeMembers", base, target], ":"),
                doc=class_doc(
                    f"{naming.one_with_article(name)} for tests: answers what it is told to, and keeps its calls."
                ),
            ),
        )

    def _call(self, interface: ir.Interface, method: ir.Method) -> ClassView:
        return ClassView(
            header=f"class {self._calls[interface.name, method.name]}({self._fakes}.Call):",
            doc=class_doc(f"A call of {interface.name}.{method.name}."),
            assignments=tuple(self._attribute(parameter) for parameter in method.parameters),
        )

    def _attribute(self, parameter: ir.Parameter) -> str:
        spelled = self._spell.awaited(parameter.type)
        if parameter.passing == "variadic":
            spelled = f"{self._scope.builtin('tuple')}[{spelled}, ...]"
        name = f"{parameter.name}_" if parameter.name in module_names.MODULE_NAMES else parameter.name
        return layout.annotated(name, spelled, indent=METHOD)

    def _member(self, interface: ir.Interface, member: ir.Method | ir.Property) -> FunctionView:
        if isinstance(member, ir.Property):
            result = f"{self._fakes}.Property[{self._spell.given(member.type)}]"
            return FunctionView(
                decorators=(f"@{self._scope.builtin('property')}",),
                signature=layout.signature(member.name, ["self"], result, "", indent=METHOD),
                doc=None,
                body=layout.call("return self._property", [layout.string(member.name)], indent=BODY),
            )
        kind = "stream" if isinstance(member.result, ir.StreamShape) else "method"
        written = {
            parameter.name: f"{parameter.name}: {self._spell.awaited(parameter.type)}{self._default(parameter)}"
            for parameter in member.parameters
        }
        result = self._spell.given(member.result)
        return FunctionView(
            decorators=(f"@{self._fakes}.{kind}({self._calls[interface.name, member.name]})",),
            signature=layout.signature(member.name, parameters(member, written), result, "", indent=METHOD),
            doc=None,
            body="raise NotImplementedError",
        )

    def _default(self, parameter: ir.Parameter) -> str:
        if parameter.default is None:
            return ""
        return f" = {self._spell.default(parameter.default.value, parameter.type)}"


def _declared(interface: ir.Interface, peers: graph.Peers) -> tuple[ir.Method | ir.Property, ...]:
    """The members that the class of an interface's fakes declares: its own, and the others are inherited; or all of
    them, where one takes the place of another, since what a fake may be told is not to be narrowed.
    """
    lines = [interface, *graph.bases(interface, peers)]
    names = [member.name for line in lines for member in line.members]
    if len(names) == len(set(names)):
        return interface.members
    return tuple(graph.all_members(interface, peers).values())


def call_names(schema: ir.Schema, peers: graph.Peers) -> dict[tuple[str, str], str]:
    """The classes of recorded calls: names by interface and method, each once."""
    found: dict[tuple[str, str], str] = {}
    for interface in schema.interfaces:
        for member in _declared(interface, peers):
            if isinstance(member, ir.Method):
                wanted = name = f"{interface.name}{naming.pascal(member.name)}Call"
                number = 2
                while name in found.values():
                    name, number = f"{wanted}{number}", number + 1
                found[interface.name, member.name] = name
    return found


def _names(schema: ir.Schema, peers: graph.Peers) -> Iterator[str]:
    """What the module declares, and what its classes have."""
    yield from call_names(schema, peers).values()
    for interface in schema.interfaces:
        yield from (f"{interface.name}Fake", f"{interface.name}FakeMembers")
        for member in _declared(interface, peers):
            yield member.name
            if isinstance(member, ir.Method):
                yield from (parameter.name for parameter in member.parameters)
