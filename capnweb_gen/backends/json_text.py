"""Writing JSON so that people can read it. Rule: what fits into one line is in one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import cast


def lines(node: object, width: int, *, step: str = " ", ascii_only: bool = True) -> Iterator[str]:
    """A tree as lines of JSON.

    Args:
        node: what `json` writes.
        width: how many characters a line may have, as far as its values can be broken.
        step: what each level is indented by.
        ascii_only: whether other characters are escaped.
    """
    return _Writer(width, step, ascii_only).lines(node)


class _Writer:
    def __init__(self, width: int, step: str, ascii_only: bool) -> None:
        self._width = width
        self._step = step
        self._ascii_only = ascii_only

    def lines(self, node: object, indent: str = "", before: str = "", after: str = "") -> Iterator[str]:
        flat = self._flat(node)
        if len(indent) + len(before) + len(flat) + len(after) < self._width or not isinstance(node, dict | list):
            yield f"{indent}{before}{flat}{after}"
            return
        opening, closing = ("{", "}") if isinstance(node, dict) else ("[", "]")
        yield f"{indent}{before}{opening}"
        keyed: list[tuple[str, object]]
        if isinstance(node, dict):
            keyed = [(f"{self._flat(key)}: ", value) for key, value in cast("dict[str, object]", node).items()]
        else:
            keyed = [("", value) for value in cast("list[object]", node)]
        for number, (key, value) in enumerate(keyed, 1):
            yield from self.lines(value, indent + self._step, key, "," if number < len(keyed) else "")
        yield f"{indent}{closing}{after}"

    def _flat(self, node: object) -> str:
        return json.dumps(node, ensure_ascii=self._ascii_only)


def document(members: dict[str, object]) -> str:
    """A file that holds one object, whose members begin lines of their own."""
    writer = _Writer(100, "  ", ascii_only=False)
    written = ["\n".join(writer.lines(value, "  ", f"{json.dumps(key)}: ")) for key, value in members.items()]
    return "{\n" + ",\n".join(written) + "\n}\n"
