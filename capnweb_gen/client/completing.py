"""What could be typed next, and what is said of it. Rule: only what is known is looked at, and nothing is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from inspect import cleandoc

from capnweb_gen import ir
from capnweb_gen.client.described import Attribute, Described, Type
from capnweb_gen.client.expression import ExpressionError, Node, parse
from capnweb_gen.client.plan import Planner
from capnweb_gen.client.spelled import signature, type_text

_CLOSING = {"(": ")", "[": "]", "{": "}"}


def candidates(described: Described | None, variables: Mapping[str, Type], before: str) -> list[str]:
    """Words that the one could become that is being typed, in order.

    Args:
        described: what is said of the server; None if nothing is known of it.
        variables: names for earlier results, and the types of these.
        before: what stands before the cursor.
    """
    opened, chain = _innermost(before)
    owner, dot, word = chain.rpartition(".")
    if not all(character.isalnum() or character == "_" for character in word):
        return []
    found: list[str] = []
    if dot:
        found = [_called(one) for one in _attributes(described, variables, owner)]
    else:
        found = [_called(one) for one in described.attributes(described.main).values()] if described else []
        found += [*variables, *_keywords(described, variables, opened)]
    return [each for each in dict.fromkeys(found) if each.startswith(word)]


def _called(attribute: Attribute) -> str:
    return f"{attribute.name}(" if attribute.method is not None else attribute.name


def _attributes(described: Described | None, variables: Mapping[str, Type], chain: str) -> list[Attribute]:
    """What could be asked of a chain that is complete."""
    if described is None:
        return []
    try:
        plan = Planner(described, variables).plan(parse(chain))
    except ExpressionError:
        return []
    return [*described.attributes(plan.kind).values()]


def _keywords(described: Described | None, variables: Mapping[str, Type], called: str) -> list[str]:
    """Names of parameters of the method whose arguments are being written."""
    if described is None or not called:
        return []
    try:
        member = Planner(described, variables).lookup(parse(called)).member
    except ExpressionError:
        return []
    parameters = member.method.parameters if member is not None and member.method is not None else ()
    return [f"{one.name}=" for one in parameters if one.passing in ("positional", "keyword")]


def _innermost(before: str) -> tuple[str, str]:
    """The chain that is being typed, and the one whose parenthesis is open before it, if there is one."""
    starts, opened = [0], [""]
    quote, position = "", 0
    while position < len(before):
        character = before[position]
        if quote:
            position += character == "\\"
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in _CLOSING:
            opened.append(before[starts[-1] : position].strip() if character == "(" else "")
            starts.append(position + 1)
        elif character in ")]}" and len(starts) > 1:
            starts.pop()
            opened.pop()
        elif character in ",:=":
            starts[-1] = position + 1
        position += 1
    if quote:
        return "", quote
    called = "" if before[:1] and before[starts[-1] - 1] == "=" else opened[-1]  # behind which no further name can come
    return called, before[starts[-1] :].lstrip()


def explained(described: Described | None, variables: Mapping[str, Type], node: Node | None) -> Iterator[str]:
    """What is said of something, as lines.

    Args:
        described: as of `candidates`.
        variables: as of `candidates`.
        node: what is asked about; None for the main object.

    Raises:
        ExpressionError: there is no such thing.
    """
    if described is None:
        yield "nothing is known of this server: give its schema with --schema"
        return
    kind = described.main
    if node is not None:
        plan = Planner(described, variables).lookup(node)
        if plan.member is not None:
            yield from _member(plan.member)
            return
        kind = plan.kind
    for interface in described.interfaces(kind):
        yield interface.name
        yield from _indented(interface.doc)
    if not described.interfaces(kind):
        yield " | ".join(dict.fromkeys(type_text(part.shape) for part in kind)) or "nothing is known of it"
    for attribute in described.attributes(kind).values():
        yield f"  {_heading(attribute)}"


def _member(attribute: Attribute) -> Iterator[str]:
    yield _heading(attribute)
    yield from _indented(attribute.doc)
    if attribute.deprecated is not None:
        yield f"    deprecated: {attribute.deprecated}"
    raised = attribute.method.raises if attribute.method is not None else ()
    if raised:
        yield f"    raises {', '.join(one.name for one in raised)}"


def _heading(attribute: Attribute) -> str:
    if isinstance(attribute.method, ir.Method):
        return signature(attribute.method)
    return f"{attribute.name}: {type_text(attribute.part.shape)}"


def _indented(doc: str | None) -> Iterator[str]:
    for line in cleandoc(doc or "").splitlines():
        yield f"    {line}".rstrip()
