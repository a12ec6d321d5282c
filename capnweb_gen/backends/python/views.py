"""Views: one generated module as the templates see it.

Rule: text and nothing to decide. Strings hold finished Python, laid out for the place where they go; templates add
order, indentation and blank lines.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FunctionView:
    """A method or property: `...` is part of the signature where there is neither docstring nor body."""

    decorators: tuple[str, ...]
    signature: str
    doc: str | None
    body: str | None


@dataclass(frozen=True)
class ClassView:
    """A class: its header, its docstring, assignments, functions."""

    header: str
    doc: str
    assignments: tuple[str, ...] = ()
    functions: tuple[FunctionView, ...] = ()


@dataclass(frozen=True)
class DecodingView:
    """The function that decodes a model, by its builder in the end; or one that only reads the fields, and then the
    `decoder` that the builder makes of it.

    `fields` are entries of what is read, which `reads` adds to.
    """

    signature: str
    opening: str
    fields: tuple[str, ...]
    reads: tuple[str, ...]
    ending: str
    decoder: str


@dataclass(frozen=True)
class ModelView:
    """The functions that encode and decode a model, and its builder.

    `absent` are the fields that a value may be without. `root` is the codec of a root model, which has no fields of its
    own, and else empty. `looks` says whether an entry needs the local variable x.
    """

    encode_signature: str
    entries: tuple[str, ...]
    opening: str
    absent: tuple[tuple[str, str], ...]
    decoding: DecodingView
    model: str
    root: str
    builder: str
    declared_builder: str
    keeps_extra: bool
    looks: bool


@dataclass(frozen=True)
class InterfaceView:
    """The classes made for an interface."""

    name: str
    spec: ClassView
    calls: ClassView
    stub: ClassView
    promise: ClassView
    target: ClassView


@dataclass(frozen=True)
class CallbackView:
    """The classes made for a callback."""

    name: str
    classes: tuple[ClassView, ...]


@dataclass(frozen=True)
class ModuleView:
    """A generated module."""

    header: str
    doc: str
    imports: tuple[tuple[str, ...], ...]
    api: int
    models: tuple[ModelView, ...]
    codecs: tuple[str, ...]
    type_variables: tuple[str, ...]
    promises: tuple[ClassView, ...]
    interfaces: tuple[InterfaceView, ...]
    callbacks: tuple[CallbackView, ...] = ()
    blocking_stubs: tuple[ClassView, ...] = ()


@dataclass(frozen=True)
class ReflectedView:
    """The IR of a schema: `modules` are entries, `schema` is the inside of a string."""

    header: str
    doc: str
    modules: tuple[str, ...]
    schema: tuple[str, ...]
