"""What a type means where it stands: a type with the file, the namespace and the type arguments around it.

Rule: nothing is looked up before it is needed. A name is followed one step at a time, so that whoever asks can stop at
a name that is worth keeping.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from capnweb_gen.frontends.typescript import known, nodes
from capnweb_gen.frontends.typescript.files import RPC_NAMES, File, Files, Foreign, Group
from capnweb_gen.ir import Position


class RefusedTypeError(Exception):
    """A type cannot travel, or cannot be read: why, what to write instead, and where it stands."""

    def __init__(self, reason: str, hint: str, position: Position, file: File) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint
        self.position = position
        self.file = file


@dataclass(frozen=True, eq=False)
class Env:
    """Where a type stands. `this` is the type that `this` means there."""

    file: File
    namespace: str = ""
    bindings: Mapping[str, Closure] = field(default_factory=dict[str, "Closure"])
    this: Closure | None = None

    def binding(self, bindings: Mapping[str, Closure], this: Closure | None = None) -> Env:
        """The same, where other type parameters stand for something."""
        return Env(self.file, self.namespace, bindings, this)


@dataclass(frozen=True, eq=False)
class Closure:
    """A type, and where it stands."""

    node: nodes.TypeNode
    env: Env

    @property
    def position(self) -> Position:
        """Where it begins."""
        return self.node.position

    def at(self, node: nodes.TypeNode) -> Closure:
        """Another type that stands in the same place."""
        return Closure(node, self.env)

    def refuse(self, reason: str, hint: str) -> RefusedTypeError:
        """The error that it cannot be read, or cannot travel."""
        return RefusedTypeError(reason, hint, self.position, self.env.file)


@dataclass(frozen=True, eq=False)
class Declared:
    """A type that has a name: an interface, a class, an enum or a `member` of one, or an alias with the type that it
    stands for.
    """

    group: Group
    arguments: tuple[Closure, ...]
    written: Closure
    body: Closure | None = None
    member: str | None = None

    @property
    def env(self) -> Env:
        """Where its members stand."""
        parameters = parameters_of(self.group)
        env = Env(self.group.file, _namespace(self.group.name))
        return env.binding(_bound(parameters, self.arguments, env), self.written)


@dataclass(frozen=True, eq=False)
class Builtin:
    """A type of JavaScript or of the RPC package."""

    name: str
    arguments: tuple[Closure, ...]
    written: Closure

    def argument(self, index: int = 0) -> Closure:
        """One of its type arguments.

        Raises:
            RefusedTypeError: it has fewer.
        """
        if index >= len(self.arguments):
            raise self.written.refuse(f"{self.name} is written without its type arguments", f"write {self.name}<...>")
        return self.arguments[index]


Meaning = Closure | Declared | Builtin

BUILTINS = frozenset(
    [
        *(*known.SCALARS, *known.BYTES, *known.ERRORS, *known.WRAPPERS, *known.REFUSED),
        "Array",
        "ReadonlyArray",
        "Promise",
        "PromiseLike",
        "RpcPromise",
        "RpcStub",
        "RpcTarget",
        "RpcCompatible",
        "ReadableStream",
        "WritableStream",
        "Record",
        "Partial",
        "Required",
        "Readonly",
        "Pick",
        "Omit",
        "Exclude",
        "Extract",
        "NonNullable",
        "Awaited",
        "NoInfer",
        "ReturnType",
        "Parameters",
        "InstanceType",
        "ArrayBufferLike",
        "Uppercase",
        "Lowercase",
        "Capitalize",
        "Uncapitalize",
        "ConstructorParameters",
        "ThisType",
        "Event",
        "JSON",
    ]
)
"""What the language, JavaScript, the web and the packages for RPC declare; see `known` for what most of it is here."""


def parameters_of(group: Group) -> tuple[nodes.TypeParameter, ...]:
    """The type parameters of what is declared under a name."""
    for declaration in group.declarations:
        if isinstance(declaration, nodes.InterfaceDeclaration | nodes.AliasDeclaration) and declaration.type_parameters:
            return declaration.type_parameters
    return ()


class Scope:
    """Follows names."""

    def __init__(self, files: Files) -> None:
        self.files = files

    def step(self, closure: Closure) -> Meaning:
        """What a name stands for, one step further; a type that is no name is itself.

        Raises:
            RefusedTypeError: the name is not declared, or leads out of what is read.
        """
        node, env = closure.node, closure.env
        if isinstance(node, nodes.Keyword) and node.name == "this" and env.this is not None:
            return self.step(env.this)
        if not isinstance(node, nodes.Named):
            return closure
        bound = env.bindings.get(node.name)
        if bound is not None:
            return self.step(bound)
        arguments = tuple(Closure(argument, env) for argument in node.arguments)
        found = self.files.lookup(env.file, node.name, env.namespace)
        if isinstance(found, Group):
            return self._declared(found, arguments, closure)
        if isinstance(found, Foreign):
            if found.name is not None:
                return Builtin(found.name, arguments, closure)
            raise closure.refuse(f"{node.name} is not known: {found.reason}", found.hint)
        owner, _, member = node.name.rpartition(".")
        enum = self.files.lookup(env.file, owner, env.namespace) if owner else None
        if isinstance(enum, Group) and any(isinstance(one, nodes.EnumDeclaration) for one in enum.declarations):
            return Declared(enum, (), closure, member=member)
        name = node.name.removeprefix("globalThis.")
        if name in BUILTINS or name in RPC_NAMES:
            return Builtin(name, arguments, closure)
        raise closure.refuse(f"{node.name} is not declared here", "declare it, import it, or correct the spelling")

    def _declared(self, group: Group, arguments: tuple[Closure, ...], written: Closure) -> Declared:
        parameters = parameters_of(group)
        needed = [parameter for parameter in parameters if parameter.default is None]
        if len(arguments) < len(needed):
            names = ", ".join(parameter.name for parameter in parameters)
            what = f"{group.name}<{names}>"
            raise written.refuse(f"{group.name} is generic, and is used without type arguments", f"write {what}")
        if len(arguments) > len(parameters):
            takes = f"takes {len(parameters)}" if parameters else "is not generic"
            raise written.refuse(
                f"{group.name} is given {len(arguments)} type arguments, and {takes}", "give it that many"
            )
        alias = next((one for one in group.declarations if isinstance(one, nodes.AliasDeclaration)), None)
        if alias is not None:
            env = Env(group.file, _namespace(group.name))
            return Declared(
                group, arguments, written, Closure(alias.type, env.binding(_bound(parameters, arguments, env)))
            )
        typed = (nodes.InterfaceDeclaration, nodes.EnumDeclaration)
        if not any(isinstance(one, typed) for one in group.declarations):
            raise written.refuse(f"{group.name} is a value, not a type", f"write typeof {group.name}")
        return Declared(group, arguments, written)


def _namespace(name: str) -> str:
    inside, dot, _ = name.rpartition(".")
    return f"{inside}{dot}"


def _bound(parameters: Iterable[nodes.TypeParameter], arguments: tuple[Closure, ...], env: Env) -> dict[str, Closure]:
    """What stands for each type parameter; defaults may name the parameters before them."""
    bindings: dict[str, Closure] = {}
    for index, parameter in enumerate(parameters):
        if index < len(arguments):
            bindings[parameter.name] = arguments[index]
        elif parameter.default is not None:
            bindings[parameter.name] = Closure(parameter.default, env.binding(dict(bindings)))
    return bindings
