"""Declarations, imports and exports of one file: from tree-sitter's tree to `nodes`.

Rule: what runs is passed over; only what has a name and a type is kept. Names inside namespaces get the namespace and
a dot.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from capnweb_gen import ir, naming
from capnweb_gen.frontends.typescript import nodes
from capnweb_gen.frontends.typescript.comments import is_doc, is_of_file, read_doc
from capnweb_gen.frontends.typescript.nodes import Declaration, Doc, FileSyntax, Import
from capnweb_gen.frontends.typescript.syntax import Source
from capnweb_gen.frontends.typescript.types import TypeReader, children, has, string_value, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

_WRITTEN = re.compile(r"^What \S+ declares, for the npm package capnweb\.(\n\n|$)")  # by the TypeScript back end
_CLASSES = {"class_declaration", "abstract_class_declaration", "class"}
_ABOUT_OTHERS = {"import_statement", "comment", "expression_statement"}  # what a comment before it is not about


def read_file(source: Source) -> FileSyntax:
    """Everything that a file declares, imports and exports."""
    reader = _FileReader(source)
    reader.statements(source.root.children, "", exported=False)
    for name, file in source.imported.items():
        reader.file.imports[name] = Import("*", file, ir.Position(line=1, column=1))
    reader.file.doc = reader.doc_of_file()
    reader.file.generated = naming.is_generated(source.lines[0].decode(errors="replace"))
    return reader.file


class _FileReader:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._types = TypeReader(source)
        self.file = FileSyntax()

    def doc_of_file(self) -> str | None:
        """What the first comment says, unless it is about what follows it."""
        above = self._source.root.children
        while above and above[0].type == "comment" and not is_doc(text_of(above[0])):
            above = above[1:]
        first, second = [*above[:2], None, None][:2]
        if first is None or first.type != "comment":
            return None
        doc = read_doc(text_of(first))
        doc = replace(doc, text=_WRITTEN.sub("", doc.text))
        alone = second is None or second.type in _ABOUT_OTHERS or second.start_point[0] > first.end_point[0] + 1
        return doc.text or None if alone or is_of_file(doc) else None

    def statements(self, found: Iterable[Node], namespace: str, *, exported: bool) -> None:
        """Read statements, of a file or of a namespace."""
        doc = nodes.NO_DOC
        for node in found:
            if node.type == "comment":
                if is_doc(text_of(node)):
                    doc = read_doc(text_of(node))
                    doc = nodes.NO_DOC if is_of_file(doc) else doc
                continue
            self._statement(node, doc, namespace, exported=exported)
            if node.type != "decorator":
                doc = nodes.NO_DOC

    def _statement(self, node: Node, doc: Doc, namespace: str, *, exported: bool) -> None:
        match node.type:
            case "export_statement":
                self._export(node, doc, namespace)
            case "ambient_declaration":
                for child in children(node):
                    self._statement(child, doc, namespace, exported=exported)
            case "expression_statement":
                for child in children(node):
                    if child.type == "internal_module":
                        self._namespace(child, namespace, exported=exported)
            case "internal_module" | "module":
                self._namespace(node, namespace, exported=exported)
            case "import_statement":
                self._import(node)
            case "lexical_declaration" | "variable_declaration":
                self._constants(node, doc, namespace, exported=exported)
            case _:
                self._declaration(node, doc, namespace, exported=exported)

    def _declaration(self, node: Node, doc: Doc, namespace: str, *, exported: bool, called: str = "") -> None:
        name = node.child_by_field_name("name")
        written = text_of(name) if name is not None else called
        if not written:
            return
        at = (f"{namespace}{written}", self._source.position(name or node), doc, exported)
        match node.type:
            case "interface_declaration" | "class_declaration" | "abstract_class_declaration" | "class":
                body = node.child_by_field_name("body")
                self._add(
                    nodes.InterfaceDeclaration(
                        *at,
                        type_parameters=self._types.type_parameters(node),
                        bases=tuple(self._bases(node)),
                        members=tuple(self._types.members(body)) if body is not None else (),
                        is_class=node.type in _CLASSES,
                    )
                )
            case "type_alias_declaration":
                value = node.child_by_field_name("value")
                if value is not None:
                    parameters = self._types.type_parameters(node)
                    self._add(nodes.AliasDeclaration(*at, type=self._types.type(value), type_parameters=parameters))
            case "enum_declaration":
                self._add(nodes.EnumDeclaration(*at, members=tuple(self._enum(node))))
            case _:
                pass

    def _add(self, declaration: Declaration) -> None:
        self.file.declarations.setdefault(declaration.name, []).append(declaration)
        if declaration.exported and "." not in declaration.name:
            self.file.exports.setdefault(declaration.name, declaration.name)

    def _namespace(self, node: Node, outer: str, *, exported: bool) -> None:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if body is None or name is None:
            return
        if name.type == "string":  # `declare module "x"` is about another file
            return
        inner = "".join(text_of(name).split())
        self.statements(body.children, f"{outer}{inner}.", exported=exported)

    def _bases(self, node: Node) -> Iterable[nodes.TypeNode]:
        """What an interface or a class extends. `implements` says nothing that the class does not say itself."""
        for child in children(node):
            if child.type == "extends_type_clause":
                yield from (self._types.type(one) for one in children(child))
            elif child.type == "class_heritage":
                for clause in children(child):
                    if clause.type == "extends_clause":
                        yield from self._extended(clause)

    def _extended(self, clause: Node) -> Iterable[nodes.TypeNode]:
        values = [child for child in children(clause) if child.type != "type_arguments"]
        given = next((child for child in children(clause) if child.type == "type_arguments"), None)
        for value in values:
            base = self._types.type(value)
            if isinstance(base, nodes.Named) and given is not None:
                arguments = tuple(self._types.type(one) for one in children(given))
                base = nodes.Named(base.position, base.name, arguments)
            if isinstance(base, nodes.Refused):
                reason = "a class that extends what an expression makes cannot be read"
                base = nodes.Refused(base.position, reason, "extend a class by its name, or declare an interface")
            yield base

    # ---- enums and constants

    def _enum(self, node: Node) -> Iterable[nodes.EnumMember]:
        known: dict[str, int | float | str | None] = {}
        following: int | float | str | None = 0
        body = node.child_by_field_name("body")
        doc = nodes.NO_DOC
        for child in body.named_children if body is not None else ():
            if child.type == "comment":
                doc = read_doc(text_of(child)) if is_doc(text_of(child)) else doc
                continue
            written, name, value = None, child, following
            if child.type == "enum_assignment":
                name = child.child_by_field_name("name") or child
                written = child.child_by_field_name("value")
                value = self._computed(written, known) if written is not None else None
            called = self._types.name(name) or text_of(name)
            yield nodes.EnumMember(called, value, self._source.position(child), doc)
            known[called] = value
            following = value + 1 if isinstance(value, int | float) else None
            doc = nodes.NO_DOC

    def _computed(self, node: Node, known: dict[str, int | float | str | None]) -> int | float | str | None:
        """The value of a member of an enum, which may be made of those before it."""
        value = self._types.value(node)
        if isinstance(value, int | float | str):
            return value
        inside = list(children(node))
        if node.type in {"identifier", "member_expression"}:
            return known.get(text_of(node).rpartition(".")[2])
        if node.type == "parenthesized_expression" and inside:
            return self._computed(inside[0], known)
        operator = node.child_by_field_name("operator")
        if node.type != "binary_expression" or operator is None or len(inside) != 2:
            return None
        return _combined(text_of(operator), self._computed(inside[0], known), self._computed(inside[1], known))

    def _constants(self, node: Node, doc: Doc, namespace: str, *, exported: bool) -> None:
        if text_of(node).partition(" ")[0] != "const" and not has(node, "const"):
            return
        for declarator in children(node):
            name, value = declarator.child_by_field_name("name"), declarator.child_by_field_name("value")
            if declarator.type != "variable_declarator" or name is None or name.type != "identifier":
                continue
            at = (f"{namespace}{text_of(name)}", self._source.position(name), doc, exported)
            declared = self._types.annotation(declarator.child_by_field_name("type"))
            if value is not None and value.type in _CLASSES:
                self._declaration(value, doc, namespace, exported=exported, called=text_of(name))
                continue
            constant = self._types.value(value) if value is not None and _is_constant(value) else None
            self._add(nodes.ConstDeclaration(*at, value=constant, type=declared))

    # ---- imports and exports

    def _import(self, node: Node) -> None:
        source = node.child_by_field_name("source")
        clause = next((child for child in children(node) if child.type == "import_clause"), None)
        if source is None or clause is None:
            return
        position, file = self._source.position(node), string_value(source)
        for child in children(clause):
            if child.type == "identifier":
                self.file.imports[text_of(child)] = Import("default", file, position)
            elif child.type == "namespace_import":
                name = next(children(child), None)
                if name is not None:
                    self.file.imports[text_of(name)] = Import("*", file, position)
            else:
                for specifier in children(child):
                    name, alias = specifier.child_by_field_name("name"), specifier.child_by_field_name("alias")
                    if name is not None:
                        called = text_of(alias or name)
                        self.file.imports[called] = Import(_unquoted(name), file, self._source.position(specifier))

    def _export(self, node: Node, doc: Doc, namespace: str) -> None:
        declaration, source = node.child_by_field_name("declaration"), node.child_by_field_name("source")
        value = node.child_by_field_name("value")
        is_default = has(node, "default")
        clause = next((child for child in children(node) if child.type == "export_clause"), None)
        if clause is not None:
            self._export_names(clause, source)
        elif source is not None:
            self._export_all(node, source)
        elif declaration is not None or value is not None:
            inside = declaration or value
            if inside is None:
                return
            if value is not None and value.type == "identifier":
                self.file.exports["default"] = text_of(value)
                return
            before = set(self.file.declarations)
            if value is not None and value.type in _CLASSES:
                called = naming.pascal(naming.as_name(PurePath(self._source.shown).name.partition(".")[0]))
                self._declaration(value, doc, namespace, exported=True, called=called)
            else:
                self._statement(inside, doc, namespace, exported=True)
            new = [name for name in self.file.declarations if name not in before]
            name = inside.child_by_field_name("name")
            if is_default:
                self.file.exports["default"] = text_of(name) if name is not None else (new or [""])[-1]

    def _export_names(self, clause: Node, source: Node | None) -> None:
        for specifier in children(clause):
            name, alias = specifier.child_by_field_name("name"), specifier.child_by_field_name("alias")
            if name is None:
                continue
            exported = _unquoted(alias or name)
            if source is None:
                self.file.exports[exported] = text_of(name)
            else:
                place = self._source.position(specifier)
                self.file.exports[exported] = Import(_unquoted(name), string_value(source), place)

    def _export_all(self, node: Node, source: Node) -> None:
        found = Import("*", string_value(source), self._source.position(node))
        namespace = next((child for child in children(node) if child.type == "namespace_export"), None)
        name = next(children(namespace), None) if namespace is not None else None
        if name is not None:
            self.file.exports[text_of(name)] = found
        else:
            self.file.stars.append(found)


def _unquoted(node: Node) -> str:
    return string_value(node) if node.type == "string" else text_of(node)


def _is_constant(node: Node) -> bool:
    """Whether `typeof` tells the values of what an expression makes: with `as const`, or of a single constant."""
    if node.type in {"string", "number", "true", "false", "unary_expression"}:
        return True
    return any(
        one.type in {"as_expression", "satisfies_expression"} and has(one, "const")
        for one in (node, *(child for child in children(node) if node.type == "satisfies_expression"))
    )


def _combined(operator: str, left: object, right: object) -> int | float | str | None:
    if isinstance(left, str) and isinstance(right, str) and operator == "+":
        return left + right
    if not isinstance(left, int) or not isinstance(right, int):
        return None
    match operator:
        case "<<" if 0 <= right < 32:
            return left << right
        case "|":
            return left | right
        case "&":
            return left & right
        case "+":
            return left + right
        case "-":
            return left - right
        case _:
            return None
