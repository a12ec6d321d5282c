"""The home page and the tutorial do what they say, run as printed."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest

from tests.project.reading import FILE, Reader, blocks

DOCS = Path(__file__).parents[2] / "docs"
STEPS = sorted(path for path in (DOCS / "tutorial").glob("*.md") if path.stem != "index")


@pytest.mark.parametrize("heading", ["The first call", "Your own interface"])
def test_the_home_page_teaches_the_first_call(heading: str, tmp_path: Path) -> None:
    section = (DOCS / "index.md").read_text("utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    assert Reader(tmp_path, silent=True).follow(section) == 1


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.stem)
def test_a_step_runs_for_who_has_followed_those_before(step: Path, tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    before = [block for path in STEPS[: STEPS.index(step)] for block in blocks(path.read_text("utf-8"))]
    for _, block in before:
        if FILE.match(block) and "pyproject" not in block.partition("\n")[0]:
            reader.write(block)
    if before:
        reader.run("capnweb-gen schemas --out generated", ExitStack())
    assert reader.follow(step.read_text("utf-8")) >= 1


def test_there_are_eight_steps_each_linked_from_the_index_and_from_the_one_before() -> None:
    assert len(STEPS) == 8
    index = (DOCS / "tutorial" / "index.md").read_text("utf-8")
    assert all(f"]({step.name})" in index for step in STEPS)
    for step, following in pairwise(STEPS):
        assert f"]({following.name})" in step.read_text("utf-8")
