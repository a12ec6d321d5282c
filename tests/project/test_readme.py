"""The README's first calls do what it says, run as printed: their files are written, their commands executed."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from tests.project.reading import Reader
from tests.project.sources import ROOT


def part(heading: str) -> str:
    """Return a part of the README, up to what its client prints."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    until = re.search(r"^```text\n.*?^```$", section, re.MULTILINE | re.DOTALL)
    assert until, f"{heading!r} does not show what its client prints"
    return section[: until.end()]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
@pytest.mark.parametrize("heading", ["The first call", "Your own interface"])
def test_the_first_page_does_what_it_says(heading: str, stop: signal.Signals, tmp_path: Path) -> None:
    assert Reader(tmp_path, stop, silent=True).follow(part(heading)) == 1


def test_links_to_files_lead_somewhere() -> None:
    for document in ("README.md", "CONTRIBUTING.md"):
        links = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / document).read_text(encoding="utf-8"))
        assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_make_target_that_the_documents_name_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for document in ("README.md", "CONTRIBUTING.md"):
        named = re.findall(r"(?:^    |`)make ([a-z-]+)", (ROOT / document).read_text(encoding="utf-8"), re.MULTILINE)
        assert set(named) <= targets
        assert named
