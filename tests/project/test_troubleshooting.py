"""docs/troubleshooting.md: the messages that it names are those of the runtime."""

from __future__ import annotations

import ast
import re

import pytest

from tests.project.sources import ROOT, modules, parse

TEXT = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
ROWS = re.findall(r"^\| (`.*?`) \|", TEXT, re.MULTILINE)
OF_OTHERS = {  # asyncio's, Python's and OpenSSL's
    "certificate verify failed",
    "coroutine … was never awaited",
    "an object that was started was never awaited",
}


def texts() -> list[str]:
    """Every string of the runtime, those with values in them with a mark for each."""
    found = []
    for path in modules("capnweb_runtime"):
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else "…" for part in node.values]
                found.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(re.sub(r"%s|%d|\{\}", "…", node.value))
    return found


STRINGS = texts()


@pytest.mark.parametrize("row", ROWS)
def test_a_message_that_is_named_is_one_of_the_runtimes(row: str) -> None:
    for message in re.findall(r"`([^`]+)`", row):
        if message in OF_OTHERS:
            continue
        for part in (part.strip(" ':.,") for part in message.split("…")):
            if len(part) > 4:
                assert any(part in text for text in STRINGS), f"no message says {part!r}"


def test_there_are_messages_of_every_kind() -> None:
    assert len(ROWS) > 30
