"""docs/architecture.md: its drawings are those of what is there."""

from __future__ import annotations

import re

import pytest

from tests.site.architecture import ROOT, UPDATE, drawings, floors


def test_the_drawings_are_up_to_date() -> None:
    stale = [path.name for path, text in drawings().items() if not path.exists() or path.read_text("utf-8") != text]
    if stale:
        pytest.fail(f"{', '.join(stale)} of docs/pictures would change; run: {UPDATE}", pytrace=False)


def test_every_floor_that_is_drawn_is_a_module() -> None:
    rooms = [room for floor in floors("runtime-layers") for room in floor]
    assert len(rooms) > 20
    there = ROOT / "capnweb_runtime"
    assert [room for room in rooms if not ((there / room).is_dir() or (there / f"{room}.py").exists())] == []


def test_the_folders_that_the_page_names_exist() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    named = set(re.findall(r"`(\w+)/`", text))
    assert named
    assert [name for name in named if not (ROOT / "capnweb_runtime" / name).is_dir()] == []
    paths = re.findall(r"`((?:tests|capnweb_gen|docs)/[\w/.]+)`", text)
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []
