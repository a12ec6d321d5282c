"""The tests of this folder are run and told, one by one."""

from __future__ import annotations

from pathlib import Path

from examples.backend.testing.__main__ import HERE, PARTS, outcomes
from examples.form.testing import as_documented


def test_it_prints_what_is_documented_and_every_test_of_the_folder_is_in_it() -> None:
    ran = as_documented("backend/testing")
    assert set(ran.claims.values()) == {"PASSED"}
    assert {path.stem for path in HERE.glob("test_*.py")} == {*PARTS, "test_testing"}


def test_a_test_that_fails_is_told_as_failed(tmp_path: Path) -> None:
    path = tmp_path / "test_broken.py"
    path.write_text("def test_it_holds() -> None:\n    assert False\n", "utf-8")
    assert outcomes([path]) == {"test_broken": [("it holds", "FAILED")]}
