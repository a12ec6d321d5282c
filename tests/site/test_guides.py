"""Guides that are followed as printed: their files are written, their commands run, and what they print is compared."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.needs import INTEROP, needs_node
from tests.project.reading import FILE, Reader, blocks

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "__init__.py").touch()
    return Reader(tmp_path)


@pytest.mark.parametrize("guide", ["errors", "streams"])
def test_a_guide_does_what_it_says(guide: str, reader: Reader) -> None:
    assert reader.follow((DOCS / f"{guide}.md").read_text("utf-8")) == 1


@needs_node
def test_a_page_is_told_and_answered_as_the_guide_says(reader: Reader) -> None:
    (reader.folder / "node_modules").symlink_to(INTEROP / "node_modules")
    found = blocks((DOCS / "browsers.md").read_text("utf-8"))
    with ExitStack() as until_left:
        for language, block in found:
            if FILE.match(block):
                reader.write(block)
            elif language == "sh":
                for command in block.splitlines():
                    reader.run(command, until_left)
        # Node has no WebSocket of its own before 22; a browser has.
        page = "import { WebSocket } from 'ws'; globalThis.WebSocket = WebSocket; await import('./page.mjs');"
        done = subprocess.run(
            ["node", "--input-type=module", "--eval", page],
            cwd=reader.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    (shown,) = (block for language, block in found if language == "text")
    assert done.stdout == shown, done.stderr
