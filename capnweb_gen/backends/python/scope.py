"""The names of one generated module: what it imports, and how each is spelled there.

Rule: a name is imported when it is spelled, so that there are no unused imports; and no name is spelled in a way that
a member of a class could shadow, because annotations are read in the scope of the class.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable

from capnweb_gen import graph, ir
from capnweb_gen.backends.python import layout, module_names

RUNTIME = "capnweb_runtime.codegen_api"

_STANDARD = frozenset({"abc", "collections.abc", "datetime", "decimal", "ipaddress", "pathlib", "typing", "uuid"})
_THIRD_PARTY = frozenset({"pydantic", "typing_extensions"})
_NUMBERS = re.compile(r"([0-9]+)")


class Scope:
    """Spells names for one module and collects its imports."""

    def __init__(
        self,
        schema: ir.Schema,
        peers: graph.Peers,
        cyclic: frozenset[str],
        shadowed: frozenset[str] | None = None,
    ) -> None:
        """Begin a module for `schema`.

        Args:
            schema: the schema that the module is generated for.
            peers: all schemas of the run, by module.
            cyclic: the peers that also need this schema, directly or not. Their names are looked up when used.
            shadowed: names that no import may take, if they are others than those of the module of stubs.
        """
        self._schema = schema
        self._peers = peers
        self._cyclic = cyclic
        self._shadowed = frozenset(_class_scope_names(schema)) if shadowed is None else shadowed
        self._models = frozenset(reference.name for reference in graph.references(schema))
        self._models |= {reference.name for reference in graph.imported(schema)}
        self._models |= {model.name for model in schema.models} | {error.name for error in schema.errors}
        self._modules: set[str] = set()
        self._names: dict[str, set[str]] = {}

    def builtin(self, name: str) -> str:
        """`int`, or `builtins.int` where a class of this module has a member called int."""
        if name not in self._shadowed:
            return name
        self._modules.add("builtins")
        return f"builtins.{name}"

    def imported(self, module: str, name: str) -> str:
        """A name from another module; with an underscore where it would be shadowed, or where a model is called so."""
        supporting = module in _STANDARD or module in _THIRD_PARTY
        taken = name in self._shadowed or (supporting and name in self._models)
        spelled = f"{name}_" if taken else name
        self._names.setdefault(module, set()).add(name if spelled == name else f"{name} as {spelled}")
        return spelled

    def generated(self, reference: ir.Reference, derive: Callable[[str], str]) -> str:
        """A name that the generated module of a model, interface or callback declares, derived from its name in the
        schema.
        """
        name = derive(reference.name)
        home = self._home(reference)
        if home is self._schema:
            return name
        if home.module in self._cyclic:
            package, module = relative(self._schema, home)
            # `from ..folder import other`, but `from .. import other`
            return f"{self.imported(package.rstrip('.') or package, module)}.{name}"
        return self.imported("".join(relative(self._schema, home)), name)

    def is_cyclic(self, reference: ir.Reference) -> bool:
        """Whether it belongs to a module that needs this one too."""
        return self._home(reference).module in self._cyclic

    def is_pure(self, reference: ir.Reference) -> bool:
        """Whether decoding a model needs nothing but its wire form."""
        return graph.is_pure(reference, self._schema, self._peers)

    def secret_keys(self, reference: ir.Reference) -> list[str]:
        """Which keys are secret in a model, at any depth, in a fixed order."""
        return sorted(graph.secret_keys(reference, self._schema, self._peers))

    def is_typed_dict(self, reference: ir.Reference) -> bool:
        """Whether the values of a model are dicts."""
        found = graph.find_model(reference, self._schema, self._peers)
        return found is not None and found.form == "typed_dict"

    def generic(self, reference: ir.Reference) -> ir.Generic | None:
        """What a model was made of by giving type arguments to a generic one."""
        found = graph.find_model(reference, self._schema, self._peers)
        return found.generic if found else None

    def is_bare(self, reference: ir.Reference) -> bool:
        """Whether a model that was made of a generic one is that one at run time, without its type arguments.

        A plain class never has them then; and a pydantic model holds targets at one end and stubs at the other.
        """
        found = graph.find_model(reference, self._schema, self._peers)
        if found is None or found.generic is None:
            return False
        plain = found.form not in {"pydantic", "root"}
        return plain or graph.hold_capabilities(found.generic.arguments, self._schema, self._peers)

    def tags(self, union: ir.UnionShape) -> tuple[str, graph.Tags]:
        """The field that tells the models of a union apart, and the model of each of its values."""
        found = graph.tags(union, self._schema, self._peers)
        if found is None:
            raise AssertionError(f"nothing tells {union!r} apart: check lets no such type through")
        return found

    def import_blocks(self) -> list[list[str]]:
        """The import statements in their groups: standard library, others, this project, the generated package."""
        blocks: list[list[str]] = [[], [], [], []]
        for module in sorted(self._modules):
            blocks[0].append(f"import {module}")
        for module in sorted(self._names, key=_module_order):
            plain = sorted((name for name in self._names[module] if " as " not in name), key=_name_order)
            renamed = sorted((name for name in self._names[module] if " as " in name), key=_name_order)
            for names in ([plain] if plain else []) + [[name] for name in renamed]:
                blocks[self._block_of(module)].append(layout.imported(module, names))
        return [block for block in blocks if block]

    def _home(self, reference: ir.Reference) -> ir.Schema:
        """The schema whose generated module declares this: foreign models are declared where they are used."""
        peer = self._peers.get(reference.module)
        return self._schema if peer is None else peer

    def _block_of(self, module: str) -> int:
        if module.startswith("."):
            return 3
        if module in _THIRD_PARTY:
            return 1
        return 0 if module.partition(".")[0] in sys.stdlib_module_names else 2


def _class_scope_names(schema: ir.Schema) -> Iterable[str]:
    for interface in schema.interfaces:
        yield from module_names.interface_names(interface.name)
        yield from (member.name for member in interface.members)
    for callback in schema.callbacks:
        yield from module_names.callback_names(callback.name)
    for model in schema.models:
        yield from module_names.model_names(model.name)[1:]
        yield from (field.name for field in model.fields)


def relative(schema: ir.Schema, other: ir.Schema) -> tuple[str, str]:
    """How the module generated for one schema names the one of another: (".", "other"), ("..folder.", "other")."""
    here = schema.output.removesuffix(".py").split("/")[:-1]
    there = other.output.removesuffix(".py").split("/")
    shared = 0
    while shared < len(here) and here[shared] == there[shared]:
        shared += 1
    *folders, module = there[shared:]
    return "." * (1 + len(here) - shared) + "".join(f"{folder}." for folder in folders), module


def _module_order(module: str) -> tuple[int, list[str | int], str]:
    """Relative imports last, the furthest first."""
    dots = len(module) - len(module.lstrip("."))
    return -dots if dots else -100, _natural(module), module


def _name_order(name: str) -> tuple[int, list[str | int], str]:
    """Constants, then classes, then the rest: the order in which import sorters put them."""
    rank = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return rank, _natural(name), name


def _natural(name: str) -> list[str | int]:
    """What sorts names as import sorters do: in any case, and numbers in them by what they come to."""
    return [int(part) if part.isdecimal() else part for part in _NUMBERS.split(name.lower())]
