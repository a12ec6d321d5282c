"""Lowering one schema to the view of its generated file.

Rule: schema order within each kind of declaration. What is made here depends on the schemas and on nothing else.
"""

from __future__ import annotations

from capnweb_gen import graph, ir, naming
from capnweb_gen.backends.typescript import names, text
from capnweb_gen.backends.typescript.aliases import TAG
from capnweb_gen.backends.typescript.checked import checked
from capnweb_gen.backends.typescript.members import Members, deprecated, documented
from capnweb_gen.backends.typescript.scope import Scope
from capnweb_gen.backends.typescript.spelling import Spelling
from capnweb_gen.backends.typescript.survey import Named, Survey
from capnweb_gen.backends.typescript.views import (
    BlockView,
    CheckedView,
    ErrorView,
    ModuleView,
    StatementView,
)

HEADER = f"{naming.MARK} from"
_LOST = frozenset({"name", "message", "stack", "errorName"})
"""Names on the wire that no attribute of an error can have in JavaScript."""


def lower(schema: ir.Schema, run: Survey, command: str, *, validate: bool = False) -> ModuleView:
    """Decide everything about the file generated for a schema.

    Args:
        schema: a schema in which nothing is wrong.
        run: all schemas of the run.
        command: what a reader should run instead of editing the file.
        validate: whether calls and results are to be checked by the npm package `capnweb-validate`.
    """
    return _Lowering(schema, run, validate).module(command)


class _Lowering:
    """The state of lowering one schema."""

    def __init__(self, schema: ir.Schema, run: Survey, validate: bool) -> None:
        self._schema = schema
        self._run = run
        self._peers = run.peers
        self._validate = validate
        self._scope = Scope(schema, run)
        self._spelling = Spelling(self._scope, validate=validate)
        self._members = Members(self._spelling)

    def module(self, command: str) -> ModuleView:
        """The whole file. Imports and aliases are collected on the way, so that they come last here."""
        schema = self._schema
        declarations = [
            *(self._named(shape) for shape in self._run.named[schema.module]),
            *(self._model(model) for model in schema.models),
            *(self._callback(callback) for callback in schema.callbacks),
            *(self._interface(interface) for interface in schema.interfaces),
        ]
        errors = tuple(self._error(error) for error in schema.errors)
        connect = self._connect() if schema.interfaces else ""
        classes = self._checked() if self._validate else ()
        told = f"What {schema.path} declares, for the npm package capnweb."
        about = documented(f"{told}\n\n{schema.doc}" if schema.doc else told, "@packageDocumentation")
        return ModuleView(
            header=text.header(f"{HEADER} {schema.path}.", f"Do not edit; run: {command}"),
            comment=text.comment(about),
            imports=tuple(_imported(module, spelled) for module, spelled in self._scope.imports()),
            aliases=tuple(
                StatementView(text.comment(alias.doc), f"type {alias.name}{alias.parameters} = {alias.spelled};")
                for alias in sorted(self._scope.aliases, key=lambda alias: alias.name)
            ),
            declarations=tuple(declarations),
            errors=errors,
            connect=connect,
            checked=classes,
        )

    def _named(self, shape: Named) -> StatementView | BlockView:
        if isinstance(shape, ir.NewTypeShape):
            name = names.type_name(shape.new_type.name)
            comment = text.comment([*_renamed(shape.new_type.name), f"{TAG} new_type"])
            return StatementView(comment, f"export type {name} = {self._spelling.whole(shape.item)};")
        name = names.type_name(shape.enum.name)
        tags = [*_renamed(shape.enum.name), *([f"{TAG} flag"] if shape.flag else [])]
        tags += [f"{TAG} partial"] if shape.partial else []
        spelled = "number" if shape.flag else f"(typeof {name})[keyof typeof {name}]"
        return BlockView(
            text.comment(tags),
            f"export const {name} = {{",
            tuple(
                StatementView("", f"{names.member(member.name)}: {text.literal(member.value)},")
                for member in shape.members
            ),
            f"}} as const;\nexport type {name} = {spelled};",
        )

    def _model(self, model: ir.Model) -> StatementView | BlockView:
        name = names.type_name(model.name)
        tags = _renamed(model.name)
        if model.form == "root":
            comment = text.comment(documented(model.doc, *tags, f"{TAG} root"))
            return StatementView(
                comment,
                text.declared(f"export type {name} =", self._spelling.whole(model.fields[0].type), ";", indent=""),
            )
        tags += [f"{TAG} forbid_extra"] if model.extra == "forbid" else []
        own = ir.Reference(module=model.module, name=model.name)
        members = tuple(self._members.field(field, (own, field.wire) in self._run.tags) for field in model.fields)
        if model.extra == "allow":
            members += (StatementView("", "[key: string]: unknown;"),)
        if not members:
            comment = text.comment(documented(model.doc, *tags, f"{TAG} model"))
            return StatementView(comment, f"export type {name} = Record<string, never>;")
        return BlockView(text.comment(documented(model.doc, *tags)), f"export type {name} = {{", members, "};")

    def _callback(self, callback: ir.Callback) -> BlockView:
        name = names.type_name(callback.name)
        own = ir.Reference(module=self._schema.module, name=callback.name)
        doc = documented(callback.doc, *deprecated(callback.deprecated), *_renamed(callback.name))
        call = self._members.call(callback, own)
        return BlockView(text.comment(doc), f"export interface {name} {{", (call,), "}")

    def _interface(self, interface: ir.Interface) -> StatementView | BlockView:
        name = names.type_name(interface.name)
        tags = [*deprecated(interface.deprecated), *_renamed(interface.name)]
        bases = self._bases(interface)
        members = tuple(map(self._members.member, interface.members))
        if not members and len(bases) == 1:
            comment = text.comment(documented(interface.doc, *tags, f"{TAG} interface"))
            return StatementView(comment, f"export type {name} = {bases[0]};")
        opening = f"export interface {name} extends {', '.join(bases)} {{"
        if not members:
            return StatementView(text.comment(documented(interface.doc, *tags)), f"{opening}}}")
        return BlockView(text.comment(documented(interface.doc, *tags)), opening, members, "}")

    def _bases(self, interface: ir.Interface) -> list[str]:
        """What an interface extends: of each base what it does not declare anew, nor has from a base before."""
        bases: list[str] = []
        own = {member.wire for member in interface.members}
        known: dict[str, ir.Method | ir.Property] = {}
        for reference in interface.bases:
            base = graph.find_interface(reference, self._peers)
            inherited = graph.all_members(base, self._peers).values() if base else ()
            hidden = [
                text.string(member.wire)
                for member in inherited
                if member.wire in own or known.setdefault(member.wire, member) != member
            ]
            spelled = self._scope.named(reference)
            bases.append(f"Omit<{spelled}, {' | '.join(hidden)}>" if hidden else spelled)
        return bases or [self._scope.runtime("RpcTarget")]

    def _checked(self) -> tuple[CheckedView, ...]:
        with_members = (one for one in self._schema.interfaces if graph.all_members(one, self._peers))
        return tuple(checked(interface, self._scope) for interface in with_members)

    def _error(self, error: ir.Error) -> ErrorView:
        name = names.type_name(error.name)
        fields = [field for field in error.fields if field.wire not in _LOST]
        wire = text.string(error.wire)
        own = StatementView("", f"readonly errorName: {wire};")
        tags = _renamed(error.name)
        block = BlockView(
            text.comment(documented(error.doc, *tags)),
            f"export interface {name} extends Error {{",
            (own, *(self._members.field(_as_attribute(field)) for field in fields)),
            "}",
        )
        has_fields = any(field.wire != "cause" for field in fields)
        taken = ["message: string"]
        taken += [f'fields: Omit<{name}, "errorName" | keyof Error>'] if has_fields else []
        return ErrorView(
            block=block,
            name=name,
            article=naming.with_article(error.name),
            wire=wire,
            guard=self._scope.free(f"is{error.name}"),
            maker=text.call(
                f"export function {self._scope.free(f'new{error.name}')}", taken, f": {name} {{", indent=""
            ),
            has_fields=has_fields,
        )

    def _connect(self) -> str:
        for function in ("newHttpBatchRpcSession", "newWebSocketRpcSession"):
            self._scope.runtime(function, value=True)
        for needed in ("RpcSessionOptions", "RpcStub", "RpcTarget"):
            self._scope.runtime(needed)
        return self._scope.free("connect")


def _as_attribute(field: ir.ModelField) -> ir.ModelField:
    """A field of an error. Every Error may have a cause, so that none can be asked for."""
    return field.model_copy(update={"required": False}) if field.wire == "cause" else field


def _renamed(name: str) -> list[str]:
    return [f"{TAG} name {name}"] if names.type_name(name) != name else []


def _imported(module: str, spelled: list[str]) -> str:
    only_types = all(name.startswith("type ") for name in spelled) or module.startswith(".")
    keyword = "import type" if only_types else "import"
    listed = [name.removeprefix("type ") for name in spelled] if only_types else spelled
    flat = f"{keyword} {{ {', '.join(listed)} }} from {text.string(module)};"
    if len(flat) <= text.WIDTH:
        return flat
    inside = "".join(f"{text.STEP}{name},\n" for name in listed)
    return f"{keyword} {{\n{inside}}} from {text.string(module)};"
