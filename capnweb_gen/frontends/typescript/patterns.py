"""Template literal types: the patterns that their strings match.

Rule: what TypeScript takes for a `${number}` or a `${string}` there matches, and nothing else.
"""

from __future__ import annotations

import re

from capnweb_gen.frontends.typescript import nodes
from capnweb_gen.frontends.typescript.evaluate import Types
from capnweb_gen.frontends.typescript.scope import Closure

_DEEPEST = 30  # templates inside templates
_PARTS = {
    "string": r"[\s\S]*",
    "number": r"-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Infinity)",
    "bigint": r"-?\d+",
    "boolean": "(?:true|false)",
    "null": "null",
    "undefined": "undefined",
}


def pattern(types: Types, closure: Closure) -> str:
    """The pattern of a template literal type.

    Raises:
        RefusedTypeError: a part of it is no type whose text is known.
    """
    return f"^{_inside(types, closure, 0)}$"


def _inside(types: Types, closure: Closure, depth: int) -> str:
    if depth > _DEEPEST:
        raise closure.refuse("this type goes on without an end", "write string")
    head = types.head(closure)
    if isinstance(head, Closure):
        match head.node:
            case nodes.Template(parts=parts):
                return "".join(
                    re.escape(part) if isinstance(part, str) else _inside(types, head.at(part), depth + 1)
                    for part in parts
                )
            case nodes.Constant(value=value):
                return re.escape(str(value).lower() if isinstance(value, bool) else str(value))
            case nodes.UnionType(members=members):
                return f"(?:{'|'.join(_inside(types, head.at(member), depth + 1) for member in members)})"
            case nodes.Keyword(name=name) if name in _PARTS:
                return _PARTS[name]
            case _:
                pass
    return f"(?:{'|'.join(map(re.escape, types.literals(closure)))})"
