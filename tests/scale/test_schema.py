"""What these tests generate is what the compiler makes of their schema."""

from __future__ import annotations

from click.testing import CliRunner

from capnweb_gen.cli import main
from tests.project.sources import ROOT


def test_generated_code_is_up_to_date() -> None:
    folder = ROOT / "tests" / "scale"
    done = CliRunner().invoke(main, ["check", str(folder / "schema"), "--out", str(folder / "generated")])
    assert done.exit_code == 0, done.output
