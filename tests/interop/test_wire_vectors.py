"""Values and wire texts as the npm package writes and reads them, against our encoder and decoder. Needs no Node: the
vectors were made with it, by wire_vectors.mjs.

Where we differ on purpose, `DIFFERENCES` says how and why; what is not listed has to be the same.
"""

from __future__ import annotations

import math
import re
from typing import Any

import pytest

from capnweb_runtime.core.devaluate import devaluate
from capnweb_runtime.core.evaluate import Evaluator
from capnweb_runtime.core.loopback import Loopback
from capnweb_runtime.core.mismatch import Mismatch
from capnweb_runtime.core.text import dumps, loads
from capnweb_runtime.errors import wire_type
from capnweb_runtime.values import FORBIDDEN_KEYS
from tests.interop.wire_notation import Vector, build, describe, load
from tests.runtime.pair import SyncHost

ENCODE, DECODE = load()

KEEPS_NAME = "the name of an error type is kept where the reference, not knowing it, turns it into Error"
URL_TEXT = "a URL is text here: what was written is what is sent and received"

ENCODE_DIFFERENCES: dict[str, tuple[str, Any]] = {
    "url that is not normal": (URL_TEXT, '["url","HTTPS://EXAMPLE.com:443/a/../b"]'),
}

# The reference sends these, all but __proto__, and its receiver drops them: nothing is lost unseen here.
NOT_SENT = {f"object, key {key}" for key in FORBIDDEN_KEYS}

# The reference says Request of a response's headers, and misspells signal.
HEADERS = "headers must be serialized as an array of pairs."
OWN_WORDS = {
    f"Response {HEADERS}": f"Request {HEADERS}",
    "Request signal must be of type AbortSignal.": "Request siganl must be of type AbortSignal.",
}

DECODE_DIFFERENCES: dict[str, tuple[str, Any]] = {
    "-0": ("an integer without a fraction is an int, which has no negative zero; -0.0 is one", 0),
    '["url","https://example.com"]': (URL_TEXT, {"$url": "https://example.com"}),
    '["url","HTTPS://EXAMPLE.com:443/a/../b"]': (URL_TEXT, {"$url": "HTTPS://EXAMPLE.com:443/a/../b"}),
    '["url","https://h\u00e9llo.example/\u00e9"]': (URL_TEXT, {"$url": "https://h\u00e9llo.example/\u00e9"}),
}

ENGINE_TEXTS = re.compile(r"^Headers con|^Headers\.append|init\[|^Response constructor")
"""Messages of a JavaScript engine's own checks, of which only the type has to be the same."""

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|.', re.DOTALL)


def tokens(text: str) -> list[str | float]:
    """The parts of a JSON text, numbers by their value: 1e21, 1e+21 and 3, 3.0 are written alike."""
    return [float(token) if token[0] in "-0123456789" else token for token in TOKEN.findall(text)]


def as_doubles(notation: Any) -> Any:
    """A notation with every number as the double that it is in the reference; an int keeps its digits here."""
    if type(notation) is int:
        return float(notation) if abs(notation) < 2**1024 else math.copysign(math.inf, notation)
    if isinstance(notation, (list, tuple)):
        return [as_doubles(item) for item in notation]
    if isinstance(notation, dict):
        return {key: as_doubles(item) for key, item in notation.items()}
    return notation


def encoded(value: Any) -> str:
    return dumps(devaluate(value, Loopback(SyncHost()))).decode()


def decoded(text: str) -> Any:
    return Evaluator(Loopback(SyncHost())).payload(loads(text)).value


def named(vectors: list[Vector], *, throwing: bool) -> pytest.MarkDecorator:
    chosen = [vector for vector in vectors if (vector.throws is not None) == throwing]
    return pytest.mark.parametrize("vector", chosen, ids=[vector.name for vector in chosen])


def test_there_are_hundreds_of_vectors_each_way() -> None:
    assert len(ENCODE) >= 200
    assert len(DECODE) >= 200


def test_every_difference_is_about_a_vector() -> None:
    assert {vector.name for vector in ENCODE} >= set(ENCODE_DIFFERENCES) | NOT_SENT
    assert {vector.name for vector in DECODE} >= set(DECODE_DIFFERENCES)


@named([vector for vector in ENCODE if vector.name in NOT_SENT], throwing=False)
def test_value_of_which_the_reference_drops_a_part_is_refused(vector: Vector) -> None:
    with pytest.raises(Mismatch, match="keys that peers keep"):
        encoded(build(vector.value))


@named([vector for vector in ENCODE if vector.name not in NOT_SENT], throwing=False)
def test_value_is_written_as_the_reference_writes_it(vector: Vector) -> None:
    _, wanted = ENCODE_DIFFERENCES.get(vector.name, ("", vector.wire))
    assert tokens(encoded(build(vector.value))) == tokens(wanted)


@named(ENCODE, throwing=True)
def test_value_that_the_reference_refuses_is_refused(vector: Vector) -> None:
    assert vector.throws is not None
    kind, message = vector.throws
    with pytest.raises((TypeError, ValueError)) as caught:
        encoded(build(vector.value))
    if message.startswith("Cannot serialize value: "):  # then comes the value in the language's own words
        assert kind == type(caught.value).__name__ == "TypeError"
        assert str(caught.value).startswith("Cannot serialize value: ")
    else:  # too deep: an Error there; ValueError is what Python calls it
        assert str(caught.value) == message


@named(DECODE, throwing=False)
def test_text_is_read_as_the_reference_reads_it(vector: Vector) -> None:
    _, wanted = DECODE_DIFFERENCES.get(vector.name, ("", vector.value))
    got, wanted = as_doubles(describe(decoded(vector.wire))), as_doubles(wanted)
    if isinstance(wanted, dict) and "$error" in wanted:
        wanted["$error"]["type"] = loads(vector.wire)[1]  # KEEPS_NAME
    assert got == wanted


@named(DECODE, throwing=True)
def test_text_that_the_reference_refuses_is_refused_in_the_same_words(vector: Vector) -> None:
    assert vector.throws is not None
    kind, message = vector.throws
    with pytest.raises(Exception) as caught:  # noqa: PT011  # what it has to be follows
        decoded(vector.wire)
    assert wire_type(caught.value) == kind
    if kind == "SyntaxError" and not message.startswith("Cannot convert"):
        assert str(caught.value).startswith("message is not valid JSON: ")
    elif not ENGINE_TEXTS.search(message):
        assert OWN_WORDS.get(str(caught.value), str(caught.value)) == message
