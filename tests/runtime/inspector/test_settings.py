"""How a server is to be inspected."""

from __future__ import annotations

from typing import Any

import pytest

from capnweb_runtime.inspector.settings import Inspector, inspector_of, token_of


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"path": "inspector"}, "has to be like"),
        ({"path": "/"}, "has to be like"),
        ({"mode": "write"}, '"watch" or "calls"'),
        ({"token": "short"}, "16 characters or more"),
        ({"hosts": ["no name"]}, "hosts takes names"),
        ({"calls": 0}, "calls of the inspector"),
        ({"interval": float("nan")}, "interval of the inspector"),
        ({"wrong_token_delay": -1}, "cannot be negative"),
    ],
)
def test_what_cannot_be_meant_is_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Inspector(**options)


def test_one_text_is_no_several_hosts() -> None:
    with pytest.raises(TypeError, match=r'hosts=\["a.example"\]'):
        Inspector(hosts="a.example")


def test_what_serve_is_given() -> None:
    assert inspector_of(False) is None
    assert inspector_of(None) is None
    assert inspector_of(True) == Inspector()
    assert inspector_of("calls") == Inspector(mode="calls")


def test_a_token_of_ones_own_is_shown_nowhere() -> None:
    settings = Inspector(token="correct horse battery staple")
    assert "horse" not in repr(settings)
    assert token_of(settings) == "correct horse battery staple"
