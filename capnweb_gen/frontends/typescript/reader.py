"""From files of TypeScript to schemas: what is read, and what is passed over.

Rule: interfaces that travel by reference are why a file is read, and everything that they reach is held to the rules.
What else a file exports is read as far as it can be, and left out with a word where it cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from capnweb_gen import graph, ir
from capnweb_gen.errors import Diagnostic, in_order
from capnweb_gen.frontends.typescript import nodes
from capnweb_gen.frontends.typescript.decisions import Decision, Notes, Options
from capnweb_gen.frontends.typescript.declared import ENDLESS, Declarer
from capnweb_gen.frontends.typescript.evaluate import Types, View
from capnweb_gen.frontends.typescript.files import File, Files, Group
from capnweb_gen.frontends.typescript.finishing import Details, schemas_of
from capnweb_gen.frontends.typescript.modules import Modules, forced, referenced
from capnweb_gen.frontends.typescript.names import Hint, class_name
from capnweb_gen.frontends.typescript.places import Places
from capnweb_gen.frontends.typescript.scope import Closure, Declared, Env, RefusedTypeError, parameters_of


@dataclass(frozen=True)
class Read:
    """What came of reading files. With faults, schemas may be missing or incomplete."""

    schemas: tuple[ir.Schema, ...]
    faults: tuple[Diagnostic, ...]
    decisions: tuple[Decision, ...] = ()
    details: dict[str, Details] = field(default_factory=dict[str, Details])


def read_typescript(
    paths: Sequence[Path],
    package: str = "",
    options: Options | None = None,
    sources: Mapping[Path, Path] | None = None,
) -> Read:
    """Read files of TypeScript.

    Args:
        paths: the files; what they import from others is followed.
        package: the package that the modules made of them are in, which models are imported from.
        options: what is decided for the user otherwise.
        sources: of declaration files that tsc has made, the files that it has made them of, which messages name.

    Raises:
        MissingExtraError: what parses TypeScript is not installed.
    """
    reading: list[Diagnostic] = []
    files = Files(reading, sources)
    given = list(dict.fromkeys(files.give(paths)))
    together: list[list[File]] = []
    while True:
        run = _Run(files, given, Modules(package, together), options or Options())
        run.read()
        schemas, details = schemas_of(run.declarer, run.modules)
        circle = _circle(schemas, details, run.modules)
        if not circle or circle in together:
            break
        together = [files for files in together if not set(files) & set(circle)]
        together.append(circle)
    faults = [*reading, *_worth_telling(run.notes.faults, reading)]
    if not faults and not schemas:
        hint = "export one: export interface Greeter { greet(name: string): Promise<string> }"
        faults += [Diagnostic(file.shown, 1, 1, "no interface is declared here", hint) for file in given]
    decisions = sorted(run.notes.decisions)
    if sources:
        told = Places({file.shown: file.syntax for file in files.all()}, sources)
        faults = [told.fault(fault) for fault in faults]
        decisions = [told.decision(decision) for decision in decisions]
    return Read(schemas, in_order(faults), tuple(dict.fromkeys(decisions)), details)


class _Run:
    """One reading of all files."""

    def __init__(self, files: Files, given: Sequence[File], modules: Modules, options: Options) -> None:
        self.notes = Notes()
        self.modules = modules
        self._files = files
        self._given = given
        self._types = Types(files)
        self._forced = {file: forced(file) for file in given}
        self.declarer = Declarer(self._types, self.notes, options, modules, self._forced)

    def read(self) -> None:
        """Read what the files export, and what that reaches."""
        roots = [group for file in self._given for group in self._files.roots(file)]
        for file in self._given:
            self._reserve(file)
        named = {name for file in self._given for name in referenced(file)}
        for group in roots:
            if group.name not in named:
                self.declarer.main(group)
        later: list[Group] = []
        generic: list[Group] = []
        for group in sorted(roots, key=_names_an_instance):
            if any(parameter.default is None for parameter in parameters_of(group)):
                generic.append(group)
            elif not self._guarded(group, self._capability):
                later.append(group)
        self.declarer.read()
        alone = not self.declarer.found.entries and not self.notes.faults
        for group in later:
            self._guarded(group, lambda group: self._model(group, in_earnest=alone))
        for group in generic:
            self._generic(group)

    def _guarded(self, group: Group, read: Callable[[Group], bool | None]) -> bool | None:
        """Read something. A type of it that goes on without an end is told, whatever it was that followed it."""
        try:
            return read(group)
        except RecursionError:
            self.notes.fault(group.file, group.first.position, *ENDLESS)
            return True

    def _reserve(self, file: File) -> None:
        for name, declarations in file.syntax.declarations.items():
            group = self._files.group(file, name)
            if group is not None and not all(isinstance(one, nodes.ConstDeclaration) for one in declarations):
                self.declarer.reserve(group)

    def _closure(self, group: Group) -> Closure:
        return Closure(nodes.Named(group.first.position, group.name), Env(group.file))

    def _capability(self, group: Group) -> bool:
        """Read something that travels by reference; False if it does not."""
        if not any(isinstance(one, nodes.InterfaceDeclaration | nodes.AliasDeclaration) for one in group.declarations):
            return False
        closure = self._closure(group)
        try:
            declared = self._types.step(closure)
            head = self._types.head(closure)
            view = self._types.view(closure)
        except RefusedTypeError as refused:
            if not _looks_like_interface(group):
                return False
            self.notes.fault(refused.file, refused.position, refused.reason, refused.hint)
            return True
        if view is None or not isinstance(declared, Declared) or (view.is_class and not view.is_target):
            return False
        named = head if isinstance(head, Declared) else declared
        if not self.declarer.is_capability(named, view) and not self.declarer.is_capability(declared, view):
            return False
        if view.calls and not view.slots:
            return False
        self.declarer.shapes.shape(closure, Hint(class_name(group.name), class_name(group.name)))
        return True

    def _model(self, group: Group, *, in_earnest: bool) -> None:
        """Read something that nobody is known to need."""
        closure = self._closure(group)
        view = self._view(closure)
        if view is not None and view.is_error:
            if group not in self.declarer.found.errors:
                text = f"no method says that it throws {group.name}, which is left out"
                self.notes.decide(group.file, group.first.position, text)
            return
        if view is not None and view.is_class and not view.is_target:
            text = f"{group.name} is a class that does not extend RpcTarget, and left out"
            self.notes.decide(group.file, group.first.position, text)
            return
        if view is None or view.calls:
            return
        mark, faults, decisions = self.declarer.mark(), len(self.notes.faults), dict(self.notes.decisions)
        self.declarer.shapes.shape(closure, Hint(class_name(group.name), class_name(group.name)))
        self.declarer.read()
        new = self.notes.faults[faults:]
        if new and not in_earnest:
            self.declarer.back(mark)
            del self.notes.faults[faults:]
            self.notes.decisions = decisions
            text = f"{group.name} is used by no interface, and left out: {new[0].message}"
            self.notes.decide(group.file, group.first.position, text)

    def _view(self, closure: Closure) -> View | None:
        try:
            return self._types.view(closure)
        except RefusedTypeError:
            return None

    def _generic(self, group: Group) -> None:
        """Tell of a generic interface that nothing gives type arguments which it can be read with."""
        if group in self.declarer.sound or not _looks_like_interface(group):
            return
        names = ", ".join(parameter.name for parameter in parameters_of(group))
        what = f"{group.name} is generic: by itself it is no interface that could be read"
        self.notes.fault(group.file, group.first.position, what, f"instantiate it: type X = {group.name}<{names}>")


def _names_an_instance(group: Group) -> bool:
    """Aliases that name a generic with its type arguments come first, so that these are called so."""
    alias = group.first
    return not (
        isinstance(alias, nodes.AliasDeclaration) and isinstance(alias.type, nodes.Named) and alias.type.arguments
    )


def _looks_like_interface(group: Group) -> bool:
    return any(
        isinstance(one, nodes.InterfaceDeclaration)
        and (
            any(member.kind == "method" for member in one.members)
            or any(isinstance(base, nodes.Named) and base.name.endswith("RpcTarget") for base in one.bases)
        )
        and not (one.is_class and not one.bases)
        for one in group.declarations
    )


def _circle(schemas: Sequence[ir.Schema], details: Mapping[str, Details], modules: Modules) -> list[File]:
    """Files whose modules need each other."""
    needs = {schema.module: set(_needed(schema, details[schema.module])) for schema in schemas}
    for through in needs:
        for found in needs.values():
            found |= needs[through] if through in found else set()
    for module, found in needs.items():
        others = {other for other in found - {module} if module in needs.get(other, ())}
        if others:
            return [file for file, made in modules.items() if made.name in {module, *others}]
    return []


def _needed(schema: ir.Schema, details: Details) -> Iterator[str]:
    """The modules that a schema imports from. An exception may be declared where no method raises it."""
    for part in (schema, schema.model_copy(update={"errors": details.errors})):
        yield from (reference.module for reference in (*graph.references(part), *graph.imported(part)))


def _worth_telling(faults: Sequence[Diagnostic], reading: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Faults that are not of the making of a file that could not be read."""
    broken = {fault.file for fault in reading}
    return [fault for fault in faults if fault.file not in broken and not (reading and "not known" in fault.message)]
