"""What one generated file needs beside its own declarations: imports, and aliases.

Rule: a name is imported, and an alias declared, when it is spelled, so that there is none too many. Nothing is called
like anything else in the file.
"""

from __future__ import annotations

from dataclasses import replace

from capnweb_gen import ir
from capnweb_gen.backends.typescript import names
from capnweb_gen.backends.typescript.aliases import Alias
from capnweb_gen.backends.typescript.survey import Survey, named_by


class Scope:
    """Spells names for one file, and collects what has to be imported and declared for them."""

    def __init__(self, schema: ir.Schema, run: Survey) -> None:
        self.schema = schema
        self.peers = run.peers
        self._taken = set(_declared(schema, run))
        self._packages: dict[str, dict[str, bool]] = {}
        self._imports: dict[str, dict[str, str]] = {}
        self._aliases: dict[Alias, Alias] = {}

    def named(self, reference: ir.Reference) -> str:
        """The type of a model, an interface, a callback, an enum or a NewType."""
        name = names.type_name(reference.name)
        home = self.peers.get(reference.module, self.schema)
        if home is self.schema:
            return name
        module = names.specifier(self.schema, home)
        known = self._imports.setdefault(module, {})
        if name not in known:
            known[name] = self.free(name)
        return known[name]

    def runtime(self, name: str, *, value: bool = False, package: str = "capnweb") -> str:
        """A name from the npm package; `value` tells that it is there at run time, too."""
        known = self._packages.setdefault(package, {})
        known[name] = known.get(name, False) or value
        return name

    def alias(self, alias: Alias) -> str:
        """What a type is called here that JavaScript has none for."""
        if alias not in self._aliases:
            self._aliases[alias] = replace(alias, name=self.free(alias.name))
            if "RpcTarget" in alias.parameters + alias.spelled:
                self.runtime("RpcTarget")
        return self._aliases[alias].name

    def free(self, name: str) -> str:
        """A name that nothing else in the file has, as like this one as possible."""
        name = names.type_name(name)
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name

    @property
    def aliases(self) -> tuple[Alias, ...]:
        """The aliases to declare, in the order in which they were needed."""
        return tuple(self._aliases.values())

    def imports(self) -> list[tuple[str, list[str]]]:
        """Modules, and what to import from each; only types from other schemas."""
        found = [
            (package, [name if value else f"type {name}" for name, value in sorted(known.items(), key=_values_first)])
            for package, known in self._packages.items()
        ]
        for module, known in sorted(self._imports.items()):
            spelled = [name if name == here else f"{name} as {here}" for name, here in sorted(known.items())]
            found.append((module, spelled))
        return found


def _values_first(known: tuple[str, bool]) -> tuple[bool, str]:
    name, value = known
    return not value, name


def _declared(schema: ir.Schema, run: Survey) -> list[str]:
    own = [model.name for model in schema.models] + [error.name for error in schema.errors]
    own += [interface.name for interface in schema.interfaces] + [callback.name for callback in schema.callbacks]
    own += [named_by(shape).name for shape in run.named[schema.module]]
    return list(map(names.type_name, own))
