"""A test whose need is not met skips by name; in CI neither it nor any other skip passes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import needs
from tests.project.sources import ROOT


class Item(pytest.Item):
    """A test that needs something nobody has."""

    def iter_markers(self, name: str | None = None) -> Iterator[pytest.Mark]:
        assert name == "needs"
        yield pytest.mark.needs("unicorn").mark

    def runtest(self) -> None: ...


@pytest.fixture
def item(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> pytest.Item:
    monkeypatch.setitem(needs.NEEDS, "unicorn", needs.Need("a unicorn", lambda: False, "find one"))
    made: Item = Item.from_parent(request.node.parent, name="item")
    return made


def test_unmet_need_skips_and_says_what_is_missing(item: pytest.Item, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "IN_CI", False)
    with pytest.raises(pytest.skip.Exception, match=r"needs a unicorn \(find one\)"):
        needs.enforce(item)


def test_unmet_need_fails_in_ci(item: pytest.Item, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "IN_CI", True)
    with pytest.raises(pytest.fail.Exception, match="needs a unicorn"):
        needs.enforce(item)


@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("", 0)])
def test_any_other_skip_fails_the_run_in_ci(tmp_path: Path, ci: str, code: int) -> None:
    test = tmp_path / "test_stray.py"
    test.write_text("import pytest\n\n\ndef test_stray():\n    pytest.skip('no reason')\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.conftest",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        str(test),
    ]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"CI": ci}, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert "1 skipped" in done.stdout
