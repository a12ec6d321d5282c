"""Lowering one schema to the view of its page.

Rule: the order of the schema, in sections by kind. What is inherited is linked to, and not told again.
"""

from __future__ import annotations

import json

from capnweb_gen import graph, ir, naming
from capnweb_gen.backends.json_schema.definitions import used
from capnweb_gen.backends.json_schema.forms import constant
from capnweb_gen.backends.markdown.calls import calls
from capnweb_gen.backends.markdown.limits import limits
from capnweb_gen.backends.markdown.prose import Doc, line, read
from capnweb_gen.backends.markdown.samples import Samples
from capnweb_gen.backends.markdown.types import Types, code, default
from capnweb_gen.backends.markdown.views import DeclaredView, MemberView, PageView, RowView, SectionView

_EXTRA = {
    "ignore": "",
    "allow": "Other fields are kept, and sent again.",
    "forbid": "Other fields are refused.",
}


def lower(schema: ir.Schema, peers: graph.Peers, command: str) -> PageView:
    """Decide everything about the page of a schema.

    Args:
        schema: a schema in which nothing is wrong.
        peers: all schemas of the run, by module.
        command: what a reader should run instead of editing the file.
    """
    return _Lowering(schema, peers).page(command)


class _Lowering:
    """The state of lowering one schema."""

    def __init__(self, schema: ir.Schema, peers: graph.Peers) -> None:
        self._schema = schema
        self._peers = peers
        self._types = Types(schema, peers)
        self._samples = Samples(schema, peers)

    def page(self, command: str) -> PageView:
        """The whole page; sections of which there is nothing are left out."""
        schema = self._schema
        sections = (
            SectionView("Interfaces", tuple(map(self._interface, schema.interfaces))),
            SectionView("Functions", tuple(map(self._callback, schema.callbacks))),
            SectionView("Models", tuple(map(self._model, schema.models))),
            SectionView("Constants", self._enums()),
            SectionView("Types", self._new_types()),
            SectionView("Exceptions", tuple(map(self._error, schema.errors))),
        )
        return PageView(
            notice=naming.notice(schema.path, command),
            title=code(schema.module),
            doc=read(schema.doc).text,
            sections=tuple(section for section in sections if section.declared),
        )

    # ---- interfaces and functions

    def _interface(self, interface: ir.Interface) -> DeclaredView:
        doc = read(interface.doc)
        bases = ", ".join(self._types.link(base) for base in interface.bases)
        return DeclaredView(
            anchor=interface.name,
            name=interface.name,
            summary=doc.summary,
            doc=doc.text,
            notes=(
                *([_deprecation(interface.deprecated)] if interface.deprecated else []),
                *([f"Has all that {bases} has, too."] if bases else []),
                *([self._generic(interface.generic)] if interface.generic else []),
            ),
            members=tuple(self._member(interface.name, member) for member in interface.members),
        )

    def _callback(self, callback: ir.Callback) -> DeclaredView:
        doc = read(callback.doc)
        said = read(callback.call.doc)
        return DeclaredView(
            anchor=callback.name,
            name=callback.name,
            summary=doc.summary or said.summary,
            doc=doc.text,
            notes=tuple([_deprecation(callback.deprecated)] if callback.deprecated else []),
            members=(
                MemberView(
                    anchor=f"{callback.name}.call",
                    name=f"{callback.name}(...)",
                    signature=self._types.signature(callback.name, callback.call),
                    doc=said.text,
                    parameters=self._parameters(callback.call, said),
                    notes=self._call_notes(callback.call),
                    python="",
                    typescript="",
                ),
            ),
        )

    def _member(self, interface: str, member: ir.Method | ir.Property) -> MemberView:
        doc = read(member.doc)
        is_method = isinstance(member, ir.Method)
        python, typescript = calls(interface, member, self._schema, self._peers)
        return MemberView(
            anchor=f"{interface}.{member.name}",
            name=member.name,
            signature=(
                self._types.signature(member.name, member)
                if isinstance(member, ir.Method)
                else self._types.named(member.name, member.type)
            ),
            doc=doc.text,
            parameters=self._parameters(member, doc) if isinstance(member, ir.Method) else (),
            notes=(
                *([_deprecation(member.deprecated)] if member.deprecated else []),
                *([] if is_method else ["A property."]),
                *([f"On the wire: {code(member.wire)}."] if member.wire != member.name else []),
                *self._call_notes(member),
            ),
            python=python,
            typescript=typescript,
        )

    def _call_notes(self, member: ir.Method | ir.Property) -> tuple[str, ...]:
        bounds = limits(member.result if isinstance(member, ir.Method) else member.type)
        raised = ", ".join(f"[{code(error.name)}](#{error.name})" for error in member.raises)
        return (
            *(
                [f"The {'result' if isinstance(member, ir.Method) else 'value'}: {', '.join(bounds)}."]
                if bounds
                else []
            ),
            *([f"Raises {raised}."] if raised else []),
            *(["May be called again: it is idempotent."] if getattr(member, "idempotent", False) else []),
            *(["Is cancelled once nobody wants the result."] if getattr(member, "cancellable", False) else []),
            *([f"Costs {member.cost}."] if member.cost != 1 else []),
            *([f"Is taken to have {member.items} items."] if member.items is not None else []),
            *(["Secret: no log shows it."] if member.secret else []),
        )

    def _parameters(self, method: ir.Method, doc: Doc) -> tuple[RowView, ...]:
        return tuple(
            RowView(
                (
                    code(parameter.name),
                    self._types.spell(parameter.type),
                    self._passed(parameter),
                    line(doc.parameters.get(parameter.name, "")),
                )
            )
            for parameter in method.parameters
        )

    def _passed(self, parameter: ir.Parameter) -> str:
        how = {"positional_only": "by position", "keyword": "by keyword", "variadic": "any number"}
        wire = parameter.passing == "keyword" and parameter.wire != parameter.name
        told = [
            "required" if parameter.default is None and parameter.passing != "variadic" else "",
            how.get(parameter.passing, ""),
            f"default: {code(default(parameter, ''))}" if parameter.default else "",
            f"on the wire: {code(parameter.wire)}" if wire else "",
            *limits(parameter.type),
            "secret" if parameter.secret else "",
        ]
        return "; ".join(filter(None, told))

    # ---- values

    def _model(self, model: ir.Model) -> DeclaredView:
        doc = read(model.doc)
        reference = ir.Reference(module=model.module, name=model.name)
        sample = self._samples.model(reference)
        is_root = model.form == "root"
        notes = [
            self._generic(model.generic) if model.generic else "",
            f"Travels as {self._types.spell(model.fields[0].type)}." if is_root else _EXTRA[model.extra],
        ]
        return DeclaredView(
            anchor=model.name,
            name=model.name,
            summary=doc.summary,
            doc=doc.text,
            notes=tuple(filter(None, notes)),
            columns=("field", "type", "notes", "description"),
            rows=() if is_root else tuple(self._field(field, doc) for field in model.fields),
            wire=json.dumps(sample.wire, ensure_ascii=False) if sample else "",
        )

    def _field(self, field: ir.ModelField, doc: Doc) -> RowView:
        told = [
            "computed: sent, and ignored on arrival" if field.computed else "required" if field.required else "",
            f"on the wire: {code(field.wire)}" if field.wire != field.name else "",
            *limits(field.type),
            "secret" if field.secret else "",
            f"deprecated: {line(field.deprecated.message)}" if field.deprecated else "",
        ]
        described = read(field.doc).text or doc.parameters.get(field.name, "")
        return RowView(
            (code(field.name), self._types.spell(field.type), "; ".join(filter(None, told)), line(described))
        )

    def _error(self, error: ir.Error) -> DeclaredView:
        doc = read(error.doc)
        return DeclaredView(
            anchor=error.name,
            name=error.name,
            summary=doc.summary,
            doc=doc.text,
            notes=tuple([f"On the wire: {code(error.wire)}."] if error.wire != error.name else []),
            columns=("attribute", "type", "notes", "description"),
            rows=tuple(self._field(field, doc) for field in error.fields),
        )

    def _enums(self) -> tuple[DeclaredView, ...]:
        found = {shape.enum: shape for shape in used(self._schema) if isinstance(shape, ir.EnumShape)}
        return tuple(
            DeclaredView(
                anchor=shape.enum.name,
                name=shape.enum.name,
                summary="",
                doc="",
                notes=("Any of these together: the sum of their numbers.",) if shape.flag else (),
                columns=("name", "on the wire"),
                rows=tuple(
                    RowView((code(member.name), code(json.dumps(constant(member.value), ensure_ascii=False))))
                    for member in shape.members
                ),
            )
            for shape in found.values()
        )

    def _new_types(self) -> tuple[DeclaredView, ...]:
        found = {shape.new_type: shape for shape in used(self._schema) if isinstance(shape, ir.NewTypeShape)}
        return tuple(
            DeclaredView(
                anchor=shape.new_type.name,
                name=shape.new_type.name,
                summary="",
                doc=f"{self._types.spell(shape.item)} under a name of its own.",
                notes=tuple(f"{bound}." for bound in limits(shape.item)),
            )
            for shape in found.values()
        )

    def _generic(self, generic: ir.Generic) -> str:
        arguments = ", ".join(map(self._types.plain, generic.arguments))
        return f"{code(generic.origin.name)} of {arguments}."


def _deprecation(deprecation: ir.Deprecation) -> str:
    return f"**Deprecated:** {line(deprecation.message)}"
