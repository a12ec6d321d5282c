"""Results as they are printed: JSON that reads back, trees for people, and nothing that a terminal would obey."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from capnweb_gen.client.described import Described, Type
from capnweb_gen.client.expression import parse
from capnweb_gen.client.plan import Planner
from capnweb_gen.client.shown import Format, Shown, clean, error_text
from capnweb_runtime import (
    UNDEFINED,
    AnyStub,
    BigInt,
    Blob,
    Headers,
    Request,
    Response,
    RpcError,
    SessionClosed,
    Url,
    WireDate,
)
from capnweb_runtime.core.broken import ErrorHook

HOSTILE = "a\x1b[31m\r\n\x07\x9b\u202eb"
NOTHING = Described((), ())
CAPABILITY = AnyStub(ErrorHook(ValueError("nothing behind it")))


def shown(value: object, form: Format, encoding: str = "utf-8", kind: Type = ()) -> str:
    return Shown(NOTHING, form, encoding).whole(value, kind)


def kind_of(described: Described, text: str) -> Type:
    return Planner(described).plan(parse(text)).kind


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, None),
        (UNDEFINED, None),
        ([True, 1, 1.5, "x"], [True, 1, 1.5, "x"]),
        (BigInt(2**70), 2**70),
        (float("inf"), {"$float": "inf"}),
        (b"\x00\xff", {"$bytes": "AP8="}),
        (datetime(2024, 1, 31, 12, 30, tzinfo=UTC), "2024-01-31T12:30:00Z"),
        (Url("https://a.b/"), "https://a.b/"),
        (Headers([("X-A", "1")]), {"x-a": "1"}),
        (Blob(b"x", "text/plain"), {"$blob": "eA==", "type": "text/plain"}),
        (WireDate(None), {"$date": None}),
        (RpcError("no", "Odd"), {"$error": "Odd", "message": "no"}),
        ({"a": [CAPABILITY]}, {"a": [{"$capability": ""}]}),
        (Request("https://a.b/"), {"$request": "https://a.b/", "method": "GET", "headers": {}, "body": None}),
        (Response(b"x", 201), {"$response": 201, "headers": {}, "body": {"$bytes": "eA=="}}),
    ],
)
def test_json_has_a_form_for_every_value(value: object, written: object) -> None:
    assert json.loads(shown(value, "json")) == written
    assert shown(value, "tree")


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii"])
def test_json_reads_back_and_holds_what_the_output_can(encoding: str) -> None:
    value = {"name": "Grüße 寸", "hostile": HOSTILE, HOSTILE: "\ud800\x7f\U0001f600"}
    text = shown(value, "json", encoding)
    assert json.loads(text) == value
    text.encode(encoding)
    assert ("Grüße" in text) == (encoding != "ascii")


@pytest.mark.parametrize("form", ["json", "tree"])
@pytest.mark.parametrize(
    "value", [HOSTILE, {HOSTILE: HOSTILE}, [HOSTILE], RpcError(HOSTILE, HOSTILE), Blob(b"", HOSTILE), Url(HOSTILE)]
)
def test_nothing_that_a_terminal_obeys_is_printed(form: Format, value: object) -> None:
    assert all(line.isprintable() for line in shown(value, form).split("\n"))


def test_texts_of_a_server_keep_their_lines_and_nothing_else() -> None:
    assert clean(HOSTILE) == "a\\x1b[31m\\r\n\\x07\\x9b\\u202eb"
    assert clean("Grüße\n") == "Grüße\n"


def test_a_tree_says_what_things_are(shop: Described) -> None:
    item = {"name": "n", "wireName": 1, "sizes": [{"width": 1, "height": 2.0}], "odd key": None}
    text = Shown(shop, "tree", "utf-8").whole([item, item], kind_of(shop, "basket().items()"))
    assert text == (
        "2 items\n"
        "├─ 0: Item\n"
        "│  ├─ name: 'n'\n"
        "│  ├─ wireName: 1\n"
        "│  ├─ sizes: 1 item\n"
        "│  │  └─ 0: Size\n"
        "│  │     ├─ width: 1\n"
        "│  │     └─ height: 2.0\n"
        "│  └─ 'odd key': None\n"
        "└─ 1: Item\n"
        "   ├─ name: 'n'\n"
        "   ├─ wireName: 1\n"
        "   ├─ sizes: 1 item\n"
        "   │  └─ 0: Size\n"
        "   │     ├─ width: 1\n"
        "   │     └─ height: 2.0\n"
        "   └─ 'odd key': None"
    )


def test_capabilities_go_by_their_interface(shop: Described) -> None:
    kind = kind_of(shop, "basket()")
    assert Shown(shop, "tree", "utf-8").whole(CAPABILITY, kind) == "<Basket>"
    assert json.loads(Shown(shop, "json", "utf-8").whole(CAPABILITY, kind)) == {"$capability": "Basket"}


def test_short_lists_stand_in_one_line_and_long_bytes_are_cut() -> None:
    assert shown([1, "x"], "tree") == "[1, 'x']"
    assert shown([], "tree") == "[]"
    assert shown({}, "tree") == "{}"
    assert shown(["x" * 50, "y" * 50], "tree").startswith("2 items\n├─ 0: 'xxx")
    assert shown(b"x" * 1000, "tree") == f"b'{'x' * 64}'… (1000 bytes)"


def test_a_tree_is_escaped_for_outputs_without_its_lines() -> None:
    assert shown({"a": 1}, "tree", "ascii") == "dict\n\\u2514\\u2500 a: 1"


def test_items_of_a_stream_are_lines_of_json(shop: Described) -> None:
    item = Shown(shop, "json", "utf-8").item({"name": "n", "sizes": []}, kind_of(shop, "ticks()"))
    assert item == '{"name": "n", "sizes": []}'
    assert Shown(shop, "tree", "utf-8").item({"name": "n"}, kind_of(shop, "ticks()")) == "Item\n└─ name: 'n'"


def test_errors_say_what_they_are_and_have() -> None:
    plain = Shown(NOTHING, "tree", "utf-8")
    assert error_text(RpcError("no\x1b", "Odd", code=5), plain) == "Odd: no\\x1b\n    code: 5"
    assert error_text(KeyError("k"), plain) == "KeyError: k"
    assert error_text(SessionClosed("gone"), plain) == "gone"
