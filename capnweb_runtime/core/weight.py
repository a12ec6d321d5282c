"""What JSON costs to read, known before it is parsed. Rule: never too little, and soon found out.

A unit of work is about what a small node of a tree costs to parse and to evaluate: up to a microsecond on a core of our
days, two on a slow one. It follows from what a text is made of: a list or an object is a unit, a string half of one,
as a key or as a value, what a comma stands for an eighth, and every KiB, whatever is in it, a unit. Two expressions
cost more than they look: a pipelined one, since a promise is made of it, and a long bigint, since reading one takes the
square of its length.

Counting takes up to half of the time that parsing does where there is much structure, and a fraction of that where
there is little but text.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator
from typing import Any, Final, TypeAlias, TypeVar

PARTS: Final = 16
"""Parts that a unit has, in which small things are counted."""
CONTAINER: Final = 16
STRING: Final = 8
LEAF: Final = 2
"""What a list or an object, a string and any other leaf cost, in parts of a unit."""
PIPELINED: Final = 3
"""Units that a pipelined expression costs beyond what it is made of."""
AT_ONCE: Final = 256
"""Nodes of instructions that are looked at before others may go first: a tenth of a millisecond or so."""
NESTED: Final = 8
"""Levels that a call in the arguments of another counts for, and a map: carrying one out within another takes as many
frames of Python's stack as that many lists, one within the other.
"""
T = TypeVar("T")
Walk: TypeAlias = Generator[int, None, int]
"""A walk through instructions: it tells of each so many nodes that it has looked at, and what they come to."""
_BYTES_PER_PART: Final = 1024 // PARTS
_FIELD: Final = 4  # parts of a step that a field of a literal takes; an element of a list takes one
_DIGITS_SQUARED_PER_UNIT: Final = 200_000  # 16,384 digits take about a millisecond, 1,000 some microseconds
_SLOW_BYTES_PER_UNIT: Final = 128
_SLOW_COMMAS_PER_UNIT: Final = 4
_PLACE: Final = 8  # bytes of an element in its list
_EMPTY: Final = 64  # bytes of a list or an object with nothing in it, or of a small value
_FIELDS: Final = 100  # bytes of a table of fields, and, for each of them:
_FIELD_BYTES: Final = 20
_PROMISES: Final = ("pipeline", "import", "remap")
_PROMISE: Final = 500  # bytes of a promise, which each of these is until the result is asked for
_NOTHING_MADE: Final = ("undefined", "inf", "-inf", "nan")
_MANY: Final = 16
_STRUCTURES: Final = frozenset((list, dict, tuple))
_AT_A_TIME: Final = 64 * 1024
_NO_MARKS: Final = bytes(set(range(256)) - set(b'[{",'))
"""What is left out before the rest is counted: in a list of models that takes half of the time that it takes to count
the four marks in all of the text.
"""
_PIPELINE: Final = b'"pipeline"'
_BIGINT: Final = b'"bigint"'
_ESCAPED_LETTERS: Final = b"\\u006", b"\\u007"  # by which a name can be written so that it is not found


def work_bound(text: bytes, most: int, bigint_digits: int) -> int:
    """Units of work that reading a text takes at most, what stands in its strings taken for structure too.

    Parameters:
        text: JSON text, well formed or not.
        most: a number of units beyond which it does not matter any more.
        bigint_digits: longest text of a bigint.

    Returns:
        The units; something beyond `most` as soon as it is known that there may be more.
    """
    parts, containers = len(text) // _BYTES_PER_PART, 0
    for start in range(0, len(text), _AT_A_TIME):
        piece = text[start : start + _AT_A_TIME]
        if not (b'"' in piece or b"," in piece or b"[" in piece or b"{" in piece):
            continue  # which is found out many times faster than how many of them there are
        marks = piece.translate(None, _NO_MARKS)
        opened, quotes = marks.count(b"[") + marks.count(b"{"), marks.count(b'"')
        containers += opened
        parts += quotes * STRING // 2 + (len(marks) - opened - quotes) * LEAF
        if parts + containers * CONTAINER > most * PARTS:
            return most + 1
    return _units(parts, containers) + _extra(text, containers, most, bigint_digits)


def work_of(text: bytes, most: int, bigint_digits: int) -> int:
    """Units of work that reading a text takes, what stands in its strings left out; see `work_bound`."""
    parts, containers = len(text) // _BYTES_PER_PART, 0
    for outside, quotes in outside_strings(text):
        containers += outside.count(b"[") + outside.count(b"{")
        parts += quotes * STRING // 2 + outside.count(b",") * LEAF
        if parts + containers * CONTAINER > most * PARTS:
            return most + 1
    return _units(parts, containers) + _extra(text, containers, most, bigint_digits)


def _units(parts: int, containers: int) -> int:
    return 1 + containers + parts // PARTS


def outside_strings(text: bytes) -> Iterator[tuple[bytes, int]]:
    """What of a JSON text stands in none of its strings, in pieces, and how many quotes were among each."""
    inside = 0
    for piece in _pieces(text):
        if b"\\" in piece:
            piece = piece.replace(b"\\\\", b"").replace(b'\\"', b"")  # so that a quote is the end of a string
        between = piece.split(b'"')
        yield b"".join(between[inside::2]), len(between) - 1
        inside ^= (len(between) - 1) & 1


def _pieces(text: bytes) -> Iterator[bytes]:
    """The text in pieces, of which none ends within an escape."""
    start = 0
    while start < len(text):
        piece = text[start : start + _AT_A_TIME]
        if (len(piece) - len(piece.rstrip(b"\\"))) & 1:
            piece = text[start : start + _AT_A_TIME + 1]
        yield piece
        start += len(piece)


def _extra(text: bytes, containers: int, most: int, bigint_digits: int) -> int:
    """Units that the expressions in a text may cost beyond what they are made of."""
    bigints = min(containers * bigint_work(bigint_digits), len(text) * bigint_digits // _DIGITS_SQUARED_PER_UNIT)
    pipelined = containers * PIPELINED
    if pipelined + bigints <= most // 2:
        return 0  # whatever they are
    if b"\\" in text and any(letter in text for letter in _ESCAPED_LETTERS):
        return min(sum(map(text.count, _ESCAPED_LETTERS)), containers) * PIPELINED + bigints
    extra = text.count(_PIPELINE) * PIPELINED if pipelined > most // 4 else 0
    at = text.find(_BIGINT) if bigints > most // 4 else -1
    while at >= 0 and extra <= most:
        opening = text.find(b'"', at + len(_BIGINT))
        closing = text.find(b'"', opening + 1)
        extra += bigint_work(min(closing - opening, bigint_digits)) if 0 < opening < closing else 0
        at = text.find(_BIGINT, at + 1)
    return extra


def slow_work(text: str | bytes, most: int) -> int:
    """Units of work that it takes to read a text once more, with the slow parser.

    Parameters:
        text: JSON text.
        most: a number of units beyond which it does not matter any more.
    """
    work = len(text) // _SLOW_BYTES_PER_UNIT
    if work > most:
        return work
    comma = "," if isinstance(text, str) else b","
    return work + text.count(comma) // _SLOW_COMMAS_PER_UNIT  # type: ignore[arg-type]  # of the same type


def bigint_work(digits: int) -> int:
    """Units of work that a bigint takes beyond what it is made of."""
    return digits * digits // _DIGITS_SQUARED_PER_UNIT


def tree_work(tree: Any, most: int) -> int:
    """Units of work that evaluating a tree takes that a transport has parsed.

    Parameters:
        tree: what JSON has, and bytes.
        most: a number of units beyond which it does not matter any more.
    """
    parts = 0
    pending = [tree]
    while pending and parts <= most * PARTS:
        node = pending.pop()
        if isinstance(node, (str, bytes)):
            parts += STRING + len(node) // _BYTES_PER_PART
        elif isinstance(node, dict):
            parts += CONTAINER + STRING * len(node)
            pending += node.values()
        elif isinstance(node, (list, tuple)):
            parts += CONTAINER
            pending += node
        else:
            parts += LEAF
    return 1 + parts // PARTS


def steps_of(instructions: list[Any]) -> int:
    """Steps that applying instructions to one element takes: one for each, and as many as there are lists and objects
    in it, as literals are made anew for each element.
    """
    return finished(counting_steps(instructions))


def made_bytes(instructions: list[Any]) -> int:
    """Bytes that applying instructions to one element makes: its place in the result, and the literals in them. What
    they read of the element is shared with it.
    """
    return finished(counting_bytes(instructions))


def counting_steps(instructions: list[Any]) -> Walk:
    """See `steps_of`."""
    parts = 0
    pending: list[Any] = []
    for instruction in instructions:
        if isinstance(instruction, (list, dict)):
            pending.append(instruction)
        else:
            parts += PARTS
    while True:
        for _ in range(AT_ONCE):
            if not pending:
                return max(len(instructions), parts // PARTS)
            node = pending.pop()
            if isinstance(node, dict):
                parts += PARTS + _FIELD * len(node)
                pending += _structured(node.values()) if node else ()
            elif isinstance(node, (list, tuple)):
                parts += PARTS + len(node)
                pending += _structured(node)
        yield AT_ONCE


def counting_bytes(instructions: list[Any]) -> Walk:
    """See `made_bytes`."""
    size = _PLACE
    pending = list(instructions)
    while True:
        for _ in range(AT_ONCE):
            if not pending:
                return size
            node = pending.pop()
            if isinstance(node, dict):
                size += _EMPTY + (_FIELDS if node else 0) + _FIELD_BYTES * len(node)
                pending += _structured(node.values()) if node else ()
            elif isinstance(node, list) and node:
                if isinstance(node[0], list):
                    size += _EMPTY + _PLACE * len(node[0])
                    pending += _structured(node[0])
                elif node[0] in _PROMISES:
                    size += _PROMISE
                elif node[0] not in _NOTHING_MADE:
                    size += _EMPTY + sum(len(part) for part in node if isinstance(part, str))
        yield AT_ONCE


def finished(steps: Generator[object, None, T]) -> T:
    """What something comes to that is done step by step."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result


def _structured(parts: Collection[Any]) -> Collection[Any]:
    """Those of many parts in which there may be more: most of what is long is numbers."""
    return parts if len(parts) < _MANY else [part for part in parts if type(part) in _STRUCTURES]
