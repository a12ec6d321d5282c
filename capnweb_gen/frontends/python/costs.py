"""What `cost` of capnweb_runtime.schema says of a member. Rule: its numbers are literals, so that whoever reads the
schema sees what a call costs; what is none is told where it stands.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from capnweb_gen import ir
from capnweb_gen.ir import MOST_COST, Position
from capnweb_runtime.schema import cost

Fault = tuple[Position, str, str]
Said = tuple[str, Sequence[Position], Position]
"""A `cost(...)` as it is written, where its arguments stand, positional ones first, and where it stands itself."""
_HINT = f"write the number itself, from 1 to {MOST_COST:,}, as in @cost(5) or @cost(5, items=20)"
_WHAT = {"n": "the cost", "items": "the assumed number of items"}


def read_cost(where: str, said: Said, faults: list[Fault]) -> dict[str, int]:
    """The fields of a member that a `cost(...)` gives; those that are wrong are left out.

    Args:
        where: the member, for messages.
        said: what is written.
        faults: told what is wrong.
    """
    text, positions, place = said
    call = ast.parse(f"({text})", mode="eval").body
    if not isinstance(call, ast.Call):
        faults.append((place, f"the cost of {where} is not said", _HINT))
        return {}
    written = [("n", node) for node in call.args] + [(one.arg or "", one.value) for one in call.keywords]
    fields: dict[str, int] = {}
    for index, (name, node) in enumerate(written):
        number = _literal(node)
        if number is None:
            at = positions[index] if index < len(positions) else place
            message = f"{_WHAT.get(name, 'the cost')} of {where} is {ast.unparse(node)}"
            faults.append((at, message, _HINT))
        else:
            fields["cost" if name == "n" else name] = number
    return fields


def needless_items(where: str, member: ir.Method | ir.Property) -> tuple[str, str] | None:
    """What is wrong where items are assumed of what is no list; None if nothing is."""
    shape = member.result if isinstance(member, ir.Method) else member.type
    if member.items is None or isinstance(shape, ir.Unsupported) or _is_list(shape):
        return None
    message = f"{where} is assumed to have {member.items} items, and gives no list"
    return message, "leave items out, or give a list"


def costs_in(text: str, namespace: Mapping[str, Any]) -> Iterator[str]:
    """Each `cost(...)` in an annotation, as it is written."""
    for node in ast.walk(ast.parse(f"({text})", mode="eval")):
        if isinstance(node, ast.Call) and _is_cost(ast.unparse(node.func), namespace):
            yield ast.unparse(node)


def _is_cost(name: str, namespace: Mapping[str, Any]) -> bool:
    try:
        return eval(name, dict(namespace)) is cost
    except Exception:  # told where the annotation is evaluated
        return False


def _literal(node: ast.expr) -> int | None:
    """A number that may be a cost; None for everything else."""
    value = node.value if isinstance(node, ast.Constant) else None
    return value if type(value) is int and 1 <= value <= MOST_COST else None


def _is_list(shape: ir.TypeShape) -> bool:
    match shape:
        case ir.OptionalShape(item=inner) | ir.NewTypeShape(item=inner) | ir.ConstrainedShape(item=inner):
            return _is_list(inner)
        case _:
            return isinstance(shape, ir.ListShape | ir.CollectionShape)
