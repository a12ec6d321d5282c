"""What all kinds of telemetry say of a call."""

from __future__ import annotations

import asyncio

import pytest

from capnweb_runtime import CallInfo, RpcError
from capnweb_runtime.telemetry.calls import method_of, place_of, type_of, was_forgotten
from tests.gen.golden.cancellable.schema import TooBroad


@pytest.mark.parametrize(
    ("call", "method"),
    [
        (CallInfo("Search", "count", declared=True), "Search/count"),
        (CallInfo("AuthedApi", "profile.tags.0", "get", declared=True), "AuthedApi/profile"),
        (CallInfo("", "lambda", declared=True), "callback"),
        (CallInfo("", "friends", "map"), "map"),
        (CallInfo("", "no\nsuch"), "_OTHER"),
        (CallInfo("", "Search/count"), "_OTHER"),
        (CallInfo("", ""), "_OTHER"),
    ],
)
def test_a_method_is_called_as_it_is_declared_and_otherwise_other(call: CallInfo, method: str) -> None:
    assert method_of(call) == method


def test_an_error_is_called_as_its_class_whatever_a_peer_calls_it() -> None:
    assert type_of(TooBroad("no end")) == "TooBroad"
    assert type_of(RpcError("no", "ANY_NAME\n")) == "RpcError"


def test_a_call_that_nobody_asked_for_and_that_was_given_up_is_forgotten() -> None:
    cancelled = asyncio.CancelledError()
    assert was_forgotten(CallInfo("Search", "count"), cancelled)
    assert not was_forgotten(CallInfo("Search", "count", asked=True), cancelled)
    assert not was_forgotten(CallInfo("Search", "count"), None)
    assert not was_forgotten(CallInfo("Search", "count"), ValueError())


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("ws://api.example:8080/rpc", ("api.example", 8080)),
        ("wss://api.example/rpc", ("api.example", None)),
        ("//[::1]:8080", ("::1", 8080)),
        ("ws+unix:///run/app.sock:/rpc", ("", None)),
        ("//", ("", None)),
        ("//api.example:99999", ("", None)),
        ("//[::1", ("", None)),
        ("//a:b:c", ("", None)),
    ],
)
def test_a_place_is_a_host_and_a_port_or_nothing(url: str, place: tuple[str, int | None]) -> None:
    assert place_of(url) == place
