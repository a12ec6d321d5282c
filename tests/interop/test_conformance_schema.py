"""The compiled schema of the conformance programs is what the compiler makes of it now."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from capnweb_gen.cli import main

FOLDER = Path("examples/conformance")


def test_generated_code_is_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    result = CliRunner().invoke(main, ["check", str(FOLDER / "schema"), "--out", str(FOLDER / "generated")])
    assert result.exit_code == 0, result.output
