"""Laying out lines of Python: within 120 columns, and just as `ruff format` would.

Rule: what is laid out here is never laid out again. Generated files are formatted by construction, so that writing
them needs no formatter and does not change with the version of one. Three shapes are enough for generated code: a
signature, a call (which a class header and a subscript resemble), and a union.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence

WIDTH = 120
STEP = "    "

_CONTROL = re.compile(r"[^\n\t\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\U0010ffff]")
_PAIRS = {"(": ")", "[": "]", "{": "}"}


def call(head: str, items: Sequence[str], tail: str = "", *, indent: str = "") -> str:
    """`head(items)tail` on one line, or with the items on a line of their own, or with one item to a line.

    `indent` is the indentation of the first line, which is not part of the result: templates write it.
    """
    lines = _bracketed(indent, f"{head}(", list(items), f"){tail}", trailing_comma=True)
    return _joined(lines, indent)


def assigned(name: str, generic: str, argument: str, head: str, items: Sequence[str]) -> str:
    """`name: generic[argument] = head(items)`. If the head of the call does not fit beside the annotation, parentheses
    go around the call, or else the annotation is broken.
    """
    target = f"{name}: {generic}[{argument}] ="
    if len(f"{target} {head}(") <= WIDTH:
        return call(f"{target} {head}", items)
    if len(f"{target} (") <= WIDTH:
        return f"{target} (\n{STEP}{call(head, items, indent=STEP)}\n)"
    return f"{name}: {generic}[\n{STEP}{argument}\n{call(f'] = {head}', items)}"


def annotated(name: str, annotation: str, *, indent: str) -> str:
    """`name: annotation`, as an attribute of a class; a union in parentheses where it does not fit."""
    flat = f"{indent}{name}: {annotation}"
    parts = _split(annotation, " | ")
    if len(flat) <= WIDTH or len(parts) == 1:
        return _joined([flat] if len(flat) <= WIDTH else _term(indent, f"{name}: ", annotation, ""), indent)
    return _joined([f"{indent}{name}: (", *_item(indent + STEP, annotation, ""), f"{indent})"], indent)


def signature(
    name: str, parameters: Sequence[str], result: str, tail: str, *, indent: str, keyword: str = "def"
) -> str:
    """`def name(parameters) -> result:tail`, broken in the parameters first, then in the result."""
    head = f"{keyword} {name}("
    flat = f"{indent}{head}{', '.join(parameters)}) -> {result}:{tail}"
    if len(flat) <= WIDTH:
        return _joined([flat], indent)
    one_line = f"{indent}{STEP}{', '.join(parameters)}"
    if len(parameters) > 1 and len(one_line) <= WIDTH:
        inside = [one_line]
    else:
        inside = [line for parameter in parameters for line in _item(indent + STEP, parameter, ",")]
    end = _result(indent, result, f":{tail}")
    return _joined([indent + head, *inside, *end], indent)


def imported(module: str, names: Sequence[str]) -> str:
    """`from module import names`, one name to a line where they do not fit into one."""
    flat = f"from {module} import {', '.join(names)}"
    if len(flat) <= WIDTH:
        return flat
    return "\n".join([f"from {module} import (", *(f"{STEP}{name}," for name in names), ")"])


def entry(text: str, *, indent: str) -> str:
    """One item of a display or an argument list, with its comma."""
    return _joined(_item(indent, text, ","), indent)


def string(value: str) -> str:
    """A string literal, in double quotes unless single ones need fewer escapes."""
    quoted = repr(value)
    body = quoted[1:-1].replace("\\'", "'") if quoted[0] == "'" else quoted[1:-1]
    if value.count('"') > value.count("'"):
        return "'" + body.replace("'", "\\'") + "'"
    return '"' + body.replace('"', '\\"') + '"'


def strings(texts: Sequence[str]) -> str:
    """A tuple of string literals."""
    return f"({', '.join(map(string, texts))}{',' if len(texts) == 1 else ''})"


def docstring(text: str, *, indent: str) -> str:
    """A docstring, with its quotes, for a body at `indent`. The quotes that end several lines have one of their own.

    Control characters are escaped: a file cannot hold some, and editors and Python take others for the end of a line.
    """
    escaped = inspect.cleandoc(text).replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    escaped = _CONTROL.sub(lambda found: repr(found[0])[1:-1], escaped)
    lines = [line.rstrip() for line in escaped.split("\n")]
    if len(lines) == 1:
        return f'"""{lines[0]}{" " if lines[0].endswith(chr(34)) else ""}"""'
    inner = [indent + line if line else "" for line in lines[1:]]
    return "\n".join([f'"""{lines[0]}', *inner, f'{indent}"""'])


def _joined(lines: Sequence[str], indent: str) -> str:
    return "\n".join(lines)[len(indent) :]


def _bracketed(indent: str, opening: str, items: list[str], closing: str, *, trailing_comma: bool) -> list[str]:
    flat = f"{indent}{opening}{', '.join(items)}{closing}"
    if len(flat) <= WIDTH or not items:
        return [flat]
    one_line = f"{indent}{STEP}{', '.join(items)}"
    if len(one_line) <= WIDTH:
        return [indent + opening, one_line, indent + closing]
    comma = "," if trailing_comma else ""
    inside = [line for item in items for line in _item(indent + STEP, item, comma)]
    return [indent + opening, *inside, indent + closing]


def _item(indent: str, text: str, after: str) -> list[str]:
    """An item on a line of its own; a union breaks before its bars, a call or subscript inside its brackets."""
    if len(indent) + len(text) + len(after) <= WIDTH:
        return [indent + text + after]
    declared, *default = _split(text, " = ")
    if default:
        return _with_default(indent, declared, default[0], after)
    parts = _split(text, " | ")
    if len(parts) > 1:
        parts[1:] = [f"| {part}" for part in parts[1:]]
        lines = [line for part in parts for line in _item(indent, part, "")]
        return [*lines[:-1], lines[-1] + after]
    return _term(indent, "", text, after)


def _with_default(indent: str, declared: str, default: str, after: str) -> list[str]:
    """A parameter with a default. Its annotation breaks only if nothing in the default can."""
    head, bracket, _ = default.partition("(")
    if bracket and len(indent) + len(f"{declared} = {head}(") <= WIDTH:
        return _term(indent, f"{declared} = ", default, after)
    return _item(indent, declared, f" = {default}{after}")


def _term(indent: str, before: str, text: str, after: str) -> list[str]:
    opening = _last_group(text)
    if opening is None:
        return [indent + before + text + after]
    items = _split(text[opening + 1 : -1], ", ")
    comma = text[opening] != "[" or len(items) > 1  # a subscript of one item with a comma would be a tuple
    return _bracketed(indent, before + text[: opening + 1], items, text[-1] + after, trailing_comma=comma)


def _result(indent: str, text: str, after: str) -> list[str]:
    if len(indent) + len(") -> ") + len(text) + len(after) <= WIDTH:
        return [f"{indent}) -> {text}{after}"]
    parts = _split(text, " | ")
    if len(parts) == 1:
        return _term(indent, ") -> ", text, after)
    return [f"{indent}) -> (", *_item(indent + STEP, text, ""), f"{indent}){after}"]


def _last_group(text: str) -> int | None:
    """Where the brackets open that close at the end of the text."""
    depth_at: list[int] = []
    opened: int | None = None
    for index, char in _code(text):
        if char in _PAIRS:
            depth_at.append(index)
        elif char in _PAIRS.values():
            opened = depth_at.pop()
    return opened if text[-1:] in _PAIRS.values() else None


def _split(text: str, separator: str) -> list[str]:
    """Split where the separator stands outside brackets and strings."""
    parts: list[str] = []
    depth = start = 0
    for index, char in _code(text):
        if char in _PAIRS:
            depth += 1
        elif char in _PAIRS.values():
            depth -= 1
        elif depth == 0 and index >= start and text.startswith(separator, index):
            parts.append(text[start:index])
            start = index + len(separator)
    return [*parts, text[start:]]


def _code(text: str) -> list[tuple[int, str]]:
    """The characters outside string literals, each with its index."""
    found: list[tuple[int, str]] = []
    quote: str | None = None
    escaped = False
    for index, char in enumerate(text):
        if quote is None:
            if char in "\"'":
                quote = char
            else:
                found.append((index, char))
        elif escaped:
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == quote:
            quote = None
    return found
