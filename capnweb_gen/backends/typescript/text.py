"""Strings, comments and lines of TypeScript.

Rule: whatever a schema says comes through here before it is printed, so that no docstring can end a comment, no string
its quotes, and no name of a file the line that it stands in.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Sequence

from capnweb_gen import ir

WIDTH = 100
STEP = "  "

_SAFE_INTEGER = 2**53
_ODD_SPACE = re.compile(r"[\x0b\x0c\x85\xa0\u1680\u180e\u2000-\u200b\u202f\u205f\u2028\u2029\u3000\ufeff]")
"""What is a space, or ends a line, for some readers of a file and not for others."""
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_IN_STRINGS = re.compile(f"{_ODD_SPACE.pattern}|{_UNPRINTABLE.pattern}")


def string(value: str) -> str:
    """A string literal in double quotes. What does not show, or looks like something else, is escaped."""
    return _IN_STRINGS.sub(_escaped, json.dumps(value, ensure_ascii=False))


def literal(value: ir.LiteralValue) -> str:
    """A constant. Integers that a number does not hold are bigints, as which they arrive."""
    if isinstance(value, str):
        return string(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value}n" if abs(value) >= _SAFE_INTEGER else str(value)


def default(value: ir.DefaultValue) -> str:
    """A default as documentation shows it: JSON in backquotes, which has none itself."""
    if isinstance(value, ir.SpecialFloat):
        return {"inf": "`Infinity`", "-inf": "`-Infinity`", "nan": "`NaN`"}[value.float]
    return f"`{data(value)}`"


def data(value: object) -> str:
    """JSON that can stand anywhere in a comment."""
    written = _IN_STRINGS.sub(_escaped, json.dumps(value, ensure_ascii=False))
    return written.replace("*/", "*\\/").replace("@", "\\u0040").replace("`", "\\u0060")


def header(origin: str, advice: str) -> str:
    """The comment by which people, and the compiler itself, know a generated file."""
    said = [_ODD_SPACE.sub(" ", _UNPRINTABLE.sub(_escaped, " ".join(line.splitlines()))) for line in (origin, advice)]
    flat = f"// {' '.join(said)}"
    return flat if len(flat) <= WIDTH else "\n".join(f"// {line}" for line in said)


def doc(said: str | None) -> list[str]:
    """The lines of a docstring, for `comment`: nothing in them is a tag or ends the comment."""
    if said is None or not said.strip():
        return []
    plain = _ODD_SPACE.sub(" ", said.replace("\r\n", "\n").replace("\r", "\n"))
    plain = _UNPRINTABLE.sub(_escaped, inspect.cleandoc(plain))
    plain = plain.replace("*/", "*\\/").replace("{@", "\\{@")
    return [re.sub(r"^(\s*)@", r"\1\\@", line).rstrip() for line in plain.split("\n")]


def inline(said: str) -> str:
    """Some text in a line of a comment."""
    return " ".join(line.strip() for line in doc(said))


def comment(lines: Sequence[str], indent: str = "") -> str:
    """A TSDoc comment with its indentation and the end of its line; nothing if there are no lines."""
    if not lines:
        return ""
    if len(lines) == 1 and len(f"{indent}/** {lines[0]} */") <= WIDTH:
        return f"{indent}/** {lines[0]} */\n"
    inside = "".join(f"{indent} * {line}".rstrip() + "\n" for line in lines)
    return f"{indent}/**\n{inside}{indent} */\n"


def declared(head: str, spelled: str, tail: str, *, indent: str) -> str:
    """`head spelled tail`, a union with one member to a line where it does not fit."""
    flat = f"{head} {spelled}{tail}"
    parts = split(spelled, " | ")
    if len(indent + flat) <= WIDTH or len(parts) == 1 or "\n" in spelled:
        return flat
    return "\n".join([head, *(f"{indent}{STEP}| {part}" for part in parts)]) + tail


def call(head: str, items: Sequence[str], tail: str, *, indent: str) -> str:
    """`head(items)tail`, with one item to a line where they do not fit, or have lines of their own."""
    flat = f"{head}({', '.join(items)}){tail}"
    if not items or ("\n" not in flat and len(indent + flat) <= WIDTH):
        return flat
    if len(items) == 1 and "\n" in items[0]:
        return f"{head}({_deeper(items[0], indent)}){tail}"
    inside = [f"{indent}{STEP}{_deeper(item, indent + STEP)}," for item in items]
    if items[-1].startswith("..."):
        inside[-1] = inside[-1][:-1]
    return "\n".join([f"{head}(", *inside, f"{indent}){tail}"])


def split(text: str, separator: str) -> list[str]:
    """Split where the separator stands outside brackets and strings."""
    parts: list[str] = []
    depth = start = index = 0
    while index < len(text):
        char = text[index]
        if char == '"':
            index = _end_of_string(text, index)
        elif char in "([{<":
            depth += 1
        elif char in ")]}" or (char == ">" and text[index - 1] != "="):
            depth -= 1
        elif depth == 0 and text.startswith(separator, index):
            parts.append(text[start:index])
            start = index + len(separator)
        index += 1
    return [*parts, text[start:]]


def _end_of_string(text: str, start: int) -> int:
    index = start + 1
    while text[index] != '"':
        index += 2 if text[index] == "\\" else 1
    return index


def _deeper(item: str, indent: str) -> str:
    return item.replace("\n", f"\n{indent}")


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
