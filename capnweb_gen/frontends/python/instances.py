"""Generic interfaces with their type arguments: which ones the schemas of a run name, and which module is theirs.

Rule: each is an interface of its own, in one module however many schemas name it. The module is that of the generic or
of one of the arguments: the one that needs most others, so that no two generated modules come to need each other by
this; of equals, the one whose name comes last. A generic may come from elsewhere, such as a library: where its
arguments name no schema either, the module is that of the schema that names it, and needs the fewest others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, get_args, get_origin

from capnweb_gen import graph, ir
from capnweb_gen.errors import UnsupportedTypeError
from capnweb_gen.frontends.python import generics
from capnweb_gen.frontends.python.shapes import is_model

DEEPEST = 6
"""How often a generic may be named within its own body with yet other arguments."""


@dataclass(frozen=True)
class Instance:
    """A generic interface with type arguments. `within` are the generics in whose bodies it was first named."""

    origin: type
    arguments: tuple[object, ...]
    name: str
    within: tuple[type, ...] = field(default=(), compare=False)

    @property
    def bindings(self) -> dict[Any, object]:
        """What stands for each type parameter."""
        return generics.bound(self.origin, self.arguments)

    @property
    def written(self) -> str:
        """As people write it."""
        return generics.written(self.origin, self.arguments)

    def modules(self) -> frozenset[str]:
        """The modules that declare the generic and what is in its arguments."""
        return frozenset({self.origin.__module__, *(name for item in self.arguments for name in _modules(item))})


class Instances:
    """Those of one run. They are found by reading all schemas once; then each gets a home, and all is read again."""

    def __init__(self) -> None:
        self._found: dict[tuple[type, tuple[object, ...]], Instance] = {}
        self._homes: dict[Instance, str] | None = None
        self._reading: Instance | None = None

    def __bool__(self) -> bool:
        return bool(self._found)

    def found(self) -> tuple[Instance, ...]:
        """All that are known by now, as they were found."""
        return tuple(self._found.values())

    def named(self, origin: type, arguments: tuple[object, ...]) -> ir.Reference:
        """The interface that a type names, by which generated code can be told of it.

        Raises:
            UnsupportedTypeError: it has no name, or it is one of endlessly many.
        """
        instance = self._found.get((origin, arguments))
        if instance is None:
            name = generics.interface_name(origin, arguments)
            if name is None:
                reason = f"{generics.written(origin, arguments)} has no name of its own"
                raise UnsupportedTypeError(reason, "give the type argument a name: a model, an enum or a NewType")
            within = (*self._reading.within, self._reading.origin) if self._reading else ()
            if self._homes is not None or within.count(origin) >= DEEPEST:
                reason = f"each {origin.__name__} needs another one of a larger type, without end"
                hint = f"pass the type parameter on unchanged, or give a type that ends it: {origin.__name__}[int]"
                raise UnsupportedTypeError(reason, hint)
            instance = self._found[origin, arguments] = Instance(origin, arguments, name, within)
        home = origin.__module__ if self._homes is None else self._homes[instance]
        return ir.Reference(module=home, name=instance.name)

    def reading(self, instance: Instance | None) -> None:
        """Told of the one whose body is being read."""
        self._reading = instance

    def of(self, module: str) -> tuple[Instance, ...]:
        """Those that have their home in a module, by name."""
        homes = self._homes or {}
        return tuple(sorted((one for one in homes if homes[one] == module), key=lambda one: one.name))

    def settle(
        self,
        schemas: Iterable[ir.Schema],
        bodies: dict[Instance, ir.Interface | ir.Callback],
        compiled: Collection[str],
    ) -> None:
        """Give each its home.

        Args:
            schemas: all schemas of the run, in which the module of the generic stands for the home.
            bodies: each instance as it was read there.
            compiled: the modules of the run.
        """
        named = {(one.origin.__module__, one.name): one for one in bodies}
        needed: dict[str, set[str]] = {}
        namers: dict[Instance, set[str]] = {one: set() for one in bodies}
        within: dict[Instance, set[Instance]] = {one: set() for one in bodies}

        for schema in schemas:
            needs = needed.setdefault(schema.module, set())
            for reference in graph.references(schema):
                instance = named.get((reference.module, reference.name))
                needs |= {reference.module} if instance is None else {*instance.modules()} & {*compiled}
                if instance is not None:
                    namers[instance].add(schema.module)
        for instance, body in bodies.items():
            home = instance.origin.__module__
            others: set[str] = set()
            for reference in graph.references(_alone(home, body)):
                inner = named.get((reference.module, reference.name))
                others |= {reference.module} if inner is None else {*inner.modules()}
                if inner is not None:
                    within[inner].add(instance)
            if home in compiled:
                needed.setdefault(home, set()).update((others - instance.modules()) & {*compiled})
        rank = {module: (len(_reached(module, needed) - {module}), module) for module in needed}
        homes: dict[Instance, str] = {}
        for one in bodies:  # those in whose bodies it is named were found before it
            own = one.modules() & rank.keys()
            if own:
                homes[one] = max(own, key=lambda name: rank[name])
                continue
            around = {homes[outer] for outer in within[one] if outer in homes}
            others = (namers[one] | around) & rank.keys()
            homes[one] = min(others, key=lambda name: rank[name], default=one.origin.__module__)
        self._homes = homes


def _alone(module: str, body: ir.Interface | ir.Callback) -> ir.Schema:
    """A schema of nothing but one interface or callback."""
    kind = "interfaces" if isinstance(body, ir.Interface) else "callbacks"
    return ir.Schema(module=module, path="", output="").model_copy(update={kind: (body,)})


def _modules(argument: object) -> Iterator[str]:
    """The modules that declare what is in a type argument."""
    inside = get_args(argument)
    if is_model(argument):
        inside = generics.generic_arguments(argument)
        yield (generics.generic_origin(argument) or argument).__module__
    else:
        declared: object = get_origin(argument) or argument
        yield getattr(declared, "__module__", "")
    for inner in inside:
        yield from _modules(inner)


def _reached(module: str, needed: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [module]
    while waiting:
        new = needed.get(waiting.pop(), set()) - found
        found |= new
        waiting.extend(new)
    return found
