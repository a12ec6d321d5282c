"""Promises of dictionaries whose keys are more than plain strings: an item is asked for by its key in Python."""

from __future__ import annotations

import enum
from typing import Any

import pytest

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.objects.keyed import KeyedPromise
from capnweb_runtime.objects.stub import _promise
from tests.runtime.pair import Counted


class Colour(enum.Enum):
    RED = "red"


NUMBERS = rpc.dict_by_number(rpc.INT, rpc.STR)


def promise(codec: rpc.Codec) -> Any:
    return _promise(codec, Counted())


@pytest.mark.parametrize(
    ("codec", "key", "path"),
    [
        (NUMBERS, 5, ("5",)),
        (rpc.dict_by(rpc.enum_of(Colour), rpc.STR), Colour.RED, ("red",)),
        (rpc.optional(NUMBERS), 5, ("5",)),
        (rpc.constrained(NUMBERS, max_length=3), -5, ("-5",)),
    ],
)
def test_an_item_is_promised_by_its_key(codec: rpc.Codec, key: Any, path: tuple[str, ...]) -> None:
    whole = promise(codec)
    assert isinstance(whole, KeyedPromise)
    item = whole[key]
    assert (item._path, item._codec) == (path, rpc.STR)


def test_what_is_no_key_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match="key: expected int, got str '5'"):
        promise(NUMBERS)["5"]
    with pytest.raises(TypeError, match="key: expected keys that peers keep, got 'toString'"):
        promise(rpc.dict_by(rpc.STR, rpc.STR))["toString"]
