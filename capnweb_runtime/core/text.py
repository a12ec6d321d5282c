"""JSON text of messages. Rule: orjson does the work, and a slow parser decides wherever orjson refuses what the
protocol allows.

orjson refuses numbers beyond a double or 64 bits and lone surrogates; the reference's JSON reads the first as doubles
(1e400 is Infinity) and writes and reads the second as escapes. Writing, nothing may reach orjson that it would convert
by itself (nan, datetime, Enum, UUID, dataclasses): devaluate and the codecs see to that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final

import orjson

from capnweb_runtime.errors import ProtocolError

_SURROGATE: Final = "[\ud800-\udfff]"  # compiled when it is used, which is rare

fast_dumps: Final = orjson.dumps
"""`dumps` for where calling one function less counts; raises TypeError for what only `dumps` can write."""
fast_loads: Final = orjson.loads
"""`loads` likewise; raises ValueError for what is to be given to `loads`."""


def dumps(message: Any) -> bytes:
    """UTF-8 JSON text of a message, compact."""
    return dumps_with(message, None)


def dumps_with(message: Any, default: Callable[[Any], Any] | None) -> bytes:
    """Like `dumps`.

    Parameters:
        message: the tree.
        default: gives what stands for a value that JSON does not have; called once for each, in any order, and all over
            again where orjson gives up.
    """
    try:
        return orjson.dumps(message, default)
    except TypeError:
        text = json.dumps(message, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=default)
        return re.sub(_SURROGATE, lambda found: f"\\u{ord(found[0]):04x}", text).encode()


def estimated_size(tree: Any) -> int:
    """About how many bytes a tree takes on a transport that encodes it by itself; for limits and flow control, so
    rather too many.
    """
    size = 0
    pending = [tree]
    while pending:
        node = pending.pop()
        size += 24
        if isinstance(node, (str, bytes)):
            size += len(node)
        elif isinstance(node, dict):
            size += sum(map(len, node))
            pending += node.values()
        elif isinstance(node, (list, tuple)):
            pending += node
    return size


def loads(text: str | bytes) -> Any:
    """The tree of a JSON text.

    Raises:
        ProtocolError: the text is not JSON.
    """
    try:
        return orjson.loads(text)
    except ValueError:
        return _slow_loads(text)


def _slow_loads(text: str | bytes) -> Any:
    try:
        if not isinstance(text, str):
            text = text.decode()  # json itself would guess at UTF-16, and let through what is no UTF-8
        return json.loads(text, parse_int=_parse_int, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"message is not valid JSON: {error}", "SyntaxError") from None


def _parse_int(digits: str) -> int | float:
    return int(digits) if len(digits) <= 19 else float(digits)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
