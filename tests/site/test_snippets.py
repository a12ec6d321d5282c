"""Python and data that stand in documents: what the tests of a page do not run is at least whole, and names what is
there.
"""

from __future__ import annotations

import ast
import importlib
import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.project.reading import blocks

ROOT = Path(__file__).parents[2]
# Those of examples are excerpts, which tests/project/test_examples.py compares with the files.
EXCERPTS = ROOT / "docs" / "examples"
DOCUMENTS = [
    ROOT / "README.md",
    *(path for path in sorted((ROOT / "docs").rglob("*.md")) if not path.is_relative_to(EXCERPTS)),
]
OURS = re.compile(r"capnweb_(?:runtime|gen)(?:\.|$)")


def snippets(language: str) -> list[tuple[str, str]]:
    """Where a block stands, and what is in it."""
    return [
        (f"{path.relative_to(ROOT)}, block {number}", block)
        for path in DOCUMENTS
        for number, (spoken, block) in enumerate(blocks(path.read_text("utf-8")), 1)
        if spoken == language
    ]


def trees() -> list[tuple[str, ast.Module]]:
    """Every piece of Python, but for excerpts, which leave out what stands between their lines."""
    found = []
    for where, block in snippets("python"):
        try:
            found.append((where, compile(block, where, "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)))
        except SyntaxError as error:
            if not re.search(r"^\s*\.\.\.$", block, re.MULTILINE):
                pytest.fail(f"{where}: {error}", pytrace=False)
    return found


def test_python_in_documents_can_be_read() -> None:
    assert len(trees()) > 150


def test_what_documents_import_of_ours_is_there() -> None:
    missing = []
    for where, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and OURS.match(node.module):
                module = importlib.import_module(node.module)
                for name in (alias.name for alias in node.names if alias.name != "*"):
                    if not hasattr(module, name) and not _is_module(f"{node.module}.{name}"):
                        missing.append(f"{where}: {node.module}.{name}")
            elif isinstance(node, ast.Import):
                missing += [
                    f"{where}: {alias.name}"
                    for alias in node.names
                    if OURS.match(alias.name) and not _is_module(alias.name)
                ]
    assert missing == []


def _is_module(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def test_data_in_documents_can_be_read() -> None:
    for _, block in snippets("toml"):
        tomllib.loads(block)
    for _, block in snippets("yaml"):
        list(yaml.safe_load_all(block))
    for where, block in snippets("json"):
        if "…" not in block and "..." not in block and not block.startswith(" "):
            for line in [block] if block.lstrip().startswith("{") else block.splitlines():
                assert json.loads(line) is not None, where
