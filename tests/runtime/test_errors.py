"""Exceptions: their hierarchy, and their names on the wire."""

from __future__ import annotations

import asyncio
import builtins
import traceback
from dataclasses import dataclass

import pytest

from capnweb_runtime import errors
from capnweb_runtime.errors import (
    ERROR_TYPES,
    CapnwebError,
    ConnectionLost,
    ConnectionRefused,
    DisposedError,
    EvalError,
    GoingAway,
    LimitExceeded,
    PeerAborted,
    ProtocolError,
    RangeError,
    RpcError,
    SessionClosed,
    SessionError,
    StaleCodeWarning,
    URIError,
    from_wire,
    say_whose,
    wire_message,
    wire_type,
)


def test_the_hierarchy_is_the_one_that_is_drawn() -> None:
    assert {cls.__base__ for cls in (ProtocolError, LimitExceeded)} == {SessionError}
    assert issubclass(SessionClosed, SessionError)
    assert {cls.__base__ for cls in (SessionError, DisposedError, RpcError)} == {CapnwebError}
    assert all(issubclass(cls, RpcError) for cls in (RangeError, EvalError, URIError))
    assert issubclass(SessionClosed, ConnectionError)
    ends = (ConnectionLost, ConnectionRefused, GoingAway, PeerAborted)
    assert {cls.__base__ for cls in ends} == {SessionClosed}
    assert issubclass(RangeError, ValueError)
    assert issubclass(URIError, ValueError)
    public = [cls for cls in vars(errors).values() if isinstance(cls, type) and cls.__module__ == errors.__name__]
    assert all(issubclass(cls, CapnwebError) for cls in public if cls is not StaleCodeWarning)
    assert StaleCodeWarning.__base__ is UserWarning


class OwnError(Exception):
    pass


class Mute(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")


@pytest.mark.parametrize(
    ("error", "name", "message"),
    [
        (ValueError("m"), "ValueError", "m"),
        (Exception("m"), "Error", "m"),
        (OwnError("m"), "OwnError", "m"),
        (RpcError("m"), "Error", "m"),
        (RpcError("m", "Mine"), "Mine", "m"),
        (RangeError("m"), "RangeError", "m"),
        (RangeError("m", "Other"), "Other", "m"),
        (ProtocolError("m"), "Error", "m"),
        (ProtocolError("m", "TypeError"), "TypeError", "m"),
        (SessionClosed("m"), "Error", "m"),
        (LimitExceeded("m"), "Error", "m"),
        (DisposedError("m"), "Error", "m"),
        (KeyError("m"), "KeyError", "m"),
        (KeyError(5), "KeyError", "5"),
        (OSError(2, "gone"), "FileNotFoundError", "[Errno 2] gone"),
        (ValueError("a", "b"), "ValueError", "('a', 'b')"),
        (ValueError(), "ValueError", ""),
        (ExceptionGroup("several", [ValueError("a")]), "AggregateError", "several"),
        (Mute(1), "Mute", "(Mute without text: its __str__ raised ValueError)"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_an_exception_has_a_name_and_a_message_on_the_wire(error: Exception, name: str, message: str) -> None:
    assert wire_type(error) == name
    assert wire_message(error) == message


@pytest.mark.parametrize("name", sorted(ERROR_TYPES))
def test_a_name_that_is_known_arrives_as_its_class_and_goes_back_by_the_same_name(name: str) -> None:
    error = from_wire(name, "message")
    assert type(error) is ERROR_TYPES[name]
    assert wire_message(error) == "message"
    assert wire_type(error) == name or name in ("EnvironmentError", "IOError")


def test_another_name_is_kept() -> None:
    error = from_wire("MyError", "m")
    assert isinstance(error, RpcError)
    assert (error.name, error.message, error.props) == ("MyError", "m", {})
    assert wire_type(error) == "MyError"


@pytest.mark.parametrize(
    "name",
    [
        *("SystemExit", "KeyboardInterrupt", "GeneratorExit", "StopIteration", "StopAsyncIteration", "BaseException"),
        *("CancelledError", "Exception", "ExceptionGroup", "IOError", "Warning", "UserWarning", "print", "object", ""),
    ],
)
def test_no_name_makes_an_exception_with_a_meaning_or_constructor_of_its_own(name: str) -> None:
    assert type(from_wire(name, "m")) is RpcError


def test_the_known_ones_are_plain_errors_that_a_message_makes() -> None:
    forbidden = (asyncio.CancelledError, StopIteration, StopAsyncIteration, GeneratorExit)
    for cls in ERROR_TYPES.values():
        assert issubclass(cls, Exception)
        assert not issubclass(cls, forbidden)


@pytest.mark.parametrize("name", ["UnicodeDecodeError", "UnicodeEncodeError", "UnicodeTranslateError"])
def test_a_built_in_exception_with_a_constructor_of_its_own_arrives_as_its_nearest_base(name: str) -> None:
    error = from_wire(name, "'utf-8' codec can't decode byte 0xff in position 0: bad")
    assert type(error) is UnicodeError
    assert str(error) == "'utf-8' codec can't decode byte 0xff in position 0: bad"
    assert error.__notes__ == [f"{name}, where it was raised"]
    assert wire_type(error) == name, "it goes on as what it was"


def test_every_built_in_exception_arrives_as_one_that_its_handlers_catch_or_as_an_rpc_error() -> None:
    rpc_errors = set[str]()
    for name, cls in vars(builtins).items():
        if isinstance(cls, type) and issubclass(cls, Exception) and cls.__name__ == name:
            error = from_wire(name, "m")
            if isinstance(error, RpcError):
                rpc_errors.add(name)
            else:
                assert issubclass(cls, type(error))
                assert type(error) is not Exception
    rpc_errors -= {name for name in rpc_errors if issubclass(getattr(builtins, name), Warning)}
    rpc_errors -= {"PythonFinalizationError"}  # of Python 3.13, and a RuntimeError there
    assert rpc_errors == {"Exception", "StopIteration", "StopAsyncIteration", "ExceptionGroup"}


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (RpcError("m"), "m"),
        (RpcError("m", "Mine"), "Mine: m"),
        (RpcError("", "Mine"), "Mine"),
        (RpcError(), ""),
        (RangeError("m"), "m"),
        (RangeError("m", "Other"), "Other: m"),
    ],
)
def test_the_text_of_an_rpc_error_names_its_type_unless_its_class_does(error: RpcError, text: str) -> None:
    assert str(error) == text
    assert wire_message(error) == error.message


@dataclass(frozen=True)
class Frozen(Exception):
    text: str


def test_whose_an_error_is_can_be_noted_on_one_that_cannot_be_changed() -> None:
    error = Frozen("m")
    say_whose(error, "Desk.add")
    assert traceback.format_exception_only(error)[-1] == "raised by the peer, in answer to Desk.add\n"


def test_whose_an_error_is_is_noted_once() -> None:
    error, unknown = ValueError("m"), ValueError("m")
    error.add_note("a note of its own")
    say_whose(error, "Desk.add")
    say_whose(error, "Desk.book")
    say_whose(unknown, "")
    assert error.__notes__ == ["a note of its own", "raised by the peer, in answer to Desk.add"]
    assert unknown.__notes__ == ["raised by the peer"]


def test_an_rpc_error_carries_properties() -> None:
    error = RpcError("m", "Mine", code=5, detail={"a": 1})
    assert error.props == {"code": 5, "detail": {"a": 1}}
    assert str(error) == "Mine: m"


def test_a_range_error_is_caught_as_a_value_error() -> None:
    with pytest.raises(ValueError, match="far"):
        raise from_wire("RangeError", "far")
