"""Tables of documents."""

from __future__ import annotations

import re


def table_of(text: str, heading: str) -> dict[str, dict[str, str]]:
    """The first table behind a heading: its rows by their first cell, and the others by the name of the column."""
    behind = text.split(f"\n{heading}\n", 1)[1]
    lines = re.search(r"(?:^\|.*\n)+", behind, re.MULTILINE)
    assert lines is not None
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines[0].splitlines())
    assert all(len(row) == len(head) for row in rows)
    return {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in rows}
