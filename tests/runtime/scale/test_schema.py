"""What these tests generate is what the compiler makes of their schemas."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from capnweb_gen.cli import main
from tests.project.sources import ROOT


def test_generated_code_is_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    folder = "tests/runtime/scale"
    done = CliRunner().invoke(main, ["check", f"{folder}/schema", "--out", f"{folder}/generated"])
    assert done.exit_code == 0, done.output
