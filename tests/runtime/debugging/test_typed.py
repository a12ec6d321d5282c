"""What the schema says of a value in a message."""

from __future__ import annotations

from typing import Any

import pytest

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.debugging.typed import MOST_CODECS, typed
from generated.accounts import AUTHED_API, CALL_PROFILE
from tests.gen.golden.secrets.expected import HINTS, KEY, LOGIN, REQUEST
from tests.gen.golden.tagged_unions import expected as tagged


@pytest.mark.parametrize(
    "codec",
    [
        LOGIN,
        rpc.list_of(LOGIN),
        rpc.dict_of(LOGIN),
        rpc.tuple_of(rpc.INT, LOGIN),
        rpc.optional(LOGIN),
        rpc.union_of(rpc.INT, LOGIN),
        rpc.stream_of(LOGIN),
        rpc.writable_of(LOGIN),
        rpc.constrained(rpc.list_of(LOGIN), min_length=1),
        rpc.optional(rpc.dict_of(rpc.list_of(rpc.optional(rpc.constrained(rpc.list_of(LOGIN), max_length=2))))),
        rpc.dict_by(rpc.STR, LOGIN),
        rpc.tuple_of(LOGIN, KEY, HINTS, REQUEST),
    ],
    ids=lambda codec: codec.label,
)
def test_keys_that_are_secret_are_found_wherever_they_stand(codec: Any) -> None:
    assert "password" in typed(codec).hidden
    assert not typed(codec).secret


def test_parts_are_known_by_their_types() -> None:
    assert typed(rpc.list_of(AUTHED_API)).item(3).interface == "AuthedApi"
    assert typed(rpc.dict_of(rpc.optional(AUTHED_API))).at(("any", "more")).interface == ""
    assert typed(rpc.dict_of(rpc.optional(AUTHED_API))).at(("any",)).interface == "AuthedApi"
    both = typed(rpc.tuple_of(rpc.INT, rpc.union_of(rpc.STR, AUTHED_API)))
    assert (both.at((0,)).interface, both.at((1,)).interface, both.at((2,)).interface) == ("", "AuthedApi", "")
    assert "get_profile" in typed(AUTHED_API).members
    assert typed(CALL_PROFILE).function is not None
    assert typed(rpc.stream_of(AUTHED_API)).chunks().interface == "AuthedApi"


def test_what_is_in_something_secret_is_secret() -> None:
    assert typed(rpc.STR, True).at(("a", 1)).secret
    assert typed(REQUEST).at(("login", "password")).secret
    assert not typed(REQUEST).at(("login", "user")).secret
    assert typed(rpc.stream_of(rpc.STR), True).chunks().secret
    assert typed(rpc.INT).with_secrets_of(typed(rpc.STR, True)).secret


def test_a_type_with_too_many_parts_is_secret() -> None:
    assert typed(rpc.union_of(*[rpc.list_of(rpc.INT) for _ in range(MOST_CODECS)], LOGIN)).secret


def test_unions_that_are_told_apart_by_a_field_have_the_secrets_of_each() -> None:
    unions = [value for value in vars(tagged).values() if type(value).__name__ == "TaggedCodec"]
    assert unions
    assert all(typed(union).hidden == frozenset() for union in unions)
