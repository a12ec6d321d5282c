"""Types and members: from tree-sitter's tree to `nodes`.

Rule: total. A form that no schema can have becomes a `Refused`, with its place; so does what is nested too deeply.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from capnweb_gen.frontends.typescript import nodes
from capnweb_gen.frontends.typescript.comments import is_doc, read_doc
from capnweb_gen.frontends.typescript.nodes import Access, Doc, Member, Signature, TypeNode
from capnweb_gen.frontends.typescript.syntax import Source
from capnweb_gen.ir import Position

if TYPE_CHECKING:
    from tree_sitter import Node

_DEEPEST = 60  # types inside types: more than anybody writes, and far fewer than Python can recurse
_WRITE_OUT = "write the type out"
_NAME_SET = re.compile(r"""\bthis\.name\s*=\s*(["'])(.+?)\1""")
_REFUSED = {
    "conditional_type": (
        "a conditional type cannot be read",
        f"{_WRITE_OUT} that it comes to, or use --tsc where it is inferred",
    ),
    "infer_type": ("an infer type cannot be read", _WRITE_OUT),
    "constructor_type": ("a constructor cannot travel", "pass a function that makes an object: () => T"),
    "existential_type": ("this type cannot be read", _WRITE_OUT),
    "flow_maybe_type": ("this type cannot be read", "write T | null"),
}


def text_of(node: Node) -> str:
    """The text of a node."""
    return (node.text or b"").decode(errors="replace")


def children(node: Node) -> Iterator[Node]:
    """What is inside a node, without punctuation, comments, and what could not be parsed."""
    return (child for child in node.named_children if child.type != "comment" and not child.is_error)


def has(node: Node, word: str) -> bool:
    """Whether a word stands directly inside a node: `readonly`, `?`, `static`, ..."""
    return any(child.type == word for child in node.children)


def string_value(node: Node) -> str:
    """The value of a string literal."""
    parts: list[str] = []
    for child in node.children:
        if child.type == "string_fragment":
            parts.append(text_of(child))
        elif child.type == "escape_sequence":
            parts.append(_unescaped(text_of(child)))
    return "".join(parts)


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}


def _unescaped(text: str) -> str:
    body = text[1:]
    if body[:1] in {"x", "u"}:
        digits = body[1:].strip("{}")
        try:
            return chr(int(digits, 16))
        except (ValueError, OverflowError):
            return text
    return _ESCAPES.get(body, body)


def number_value(text: str) -> int | float | None:
    """The value of a number as TypeScript writes it; None if it is none."""
    bare = text.replace("_", "").removesuffix("n")
    try:
        return (
            int(bare, 0) if bare[:1] != "0" or len(bare) == 1 or bare[1:2].lower() in {"x", "o", "b"} else float(bare)
        )
    except ValueError:
        try:
            value = float(bare)
        except ValueError:
            return None
        return int(value) if value.is_integer() and abs(value) < 2**53 else value


class TypeReader:
    """Reads the types of one file."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._depth = 0

    def type(self, node: Node) -> TypeNode:
        """A type."""
        position = self._source.position(node)
        if self._depth > _DEEPEST:
            return nodes.Refused(position, "types are nested too deeply here", "give what is inside a name of its own")
        self._depth += 1
        try:
            return self._type(node)
        finally:
            self._depth -= 1

    def annotation(self, node: Node | None) -> TypeNode | None:
        """The type behind a colon, if there is one."""
        if node is None:
            return None
        if node.type in {"asserts_annotation", "type_predicate_annotation"}:
            name = "void" if node.type == "asserts_annotation" else "boolean"
            return nodes.Keyword(self._source.position(node), name)
        inside = next(children(node), None)
        return self.type(inside) if inside is not None else None

    # ---- types

    def _type(self, node: Node) -> TypeNode:
        position = self._source.position(node)
        match node.type:
            case (
                "type_identifier" | "identifier" | "nested_type_identifier" | "member_expression" | "nested_identifier"
            ):
                return self._named(node)
            case "generic_type":
                return self._generic(node)
            case "predefined_type":
                return self._keyword(position, text_of(node))
            case "this_type" | "this":
                return nodes.Keyword(position, "this")
            case "literal_type" | "template_literal_type":
                return self._constant(node)
            case "array_type":
                return nodes.ArrayType(position, self._inside(node))
            case "readonly_type" | "parenthesized_type" | "optional_type" | "rest_type":
                return self._wrapped(node)
            case "tuple_type":
                return nodes.TupleType(position, tuple(self._element(child) for child in children(node)))
            case "object_type" | "interface_body":
                return self._object(node)
            case "union_type" | "intersection_type":
                made = nodes.UnionType if node.type == "union_type" else nodes.IntersectionType
                return made(position, tuple(self.type(child) for child in self._flat(node)))
            case "function_type":
                return nodes.FunctionType(position, self.signature(node))
            case _:
                return self._operator(node)

    def _operator(self, node: Node) -> TypeNode:
        position = self._source.position(node)
        match node.type:
            case "index_type_query":
                return nodes.KeyOf(position, self._inside(node))
            case "type_query":
                return self._type_query(node)
            case "lookup_type":
                item, index = list(children(node))[:2]
                return nodes.Indexed(position, self.type(item), self.type(index))
            case "type_predicate":
                return nodes.Keyword(position, "boolean")
            case "asserts":
                return nodes.Keyword(position, "void")
            case _:
                reason, hint = _REFUSED.get(node.type, (f"`{_short(node)}` cannot be read", _WRITE_OUT))
                return nodes.Refused(position, reason, hint)

    def _inside(self, node: Node) -> TypeNode:
        inside = next(children(node), None)
        if inside is None:
            return nodes.Refused(self._source.position(node), f"`{_short(node)}` cannot be read", _WRITE_OUT)
        return self.type(inside)

    def _wrapped(self, node: Node) -> TypeNode:
        """Parentheses mean nothing; of `readonly`, only an array's means something, which is kept as a name."""
        inner = self._inside(node)
        if node.type == "readonly_type" and isinstance(inner, nodes.ArrayType):
            return nodes.Named(inner.position, "ReadonlyArray", (inner.item,))
        return inner

    def _flat(self, node: Node) -> list[Node]:
        """The members of a union or an intersection, which is parsed as a chain of pairs."""
        found: list[Node] = []
        waiting = [node]
        while waiting:
            one = waiting.pop()
            inside = list(children(one))
            if one.type == node.type:
                waiting.extend(reversed(inside))
            else:
                found.append(one)
        return found

    def _named(self, node: Node) -> TypeNode:
        position = self._source.position(node)
        name = "".join(text_of(node).split())
        if name in {"bigint", "unique symbol"}:
            return self._keyword(position, name)
        if "(" in name:
            return nodes.Refused(position, f"`{_short(node)}` cannot be read", "import the type at the top of the file")
        return nodes.Named(position, name)

    def _generic(self, node: Node) -> TypeNode:
        name, *others = children(node)
        arguments = tuple(
            self.type(one) for other in others if other.type == "type_arguments" for one in children(other)
        )
        named = self._named(name)
        return replace(named, arguments=arguments) if isinstance(named, nodes.Named) else named

    def _keyword(self, position: Position, name: str) -> TypeNode:
        if name.startswith("unique") or name == "symbol":
            return nodes.Refused(position, "a symbol cannot travel", "use a string")
        return nodes.Keyword(position, name)

    def _constant(self, node: Node) -> TypeNode:
        position = self._source.position(node)
        if node.type == "template_literal_type":
            return self._template(node)
        inside = next(children(node), None)
        if inside is None:
            word = text_of(node).strip()
            if word in {"null", "undefined"}:
                return nodes.Keyword(position, word)
            inside = node
        if inside.type in {"null", "undefined"}:
            return nodes.Keyword(position, inside.type)
        value = self.value(inside)
        if value is None or isinstance(value, dict | list):
            return nodes.Refused(position, f"`{_short(node)}` cannot be read", _WRITE_OUT)
        return nodes.Constant(position, value)

    def value(self, node: Node) -> nodes.ConstValue:
        """A constant expression; None if it is anything else."""
        match node.type:
            case "string":
                return string_value(node)
            case "true" | "false":
                return node.type == "true"
            case "number":
                return number_value(text_of(node))
            case "unary_expression":
                inner = next(children(node), None)
                value = self.value(inner) if inner is not None else None
                if isinstance(value, int | float) and not isinstance(value, bool):
                    return {"-": -value, "+": value, "~": ~value if isinstance(value, int) else None}.get(
                        text_of(node)[0]
                    )
                return None
            case "template_string" if not any(child.type == "template_substitution" for child in node.children):
                return string_value(node)
            case "as_expression" | "satisfies_expression" | "parenthesized_expression":
                inner = next(children(node), None)
                return self.value(inner) if inner is not None else None
            case "object" | "array":
                return self._structure(node)
            case _:
                return None

    def _structure(self, node: Node) -> nodes.ConstValue:
        """What an object or an array of constants holds. What is not constant in it is None."""
        self._depth += 1
        try:
            if self._depth > _DEEPEST:
                return None
            if node.type == "array":
                return [self.value(child) for child in children(node)]
            found: dict[str, nodes.ConstValue] = {}
            for pair in children(node):
                key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
                if key is not None and value is not None:
                    found[self.name(key) or text_of(key)] = self.value(value)
            return found
        finally:
            self._depth -= 1

    def _template(self, node: Node) -> TypeNode:
        parts: list[str | TypeNode] = []
        for child in node.children:
            if child.type == "template_type":
                parts.append(self._inside(child))
            elif child.type == "string_fragment":
                parts.append(text_of(child))
            elif child.type == "escape_sequence":
                parts.append(_unescaped(text_of(child)))
        return nodes.Template(self._source.position(node), tuple(parts))

    def _element(self, node: Node) -> nodes.Element:
        if node.type in {"required_parameter", "optional_parameter"}:
            pattern = node.child_by_field_name("pattern") or node.child_by_field_name("name")
            rest = pattern is not None and pattern.type == "rest_pattern"
            declared = self.annotation(node.child_by_field_name("type"))
            missing = nodes.Refused(self._source.position(node), f"`{_short(node)}` cannot be read", _WRITE_OUT)
            return nodes.Element(declared or missing, optional=node.type == "optional_parameter", rest=rest)
        return nodes.Element(self.type(node), optional=node.type == "optional_type", rest=node.type == "rest_type")

    def _type_query(self, node: Node) -> TypeNode:
        position = self._source.position(node)
        inside = next(children(node), None)
        name = "".join(text_of(inside).split()) if inside is not None else ""
        if not name or any(char in name for char in "([<"):
            return nodes.Refused(position, f"`{_short(node)}` cannot be read", _WRITE_OUT)
        return nodes.TypeOf(position, name)

    # ---- members

    def _object(self, node: Node) -> TypeNode:
        inside = list(children(node))
        clause = next((one for child in inside for one in children(child) if one.type == "mapped_type_clause"), None)
        if clause is not None:
            return self._mapped(node, inside[0], clause)
        return nodes.ObjectType(self._source.position(node), tuple(self.members(node)))

    def _mapped(self, node: Node, signature: Node, clause: Node) -> TypeNode:
        position = self._source.position(node)
        name, keys = clause.child_by_field_name("name"), clause.child_by_field_name("type")
        alias = clause.child_by_field_name("alias")
        annotation = signature.child_by_field_name("type")
        inside = next(children(annotation), None) if annotation is not None else None
        if (
            name is None
            or keys is None
            or inside is None
            or annotation is None
            or alias is not None
            or has(clause, "as")
        ):
            return nodes.Refused(position, "a mapped type that renames its keys cannot be read", _WRITE_OUT)
        optional = {"opting_type_annotation": True, "omitting_type_annotation": False}.get(annotation.type)
        return nodes.MappedType(position, text_of(name), self.type(keys), self.type(inside), optional)

    def members(self, node: Node) -> Iterator[Member]:
        """The members in the body of an interface, a class or an object type."""
        doc = nodes.NO_DOC
        for child in node.named_children:
            if child.type == "comment":
                doc = read_doc(text_of(child)) if is_doc(text_of(child)) else doc
                continue
            member = self._member(child, doc)
            if child.type != "decorator":
                doc = nodes.NO_DOC
            if member is not None:
                yield member

    def _member(self, node: Node, doc: Doc) -> Member | None:
        position = self._source.position(node)
        match node.type:
            case "property_signature" | "public_field_definition":
                return self._property(node, doc)
            case "method_signature" | "method_definition" | "abstract_method_signature":
                return self._method(node, doc)
            case "call_signature":
                return Member("call", position, doc=doc, signature=self.signature(node))
            case "construct_signature":
                return Member("construct", position, doc=doc)
            case "index_signature":
                key = node.child_by_field_name("index_type")
                declared = self.annotation(node.child_by_field_name("type"))
                return Member(
                    "index", position, doc=doc, key=self.type(key) if key is not None else None, type=declared
                )
            case _:
                return None

    def _property(self, node: Node, doc: Doc) -> Member:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        return Member(
            "property",
            self._source.position(name or node),
            self.name(name),
            doc,
            type=self.annotation(node.child_by_field_name("type")),
            optional=has(node, "?"),
            access=self._access(node, name),
            static=has(node, "static"),
            readonly=has(node, "readonly"),
            initialized=value is not None,
            constant=self._constant_value(value),
        )

    def _method(self, node: Node, doc: Doc) -> Member:
        name = node.child_by_field_name("name")
        kind: nodes.MemberKind = "getter" if has(node, "get") else "setter" if has(node, "set") else "method"
        of_class = node.parent is not None and node.parent.type == "class_body"
        if name is not None and text_of(name) == "constructor" and of_class:
            kind = "constructor"
        return Member(
            kind,
            self._source.position(name or node),
            self.name(name),
            doc,
            signature=self.signature(node),
            optional=has(node, "?"),
            access=self._access(node, name),
            static=has(node, "static"),
            generator=has(node, "*"),
            body=node.child_by_field_name("body") is not None,
            constant=_name_set_in(node) if kind == "constructor" else None,
        )

    def _constant_value(self, node: Node | None) -> nodes.TypeValue | None:
        value = self.value(node) if node is not None else None
        return value if isinstance(value, bool | int | float | str) else None

    def _access(self, node: Node, name: Node | None) -> Access:
        if name is not None and name.type == "private_property_identifier":
            return "private"
        modifier = next((text_of(child) for child in node.children if child.type == "accessibility_modifier"), "")
        return "private" if modifier == "private" else "protected" if modifier == "protected" else "public"

    def name(self, node: Node | None) -> str | None:
        """The name of a member; None if it is computed."""
        if node is None:
            return None
        if node.type == "string":
            return string_value(node)
        if node.type == "number":
            value = number_value(text_of(node))
            return None if value is None else json.dumps(value)
        if node.type == "computed_property_name":
            inside = next(children(node), None)
            return string_value(inside) if inside is not None and inside.type == "string" else None
        return text_of(node)

    # ---- signatures

    def signature(self, node: Node) -> Signature:
        """What a function, a method or a function type takes and gives."""
        taken = node.child_by_field_name("parameters")
        parameters = (self._parameter(child) for child in (children(taken) if taken is not None else ()))
        result = node.child_by_field_name("return_type") or node.child_by_field_name("type")
        declared: TypeNode | None = None
        if result is not None:
            is_annotation = result.type.endswith("_annotation")
            declared = self.annotation(result) if is_annotation else self.type(result)
        return Signature(
            self._source.position(node),
            tuple(parameter for parameter in parameters if parameter is not None),
            declared,
            self.type_parameters(node),
        )

    def _parameter(self, node: Node) -> nodes.Parameter | None:
        pattern = node.child_by_field_name("pattern") or node.child_by_field_name("name")
        if pattern is None or text_of(pattern) == "this":
            return None
        rest = pattern.type == "rest_pattern"
        named = next(children(pattern), pattern) if rest else pattern
        value = node.child_by_field_name("value")
        constant = self._constant_value(value)
        declared = self.annotation(node.child_by_field_name("type"))
        position = self._source.position(named)
        if declared is None and constant is not None:  # its type is inferred from the constant alone
            name = "boolean" if isinstance(constant, bool) else "string" if isinstance(constant, str) else "number"
            declared = nodes.Keyword(position, name)
        name = text_of(named) if named.type == "identifier" else ""
        optional = node.type == "optional_parameter" or value is not None
        private = self._access(node, named) != "public"
        is_property = not private and (has(node, "readonly") or has(node, "accessibility_modifier"))
        return nodes.Parameter(name, position, declared, optional, rest, constant, is_property)

    def type_parameters(self, node: Node) -> tuple[nodes.TypeParameter, ...]:
        """The type parameters of a declaration or a signature."""
        found = node.child_by_field_name("type_parameters")
        return tuple(self._type_parameter(child) for child in (children(found) if found is not None else ()))

    def _type_parameter(self, node: Node) -> nodes.TypeParameter:
        name, constraint = node.child_by_field_name("name"), node.child_by_field_name("constraint")
        default = node.child_by_field_name("value")
        words = [text_of(child) for child in node.children if child.type in {"type_identifier", "identifier"}]
        broken = [text_of(child).split()[-1] for child in node.children if child.is_error and text_of(child).split()]
        called = text_of(name) if name is not None else ""
        if called in {"in", "out"}:
            called = (broken or words)[-1]
        return nodes.TypeParameter(
            called,
            self.annotation(constraint),
            self.annotation(default),
        )


def _name_set_in(constructor: Node) -> str | None:
    """The name that a constructor gives what it makes, as those of exceptions do."""
    body = constructor.child_by_field_name("body")
    found = _NAME_SET.search(text_of(body)) if body is not None else None
    return found[2] if found is not None else None


def _short(node: Node) -> str:
    text = " ".join(text_of(node).split())
    return text if len(text) <= 40 else f"{text[:37]}..."
