"""What `debug=` and the environment say."""

from __future__ import annotations

from typing import Any

import pytest

from capnweb_runtime import Sampling, connect, serve
from capnweb_runtime.debugging.settings import SETTING, mode_of
from capnweb_runtime.driving.connection import debug_mode
from tests.runtime.transports.example_api import Example, ExampleStub


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        *((text, False) for text in ("", "0", "no", "off", "False")),
        *((text, True) for text in ("1", "yes", "on", "TRUE", " 1 ")),
        ("sampling", Sampling()),
        ("sampling=20", Sampling(20)),
    ],
)
def test_the_environment_says_it_where_the_program_does_not(
    said: str, meant: bool | Sampling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SETTING, said)
    assert debug_mode(None) == meant
    assert debug_mode(False) is False
    assert debug_mode(True) is True
    assert debug_mode(Sampling(3)) == Sampling(3)


def test_nothing_is_watched_where_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SETTING, raising=False)
    assert debug_mode(None) is False


@pytest.mark.parametrize("said", ["2", "sampling=0", "sampling=-1", "sampling=", "sampling=1e3", "debug\n"])
def test_what_cannot_be_meant_is_told_where_a_session_is_asked_for(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, said)
    with pytest.raises(ValueError, match=r'CAPNWEB_DEBUG has to be 1, 0, or "sampling=1000", not '):
        _ = connect("ws://localhost", ExampleStub)
    with pytest.raises(ValueError, match="CAPNWEB_DEBUG"):
        _ = serve(lambda peer: Example(peer), "127.0.0.1", 0)


@pytest.mark.parametrize("debug", ["1", 1, 0.1, object()])
def test_debug_is_of_a_type_that_says_what_it_is(debug: Any) -> None:
    with pytest.raises(TypeError, match=r"debug has to be True, False, Sampling\(every=\.\.\.\) or None, not "):
        mode_of(debug)
    with pytest.raises(TypeError, match="debug has to be"):
        _ = connect("ws://localhost", ExampleStub, debug=debug)
    with pytest.raises(TypeError, match="debug has to be"):
        _ = serve(lambda peer: Example(peer), "127.0.0.1", 0, debug=debug)


def test_sampling_looks_at_something() -> None:
    with pytest.raises(ValueError, match=r"Sampling\(every=0\) looks at no call"):
        Sampling(0)
