"""Faults as they are typed: they appear, exactly where they are, and vanish."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types

from tests.gen.language_server.conftest import ACCOUNTS, Write
from tests.gen.language_server.editor import Editor, editing

SCHEMA = "schemas/accounts.py"


async def test_a_fault_appears_as_it_is_typed_and_vanishes_when_it_is_mended(editor: Editor) -> None:
    assert await editor.faults(SCHEMA) == []
    editor.replace(SCHEMA, "async def me(self) -> int:", "async def me(self) -> object:")
    (fault,) = await editor.faults(SCHEMA)
    assert editor.shown(SCHEMA, fault.range) == "object"
    assert fault.severity == types.DiagnosticSeverity.Error
    assert fault.source == "capnweb-gen"
    assert "\nhint: " in fault.message
    editor.replace(SCHEMA, "async def me(self) -> object:", "async def me(self) -> int:")
    assert await editor.faults(SCHEMA) == []
