"""What a TypeScript file declares, as data: types, members, declarations.

Rule: plain frozen data with positions. A form that has no meaning for a schema is kept as a `Refused` type, which is
told only where a schema needs it: most of a file may be about something else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from capnweb_gen.ir import Position

TypeValue = bool | int | float | str
"""A constant in a type."""

ConstValue = TypeValue | dict[str, "ConstValue"] | list["ConstValue"] | None
"""A constant in a declaration with `as const`; None for anything that is not written out."""


@dataclass(frozen=True)
class Thrown:
    """What `@throws` says: the type in braces or in a link, and the rest of the text; or else the first word, which may
    be a type, and all of the text.
    """

    name: str
    text: str
    is_type: bool


@dataclass(frozen=True)
class Doc:
    """A JSDoc comment.

    `text` is what stands before all tags, and behind those that are none of the others here. `deprecated` is what
    follows that tag, and empty if nothing does; `tags` are for programs, as ("capnweb", "int").
    """

    text: str = ""
    deprecated: str | None = None
    parameters: tuple[tuple[str, str], ...] = ()
    returns: str = ""
    throws: tuple[Thrown, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()

    def has(self, tag: str) -> bool:
        """Whether it has a tag."""
        return any(name == tag for name, _ in self.tags)

    def marks(self) -> tuple[str, ...]:
        """What stands behind each `@capnweb`."""
        return tuple(said for name, said in self.tags if name == "capnweb")


NO_DOC = Doc()


# ---- types


@dataclass(frozen=True)
class TypeNode:
    """Base of all types. `position` is where it begins."""

    position: Position


@dataclass(frozen=True)
class Keyword(TypeNode):
    """A type that the language names: string, number, any, void, ..."""

    name: str


@dataclass(frozen=True)
class Named(TypeNode):
    """A type by its name, which may have dots, and its type arguments."""

    name: str
    arguments: tuple[TypeNode, ...] = ()


@dataclass(frozen=True)
class Constant(TypeNode):
    """A type that has one value."""

    value: TypeValue


@dataclass(frozen=True)
class ArrayType(TypeNode):
    """T[]."""

    item: TypeNode


@dataclass(frozen=True)
class Element:
    """One element of a tuple."""

    type: TypeNode
    optional: bool = False
    rest: bool = False


@dataclass(frozen=True)
class TupleType(TypeNode):
    """[A, B?, ...C[]]."""

    items: tuple[Element, ...]


@dataclass(frozen=True)
class ObjectType(TypeNode):
    """{ a: A; b(): B }."""

    members: tuple[Member, ...]


@dataclass(frozen=True)
class MappedType(TypeNode):
    """{ [key in keys]: type }. `optional` says whether members become optional (True) or required (False)."""

    key: str
    keys: TypeNode
    type: TypeNode
    optional: bool | None = None


@dataclass(frozen=True)
class UnionType(TypeNode):
    """A | B."""

    members: tuple[TypeNode, ...]


@dataclass(frozen=True)
class IntersectionType(TypeNode):
    """A & B."""

    members: tuple[TypeNode, ...]


@dataclass(frozen=True)
class FunctionType(TypeNode):
    """(a: A) => B."""

    signature: Signature


@dataclass(frozen=True)
class KeyOf(TypeNode):
    """keyof T."""

    item: TypeNode


@dataclass(frozen=True)
class TypeOf(TypeNode):
    """typeof value; the name may have dots."""

    name: str


@dataclass(frozen=True)
class Indexed(TypeNode):
    """T[K]."""

    item: TypeNode
    index: TypeNode


@dataclass(frozen=True)
class Template(TypeNode):
    """A template literal type, of texts and types."""

    parts: tuple[str | TypeNode, ...]


@dataclass(frozen=True)
class Refused(TypeNode):
    """A form that cannot be read: what it is, and what to write instead."""

    reason: str
    hint: str


# ---- members


@dataclass(frozen=True)
class Parameter:
    """A parameter. `default` is the constant that it has, if that is written out; `is_property` tells that it declares
    a public property, as those of constructors may.
    """

    name: str
    position: Position
    type: TypeNode | None
    optional: bool = False
    rest: bool = False
    default: TypeValue | None = None
    is_property: bool = False


@dataclass(frozen=True)
class Signature:
    """What a function takes and gives. `result` is None where nothing is declared."""

    position: Position
    parameters: tuple[Parameter, ...]
    result: TypeNode | None
    type_parameters: tuple[TypeParameter, ...] = ()


Access = Literal["public", "private", "protected"]
MemberKind = Literal["property", "method", "getter", "setter", "call", "construct", "index", "constructor"]


@dataclass(frozen=True)
class Member:
    """A member of an interface, a class or an object type.

    `key` is the type of the keys of an index signature; `name` is None where it is computed. `initialized` tells that a
    field of a class has a value, `body` that a method has one, `generator` that it is `*name`. `constant` is that
    value, if it is one; of a constructor, the name that it gives what it makes.
    """

    kind: MemberKind
    position: Position
    name: str | None = None
    doc: Doc = NO_DOC
    type: TypeNode | None = None
    key: TypeNode | None = None
    signature: Signature | None = None
    optional: bool = False
    access: Access = "public"
    static: bool = False
    readonly: bool = False
    generator: bool = False
    body: bool = False
    initialized: bool = False
    constant: TypeValue | None = None


# ---- declarations


@dataclass(frozen=True)
class TypeParameter:
    """A type parameter."""

    name: str
    constraint: TypeNode | None = None
    default: TypeNode | None = None


@dataclass(frozen=True)
class Declaration:
    """Base of what has a name. `name` has dots inside namespaces; `exported` tells that other files can see it."""

    name: str
    position: Position
    doc: Doc
    exported: bool


@dataclass(frozen=True)
class InterfaceDeclaration(Declaration):
    """An interface, or a class."""

    type_parameters: tuple[TypeParameter, ...] = ()
    bases: tuple[TypeNode, ...] = ()
    members: tuple[Member, ...] = ()
    is_class: bool = False


@dataclass(frozen=True)
class AliasDeclaration(Declaration):
    """type name<...> = type."""

    type: TypeNode
    type_parameters: tuple[TypeParameter, ...] = ()


@dataclass(frozen=True)
class EnumMember:
    """A member of an enum; `value` is None where it is computed."""

    name: str
    value: int | float | str | None
    position: Position
    doc: Doc = NO_DOC


@dataclass(frozen=True)
class EnumDeclaration(Declaration):
    """An enum."""

    members: tuple[EnumMember, ...]


@dataclass(frozen=True)
class ConstDeclaration(Declaration):
    """A constant, of which `typeof` tells the type: its value as far as it is written out, or its declared type."""

    value: ConstValue
    type: TypeNode | None = None


@dataclass(frozen=True)
class Import:
    """A name from another file: its name there, "default", or "*" for all of it."""

    name: str
    source: str
    position: Position


@dataclass
class FileSyntax:
    """What stands in one file.

    `imports` are by local name, `exports` by exported name: the local name, or an import. `stars` are the files all of
    which is exported again. `generated` tells that a back end has written it.
    """

    doc: str | None = None
    generated: bool = False
    declarations: dict[str, list[Declaration]] = field(default_factory=dict[str, "list[Declaration]"])
    imports: dict[str, Import] = field(default_factory=dict[str, Import])
    exports: dict[str, str | Import] = field(default_factory=dict[str, "str | Import"])
    stars: list[Import] = field(default_factory=list[Import])
