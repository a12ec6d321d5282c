"""Generated code of the product, the conformance programs and what is measured is what the compiler writes."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from capnweb_gen.cli import main
from tests.project.sources import ROOT


@pytest.mark.parametrize("folder", ["capnweb_runtime/inspector", "examples/conformance", "tests/bench"])
def test_it_is_up_to_date(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)  # paths in what is generated begin there
    result = CliRunner().invoke(main, ["check", f"{folder}/schema", "--out", f"{folder}/generated"])
    assert result.exit_code == 0, result.output
