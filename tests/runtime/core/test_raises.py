"""Declared exceptions: which declaration counts, and what an instance is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from capnweb_runtime.core.codecs import INT, STR
from capnweb_runtime.core.raises import DeclaredError, ErrorField, Raises, is_declared, join
from capnweb_runtime.errors import RpcError


class NotFound(Exception):
    pass


class Gone(NotFound):
    pass


class Busy(Exception):
    """Cannot be made from a message: nothing may try."""

    seconds: int

    def __init__(self, seconds: int, *, more: str) -> None:
        raise AssertionError("the constructor of an exception that came in was called")


@dataclass(frozen=True, slots=True)
class Frozen(Exception):
    text: str
    size: int
    unit: str = "bytes"


NOT_FOUND, GONE = DeclaredError(NotFound, "NotFound"), DeclaredError(Gone, "Gone")
BUSY = DeclaredError(Busy, "Busy", [ErrorField("seconds", INT, "secs")])
FROZEN = DeclaredError(
    Frozen,
    "Frozen",
    [ErrorField("text", STR, "message"), ErrorField("size", INT), ErrorField("unit", STR, required=False)],
)


def test_an_exception_counts_as_the_nearest_of_its_classes() -> None:
    both = Raises([NOT_FOUND, GONE])
    assert both.of(Gone()) is GONE
    assert Raises([NOT_FOUND]).of(Gone()) is NOT_FOUND
    assert Raises([GONE]).of(NotFound()) is None


def test_an_exception_no_longer_travels_as_what_it_passed_through_before() -> None:
    error = Gone("x")
    assert is_declared(error, Raises([NOT_FOUND]))
    assert len(vars(error)) == 1
    assert not is_declared(error, None)
    assert vars(error) == {}


def test_no_constructor_is_called_for_what_comes_in() -> None:
    made = Raises([BUSY]).received(RpcError("later", "Busy", secs=3, other=[1]))
    assert isinstance(made, Busy)
    assert (made.seconds, made.args, vars(made)["props"]) == (3, ("later",), {"other": [1]})


def test_the_name_that_npm_peers_read_is_no_property_of_what_it_names() -> None:
    made = Raises([BUSY]).received(RpcError("later", "Busy", secs=3, errorName="Busy"))
    assert "props" not in vars(made)


def test_the_text_and_defaults_of_a_record_are_set_even_if_it_is_frozen() -> None:
    made = Raises([FROZEN]).received(RpcError("full", "Frozen", size=7))
    assert made == Frozen("full", 7)


def test_the_cause_comes_along() -> None:
    error = RpcError("x", "NotFound")
    error.__cause__ = KeyError("y")
    assert Raises([NOT_FOUND]).received(error).__cause__ is error.__cause__


@pytest.mark.parametrize(
    "error",
    [RpcError("x", "Gone"), ValueError("x"), RpcError("x"), NotFound("one of our own"), KeyboardInterrupt()],
)
def test_what_is_not_declared_stays_what_it_is(error: BaseException) -> None:
    assert Raises([NOT_FOUND]).received(error) is error


@pytest.mark.parametrize("props", [{}, {"secs": "3"}, {"secs": None}, {"seconds": 3}])
def test_what_does_not_fit_stays_plain_and_is_told_once_however_many_wait(props: dict[str, Any]) -> None:
    error = RpcError("later", "Busy", **props)
    raises = Raises([BUSY])
    assert raises.received(error) is error
    assert raises.received(error) is error
    (note,) = error.__notes__
    assert note.startswith("This is no Busy, though it has its name: Busy.secs: expected int, got ")


def test_a_built_in_exception_is_not_made_anew() -> None:
    error = PermissionError("x")
    assert Raises([DeclaredError(PermissionError, "PermissionError")]).received(error) is error


def test_the_same_two_declarations_join_to_the_same_object() -> None:
    one, other = Raises([NOT_FOUND]), Raises([GONE])
    both = one.joined(other)
    assert {type(both.received(RpcError("x", name))) for name in ("NotFound", "Gone")} == {NotFound, Gone}
    assert one.joined(other) is both
    assert both.joined(one) is both
    assert one.joined(both) is both
    assert join(None, one) is join(one, None) is one.joined(one) is one
    assert join(None, None) is None
