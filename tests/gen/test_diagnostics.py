"""Each kind of fault is still explained as it was reviewed: the place, the reason, the line underlined, what to do."""

from __future__ import annotations

import difflib
import re

import pytest

from tests.gen.diagnostic_cases import FOLDER, ROOT, UPDATE, kinds, say


def expected(kind: str) -> str:
    return (FOLDER / kind / "expected.txt").read_text("utf-8")


@pytest.mark.parametrize("kind", kinds())
def test_a_fault_is_explained_as_it_was_reviewed(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    diff = list(difflib.unified_diff(expected(kind).splitlines(), say(kind).splitlines(), "reviewed", "now", "", ""))
    if diff:
        pytest.fail("\n".join([*diff, "", f"if this is as it should be: {UPDATE} {kind}"]), pytrace=False)


def test_there_are_many_kinds_and_each_says_where_what_and_what_to_do() -> None:
    assert len(kinds()) >= 40
    for kind in kinds():
        text = expected(kind)
        places = re.findall(r"^tests/gen/diagnostics/\w+/schema\.py:\d+:\d+: \S", text, re.MULTILINE)
        hints = re.findall(r"^    hint: \S", text, re.MULTILINE)
        marks = re.findall(r"^ +\| +\^+$", text, re.MULTILINE)
        assert len(places) == len(hints) >= 1, kind
        assert len(marks) == len(places), kind


def test_faults_come_in_the_order_of_the_source() -> None:
    lines = [tuple(map(int, found)) for found in re.findall(r"py:(\d+):(\d+):", expected("several_faults"))]
    assert len(lines) >= 5
    assert lines == sorted(lines)
