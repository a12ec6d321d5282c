"""Interfaces, models and callbacks: from the members of an object to the IR.

Rule: what has a name is read once, whoever names it. What has none is called for the place where it stands; of two that
are alike in everything, there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import cast

from capnweb_gen import ir, naming
from capnweb_gen.frontends.typescript import nodes
from capnweb_gen.frontends.typescript.comments import docstring
from capnweb_gen.frontends.typescript.decisions import Notes, Options
from capnweb_gen.frontends.typescript.evaluate import Slot, Types, View
from capnweb_gen.frontends.typescript.files import File, Group
from capnweb_gen.frontends.typescript.members import MemberReader, deprecation
from capnweb_gen.frontends.typescript.modules import depends
from capnweb_gen.frontends.typescript.names import Hint, Module, class_name, shape_name
from capnweb_gen.frontends.typescript.raised import ErrorReader
from capnweb_gen.frontends.typescript.records import ModelReader
from capnweb_gen.frontends.typescript.scope import Builtin, Closure, Declared, RefusedTypeError
from capnweb_gen.frontends.typescript.shapes import BROKEN, Shapes
from capnweb_gen.frontends.typescript.throws import ThrowsReader

_Kept = tuple[
    dict[Group, bool],
    dict[Group, str],
    dict[tuple[Group, tuple[ir.TypeShape, ...]], ir.TypeShape],
    dict[object, ir.TypeShape],
    set[Group],
]


@dataclass
class Entry:
    """Something that a module declares. `found` is None until it has been read."""

    module: Module
    file: File
    position: ir.Position
    found: ir.Interface | ir.Model | ir.Callback | None = None


@dataclass
class Found:
    """What was named by now.

    Attributes:
        entries: in the order in which they were named.
        aliases: by module, the names of types that are no classes.
        enums: by module, with what they say of themselves.
        errors: the exceptions that members declare, by where they stand.
    """

    entries: list[Entry] = field(default_factory=list[Entry])
    aliases: dict[str, dict[str, tuple[ir.Position, ir.TypeShape]]] = field(
        default_factory=dict[str, "dict[str, tuple[ir.Position, ir.TypeShape]]"]
    )
    enums: dict[ir.Reference, tuple[ir.EnumShape, str | None]] = field(
        default_factory=dict[ir.Reference, "tuple[ir.EnumShape, str | None]"]
    )
    errors: dict[Group, ir.Error] = field(default_factory=dict[Group, ir.Error])


_Mark = tuple[Found, _Kept, list[tuple[Module, set[str]]]]


ENDLESS = ("a type in this goes on without an end", "give a part of it a name: interface X {...}")


class Declarer:
    """Describes everything that is named. It is the `Registry` of `Shapes`.

    Args:
        types: says what types come to.
        notes: is told of faults and decisions.
        options: what the user decides.
        modules: the module that each file becomes part of.
        forced: names that stand in RpcStub<...>, by file: what they name is a capability, whatever it looks like.
    """

    def __init__(
        self, types: Types, notes: Notes, options: Options, modules: dict[File, Module], forced: dict[File, set[str]]
    ) -> None:
        self.found = Found()
        self.sound: set[Group] = set()  # what was read without a fault
        self._types = types
        self._notes = notes
        self._modules = modules
        self._forced = forced
        self._capabilities: dict[Group, bool] = {}
        self._roots: set[Group] = set()
        self._names: dict[Group, str] = {}
        self._nominal: dict[tuple[Group, tuple[ir.TypeShape, ...]], ir.TypeShape] = {}
        self._alike: dict[object, ir.TypeShape] = {}
        self._waiting: list[tuple[Entry, Declared, View, str]] = []
        self.shapes = Shapes(types, notes, options, self)
        self._members = MemberReader(self.shapes, notes, options, ThrowsReader(types, notes, self.error))
        self._errors = ErrorReader(types, self.shapes, notes)
        self._models = ModelReader(self.shapes, notes)

    # ---- trying

    def mark(self) -> object:
        """What is known by now, for `back`."""
        taken = [(module, set(module.taken)) for module in self._modules.values()]
        found = Found(
            list(self.found.entries),
            {k: dict(v) for k, v in self.found.aliases.items()},
            dict(self.found.enums),
            dict(self.found.errors),
        )
        kept = dict(self._capabilities), dict(self._names), dict(self._nominal), dict(self._alike), set(self.sound)
        return found, kept, taken

    def back(self, mark: object) -> None:
        """Forget what was named since `mark`."""
        found, kept, taken = cast("_Mark", mark)
        self.found = found
        self._capabilities, self._names, self._nominal, self._alike, self.sound = kept
        self._waiting.clear()
        for module, names in taken:
            module.taken = names

    # ---- whose names are needed first

    def reserve(self, group: Group) -> None:
        """Keep the name of something that is declared: what has none must not take it."""
        if group not in self._names:
            self._names[group] = self._modules[group.file].take(class_name(group.name))

    def main(self, group: Group) -> None:
        """Take for a capability what nothing names, and whose members are capabilities."""
        self._roots.add(group)

    # ---- the registry

    def is_capability(self, declared: Declared, view: View) -> bool:
        """Whether something that has a name travels by reference."""
        group = declared.group
        if group not in self._capabilities:
            self._capabilities[group] = False  # while it is being told, for what names itself
            self._capabilities[group] = self._is_capability(group, view)
        return self._capabilities[group]

    def _is_capability(self, group: Group, view: View) -> bool:
        marks = group.first.doc.marks()
        if "model" in marks or view.is_error:
            return False
        if view.is_target or view.has_methods or "interface" in marks:
            return True
        if group.name in self._forced.get(group.file, ()):
            return True
        slots = list(view.slots.values())
        return group in self._roots and bool(slots) and all(self._leads_to_capability(slot) for slot in slots)

    def _leads_to_capability(self, slot: Slot) -> bool:
        """Whether a property is a capability itself."""
        closure = slot.closure
        if closure is None or slot.optional:
            return False
        try:
            head = self._types.head(closure)
            if isinstance(head, Builtin):
                return head.name in {"RpcStub", "RpcTarget"}
            if isinstance(head, Closure):
                return isinstance(head.node, nodes.FunctionType)
            view = self._types.view(closure)
            return view is not None and self.is_capability(head, view)
        except RefusedTypeError:
            return False

    def reference(self, declared: Declared) -> ir.Reference:
        """The name of something that is declared, without its type arguments."""
        self.reserve(declared.group)
        return ir.Reference(module=self._modules[declared.group.file].name, name=self._names[declared.group])

    def nominal(
        self, declared: Declared, view: View, arguments: tuple[ir.TypeShape, ...], called: Declared | None
    ) -> ir.TypeShape:
        """The shape of an interface or a model that has a name; `called` is an alias that names it with arguments."""
        key = (declared.group, arguments)
        if key in self._nominal:
            return self._nominal[key]
        reference = self.reference(declared)
        module = self._modules[declared.group.file]
        if arguments and called is not None:
            module = self._modules[called.group.file]
            reference = self.reference(called)
        elif arguments:
            name = module.take(reference.name + "".join(map(shape_name, arguments)))
            self._decide(declared.group, f"{_written(declared)} is called {name}")
            reference = ir.Reference(module=module.name, name=name)
        capability = self.is_capability(declared, view)
        shape = ir.InterfaceShape(interface=reference) if capability else ir.ModelShape(model=reference)
        self._nominal[key] = shape
        entry = self._enter(module, declared.group.file, declared.group.first.position)
        self._waiting.append((entry, declared, view, reference.name))
        return shape

    def anonymous(self, closure: Closure, view: View, hint: Hint) -> ir.TypeShape:
        """The shape of an object type that has no name."""
        module = self._modules[closure.env.file]
        found: ir.Interface | ir.Model
        if view.is_target or view.has_methods:
            found, key = (
                self._members.interface("", nodes.NO_DOC, view, closure.position, module.case, hint),
                "interface",
            )
        else:
            found, key = (
                self._models.model(module, "", nodes.NO_DOC, view, (closure.env.file, closure.position), hint),
                "model",
            )
        alike = (module.name, key, _without_places(found))
        if alike in self._alike:
            return self._alike[alike]
        names = {hint.long} if depends(closure.node, closure.env.bindings) else {hint.short, hint.long}
        name = module.take(*sorted(names, key=len))
        shape: ir.TypeShape
        reference = ir.Reference(module=module.name, name=name)
        shape = ir.InterfaceShape(interface=reference) if key == "interface" else ir.ModelShape(model=reference)
        self._alike[alike] = shape
        entry = self._enter(module, closure.env.file, closure.position)
        entry.found = found.model_copy(update={"name": name})
        self._notes.decide(closure.env.file, closure.position, f"this type, which has no name, is called {name}")
        return shape

    def callback(self, slot: Slot, hint: Hint, declared: Declared | None = None) -> ir.TypeShape:
        """The shape of a function that needs a name."""
        if declared is not None:
            return self._named_callback(slot, declared)
        module = self._modules[slot.env.file]
        call = self._members.call(slot, module.case, hint)
        alike = (module.name, "callback", _without_places(call))
        if alike in self._alike:
            return self._alike[alike]
        name = module.take(hint.short, hint.long)
        found = ir.Callback(name=name, doc=docstring(slot.doc), call=call, position=slot.position)
        shape = ir.CallbackShape(callback=ir.Reference(module=module.name, name=name))
        self._alike[alike] = shape
        self._enter(module, slot.env.file, slot.position).found = found
        self._notes.decide(slot.env.file, slot.position, f"this function type, which has no name, is called {name}")
        return shape

    def _named_callback(self, slot: Slot, declared: Declared) -> ir.TypeShape:
        """The same of one that has a name, which may take or give itself."""
        first = declared.group.first
        arguments = tuple(self.shapes.shape(one, Hint(first.name, first.name)) for one in declared.arguments)
        key = (declared.group, arguments)
        if key not in self._nominal:
            module, reference = self._modules[declared.group.file], self.reference(declared)
            name = reference.name
            if arguments:
                name = module.take(name + "".join(map(shape_name, arguments)))
            self._nominal[key] = ir.CallbackShape(callback=ir.Reference(module=module.name, name=name))
            entry = self._enter(module, declared.group.file, first.position)
            call = self._members.call(slot, module.case, Hint(name, name))
            doc, said = docstring(first.doc), deprecation(first.doc)
            entry.found = ir.Callback(name=name, doc=doc, deprecated=said, call=call, position=first.position)
        return self._nominal[key]

    def enum(self, declared: Declared, enum: nodes.EnumDeclaration) -> ir.EnumShape:
        """The shape of a whole enum."""
        reference = self.reference(declared)
        if reference not in self.found.enums:
            members: list[ir.EnumMember] = []
            for member in enum.members:
                if member.value is None or isinstance(member.value, float):
                    what = f"the value of {enum.name}.{member.name} is computed"
                    self._notes.fault(declared.group.file, member.position, what, "write a string or a whole number")
                    continue
                name = _enum_name(member.name, [one.name for one in members])
                members.append(ir.EnumMember(name=name, value=member.value))
            if not enum.members:
                self._notes.fault(declared.group.file, enum.position, f"{enum.name} has no members", "give it members")
            shape = ir.EnumShape(enum=reference, members=tuple(members), flag="flag" in enum.doc.marks())
            self.found.enums[reference] = (shape, docstring(enum.doc))
        return self.found.enums[reference][0]

    def error(self, declared: Declared) -> ir.Reference:
        """An exception that a member declares."""
        group = declared.group
        if group not in self.found.errors:
            name = self.reference(declared).name
            self.found.errors[group] = self._errors.error(self._modules[group.file], name, declared)
        found = self.found.errors[group]
        return ir.Reference(module=found.module, name=found.name)

    def root(self, declared: Declared, item: Callable[[], ir.TypeShape]) -> ir.TypeShape:
        """The shape of a model that is what it holds."""
        key = (declared.group, ())
        if key not in self._nominal:
            reference, first = self.reference(declared), declared.group.first
            self._nominal[key] = ir.ModelShape(model=reference)
            module = self._modules[declared.group.file]
            entry = self._enter(module, declared.group.file, first.position)
            held = ir.ModelField(
                name="root", wire="root", accepts="root", type=item(), required=True, position=first.position
            )
            entry.found = ir.Model(
                name=reference.name,
                module=reference.module,
                path=declared.group.file.shown,
                doc=docstring(first.doc),
                fields=(held,),
                form="root",
                position=first.position,
            )
        return self._nominal[key]

    def alias(self, declared: Declared, shape: ir.TypeShape) -> None:
        """Remember the name of a type that is no class, for those who read the schema."""
        plain = isinstance(shape, ir.Scalar | ir.StubShape | ir.ModelShape | ir.InterfaceShape | ir.EnumShape)
        if plain or declared.arguments or declared.group.first.doc.marks():
            return
        reference = self.reference(declared)
        self.found.aliases.setdefault(reference.module, {})[reference.name] = (declared.group.first.position, shape)

    # ---- reading

    def read(self) -> None:
        """Read everything that is named by now, and what that names in turn."""
        while self._waiting:
            entry, declared, view, name = self._waiting.pop(0)
            before = len(self._notes.faults)
            try:
                entry.found = self._body(entry.module, declared, view, name)
            except RefusedTypeError as refused:
                self._notes.fault(refused.file, refused.position, refused.reason, refused.hint)
            except RecursionError:
                self._notes.fault(declared.group.file, declared.group.first.position, *ENDLESS)
            if len(self._notes.faults) == before:
                self.sound.add(declared.group)

    def _body(self, module: Module, declared: Declared, view: View, name: str) -> ir.Interface | ir.Model:
        first = declared.group.first
        doc = next((one.doc for one in declared.group.declarations if one.doc != nodes.NO_DOC), first.doc)
        hint = Hint(name, name)
        if not self.is_capability(declared, view):
            return self._models.model(module, name, doc, view, (declared.group.file, first.position), hint)
        for member in self._types.own(declared).skipped:
            self._tell_skipped(declared.group, member)
        own, bases = self._inherited(declared, view)
        found = self._members.interface(name, doc, own, first.position, module.case, hint)
        return found.model_copy(update={"bases": tuple(bases)})

    def _inherited(self, declared: Declared, view: View) -> tuple[View, list[ir.Reference]]:
        """What an interface declares itself, and the interfaces that it inherits. Of others it gets the members."""
        if declared.body is not None:
            return view, []
        own = View()
        bases: list[ir.Reference] = []
        for base in self._types.bases(declared):
            head = self._types.head(base)
            inherited = self._types.view(base)
            if isinstance(head, Declared) and inherited is not None and self.is_capability(head, inherited):
                shape = self.shapes.shape(base, Hint(declared.group.name, declared.group.name))
                if isinstance(shape, ir.InterfaceShape):
                    bases.append(shape.interface)
            elif inherited is not None:
                own.add(inherited)
        own.add(self._types.own(declared))
        own.calls += [call for call in view.calls if call not in own.calls]
        return own, bases

    def _tell_skipped(self, group: Group, member: nodes.Member) -> None:
        name = member.name or "a member"
        if member.access != "public":
            text = (
                f"{group.name}.{name} is {member.access}, and left out; peers can call it all the same, but not #{name}"
            )
        elif member.static:
            text = f"{group.name}.{name} is static, and left out"
        elif member.kind == "setter":
            text = f"{group.name}.{name} can be set, which no peer can do: the setter is left out"
        elif member.kind == "construct":
            text = f"the constructor in {group.name} is left out"
        else:
            text = f"{group.name}.{name} is a field, which peers cannot read, and left out; a getter could be read"
        self._notes.decide(group.file, member.position, text)

    def _enter(self, module: Module, file: File, position: ir.Position) -> Entry:
        entry = Entry(module, file, position)
        self.found.entries.append(entry)
        return entry

    def _decide(self, group: Group, text: str) -> None:
        self._notes.decide(group.file, group.first.position, text)


def _written(declared: Declared) -> str:
    return f"{declared.group.name}<...> with its type arguments"


def _enum_name(written: str, others: list[str]) -> str:
    name = naming.as_name(written)
    if name.startswith("_") or name in {"mro", "name", "value"}:
        name = f"{name.strip('_')}_"
    while name in others:
        name = f"{name}_"
    return name


def _without_places(node: object) -> object:
    """Something that is equal for what is equal but for where it stands."""
    if isinstance(node, ir.Position):
        return None
    if isinstance(node, ir.Node):
        return (type(node), *(_without_places(value) for _, value in _values(node)))
    if isinstance(node, tuple):
        return tuple(map(_without_places, cast("tuple[object, ...]", node)))
    return (type(node), node)


def _values(node: ir.Node) -> Iterator[tuple[str, object]]:
    for name in type(node).model_fields:
        if name != "path":
            yield name, getattr(node, name)


__all__ = ["BROKEN", "Declarer", "Entry", "Found"]
