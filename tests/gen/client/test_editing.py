"""Lines that are typed: Ctrl-C leaves one, the end of the input ends all."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterator

import pytest

from capnweb_gen.client import editing


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str | type[BaseException]]]:
    """What is typed, or happens meanwhile; then the input ends."""
    script: list[str | type[BaseException]] = []

    def read(prompt: str) -> str:
        step = script.pop(0) if script else EOFError
        if isinstance(step, str):
            return step
        raise step

    monkeypatch.setattr(builtins, "input", read)
    monkeypatch.setattr(editing, "find_spec", lambda name: None)
    yield script
    assert not script


def test_ctrl_c_leaves_the_line_that_is_typed(
    typed: list[str | type[BaseException]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    typed += ["one", KeyboardInterrupt, "two"]
    assert [*editing.lines(">>> ", lambda before: [])] == ["one", "two"]
    assert capsys.readouterr().out == "\n\n"


def test_without_a_terminal_it_ends_everything(
    typed: list[str | type[BaseException]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    typed += ["one", KeyboardInterrupt]
    with pytest.raises(KeyboardInterrupt):
        list(editing.lines(">>> ", lambda before: []))
    assert capsys.readouterr().out == ""
