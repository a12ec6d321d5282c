"""Texts that an editor has not saved yet, as the compiler reads them."""

from __future__ import annotations

import linecache
import sys
from pathlib import Path

import pytest

from capnweb_gen.compiler import read
from capnweb_gen.frontends.python.texts import content, encoded, is_unsaved, unsaved
from tests.gen.conftest import Write

API = """\
from typing import Protocol

from .shared import Item


class Api(Protocol):
    def get(self) -> Item: ...
"""
SHARED = "from pydantic import BaseModel\n\n\nclass Item(BaseModel):\n    name: str\n"


def fields(root: Path) -> list[str]:
    """The fields of all models of a project, or what is wrong with it."""
    schemas, faults = read([root / "schemas"])
    for name in [name for name in sys.modules if name.partition(".")[0] == "schemas"]:
        del sys.modules[name]
    return [str(fault) for fault in faults] or [
        one.name for schema in schemas for model in schema.models for one in model.fields
    ]


@pytest.fixture
def root(project: Write) -> Path:
    return project(
        {"pyproject.toml": "", "schemas/__init__.py": "", "schemas/api.py": API, "schemas/shared.py": SHARED}
    )


def test_a_schema_and_what_it_imports_are_read_and_imported_as_they_will_be(root: Path) -> None:
    shared = root / "schemas/shared.py"
    assert fields(root) == ["name"]
    with unsaved({shared: SHARED.replace("name", "title")}):
        assert is_unsaved(shared)
        assert fields(root) == ["title"]
        assert content(shared) == SHARED.replace("name", "title").encode()
        assert not is_unsaved(root / "schemas/api.py")
    assert fields(root) == ["name"]
    assert content(shared) == SHARED.encode()
    assert str(shared) not in linecache.cache


def test_a_package_is_imported_as_it_will_be(root: Path) -> None:
    with unsaved({root / "schemas/__init__.py": "raise ValueError('not yet')\n"}):
        assert any("not yet" in fault for fault in fields(root))


def test_faults_stand_where_they_are_in_the_newer_text(root: Path) -> None:
    api = root / "schemas/api.py"
    with unsaved({api: "# 𝄞\n\n" + API.replace("-> Item", "-> 'ä' | object")}):
        (fault,) = fields(root)
    assert fault.startswith("schemas/api.py:9:22: ")


def test_what_is_not_unsaved_is_read_from_disk_even_if_bytecode_is_there(root: Path) -> None:
    with unsaved({root / "schemas/other.py": "x"}):
        assert fields(root) == ["name"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# ä\n", "# ä\n".encode()),
        ("# coding: latin-1\n# ä\n", "# coding: latin-1\n# ä\n".encode("latin-1")),
        ("# coding: latin-1\n# 𝄞\n", "# coding: latin-1\n# 𝄞\n".encode()),
        ("# coding: none-such\n# ä\n", "# coding: none-such\n# ä\n".encode()),
        ("# \ud800\n", b"# \xed\xa0\x80\n"),
    ],
)
def test_a_text_has_the_encoding_that_it_names(text: str, expected: bytes) -> None:
    assert encoded(text) == expected
