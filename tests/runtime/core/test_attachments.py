"""Byte strings beside the text: what goes out, what comes in, and what a peer may not do with them."""

from __future__ import annotations

import base64
import json
from array import array
from typing import Any

import pytest

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.core.attachments import ATTACHMENT_COST, NO_ATTACHMENTS, SHORT, Attachments, base64_text, detach
from capnweb_runtime.core.evaluate import DirectEvaluator, Evaluator
from capnweb_runtime.core.held import EXPORT
from capnweb_runtime.core.loopback import Loopback
from capnweb_runtime.core.mismatch import Mismatch
from capnweb_runtime.core.text import dumps_with
from capnweb_runtime.errors import LimitExceeded, ProtocolError
from capnweb_runtime.limits import Limits
from tests.runtime.pair import Side, SyncHost
from tests.runtime.stream_example import Depot

LONG = bytes(range(256)) * 4
OTHER = LONG[::-1]


class TestDetach:
    def test_long_byte_strings_stand_behind_the_text_in_the_order_of_their_indices(self) -> None:
        text, *parts = detach(["push", ["bytes", LONG], {"a": ["bytes", OTHER, "ArrayBuffer"]}])
        first, second = json.loads(text)[1][1], json.loads(text)[2]["a"][1]
        assert (parts[first], parts[second]) == (LONG, OTHER)
        assert sorted((first, second)) == [0, 1]

    def test_short_ones_stay_in_the_text(self) -> None:
        short = LONG[: SHORT - 1]
        assert detach(["bytes", short]) == (f'["bytes","{base64_text(short)}"]'.encode(),)
        assert detach(["bytes", LONG[:SHORT]]) == (b'["bytes",0]', LONG[:SHORT])
        assert detach(["bytes", b""]) == (b'["bytes",""]',)

    def test_none_counts_for_more_than_its_base64(self) -> None:
        assert len(base64_text(bytes(SHORT))) >= SHORT + ATTACHMENT_COST

    def test_one_that_is_named_twice_is_attached_once(self) -> None:
        assert detach([["bytes", LONG], ["bytes", LONG]]) == (b'[["bytes",0],["bytes",0]]', LONG)

    def test_a_text_that_is_begun_anew_has_each_once(self) -> None:
        text, *parts = detach([["bytes", LONG], "\ud800", ["bytes", OTHER]])
        assert parts == [LONG, OTHER]
        assert json.loads(text) == [["bytes", 0], "\ud800", ["bytes", 1]]

    def test_what_has_no_json_form_is_refused(self) -> None:
        with pytest.raises(TypeError, match="set has no JSON form"):
            detach(["push", {1}])


def test_dumps_with_asks_for_what_json_does_not_have_in_both_writers() -> None:
    assert dumps_with(["a", b"x"], lambda value: value.decode()) == b'["a","x"]'
    assert dumps_with(["\ud800", b"x"], lambda value: value.decode()) == b'["\\ud800","x"]'


class TestAttachments:
    def test_there_are_none_by_default(self) -> None:
        assert not NO_ATTACHMENTS
        assert NO_ATTACHMENTS.get(0) is None

    @pytest.mark.parametrize(("index", "part"), [(0, LONG), (1, OTHER), (2, None), (-1, None), (10**30, None)])
    def test_an_index_names_one_or_none(self, index: int, part: bytes | None) -> None:
        attachments = Attachments([LONG, OTHER])
        assert (len(attachments), attachments.size) == (2, 2048)
        assert attachments.get(index) is part

    def test_a_container_is_made_once_for_each_marker(self) -> None:
        attachments = Attachments([LONG])
        made = attachments.container(0, "ArrayBuffer", lambda: bytearray(LONG))
        assert attachments.container(0, "ArrayBuffer", lambda: bytearray(OTHER)) is made
        assert attachments.container(0, "DataView", lambda: memoryview(LONG)) == memoryview(LONG)


def importer(*parts: bytes) -> Loopback:
    loopback = Loopback(SyncHost())
    loopback.attachments = Attachments(parts)
    return loopback


class TestEvaluating:
    @pytest.mark.parametrize(
        ("wire", "value"),
        [
            (["bytes", 0], LONG),
            (["bytes", 1], OTHER),
            (["bytes", 0, "Uint8Array"], LONG),
            (["bytes", 0, "ArrayBuffer"], bytearray(LONG)),
            (["bytes", 0, "DataView"], memoryview(LONG)),
            (["bytes", 0, "Int16Array"], array("h", LONG)),
            (["bytes", "AP8"], b"\x00\xff"),
            ({"a": [[["bytes", 1], ["bytes", 0]]]}, {"a": [OTHER, LONG]}),
        ],
    )
    def test_an_index_stands_for_the_byte_string(self, wire: Any, value: Any) -> None:
        made = Evaluator(importer(LONG, OTHER)).payload(wire).value
        assert (type(made), made) == (type(value), value)

    def test_a_list_that_looks_like_an_expression_stays_one(self) -> None:
        assert Evaluator(importer(LONG)).payload([["bytes", 0]]).value == ["bytes", 0]

    @pytest.mark.parametrize("index", [2, -1, True, False, 0.0, 1.5, None, [], {}, 10**30])
    def test_any_other_index_is_malformed(self, index: Any) -> None:
        for parts in ((), (LONG, OTHER)):
            with pytest.raises(ProtocolError):
                Evaluator(importer(*parts)).payload(["bytes", index])
            with pytest.raises(Mismatch):
                rpc.BYTES.decode(["bytes", index], DirectEvaluator(importer(*parts)))

    def test_typed_values_take_them(self) -> None:
        source = DirectEvaluator(importer(LONG, OTHER))
        assert rpc.BYTES.decode(["bytes", 1], source) is OTHER
        assert rpc.BYTEARRAY.decode(["bytes", 0, "ArrayBuffer"], source) == bytearray(LONG)
        assert rpc.list_of(rpc.BYTES).decode([[["bytes", 1], ["bytes", 0]]], source) == [OTHER, LONG]

    @pytest.mark.parametrize("marker", ["ArrayBuffer", "Float64Array"])
    def test_naming_one_over_and_over_makes_one_copy(self, marker: str) -> None:
        values = Evaluator(importer(LONG)).payload([[["bytes", 0, marker]] * 1000]).value
        assert len({id(value) for value in values}) == 1
        typed = rpc.list_of(rpc.BYTEARRAY).decode([[["bytes", 0]] * 1000], DirectEvaluator(importer(LONG)))
        assert len({id(value) for value in typed}) == 1


def push(method: str, *args: Any) -> bytes:
    return json.dumps(["push", ["pipeline", 0, [method], list(args)]]).encode()


class TestSession:
    """`receive` of tuples, `attach_bytes`, and what the session counts."""

    def test_bytes_are_attached_only_once_both_ends_have_agreed(self) -> None:
        side = Side(Depot())
        for agreed in (False, True):
            side.session.receive((push("echo", ["bytes", 0]), LONG))
            side.session.receive(json.dumps(["pull", 2 if agreed else 1]))
            answer = side.session.take_outbox()[-1]
            encoded = base64.b64encode(LONG).decode().rstrip("=")
            expected = (b'["resolve",2,["bytes",0]]', LONG) if agreed else b'["resolve",1,["bytes","%s"]]'
            assert answer == (expected if agreed else expected % encoded.encode())  # type: ignore[operator]  # bytes
            side.session.attach_bytes()

    def test_the_next_message_has_none_of_the_attachments_before_it(self) -> None:
        side = Side(Depot())
        side.session.receive((push("echo", ["bytes", 0]), LONG))
        assert side.session.attachments is NO_ATTACHMENTS
        side.hear(push("echo", ["bytes", 0]))
        assert isinstance(side.session.reason, ProtocolError)

    def test_a_message_that_fails_leaves_no_attachments_behind(self) -> None:
        side = Side(Depot())
        side.session.receive((b"{", LONG))
        assert side.session.closed
        assert side.session.attachments is NO_ATTACHMENTS

    def test_attachments_count_for_the_size_of_a_message(self) -> None:
        message = push("echo", ["bytes", 0])
        for limit, closed in ((len(message) + len(LONG), False), (len(message) + len(LONG) - 1, True)):
            side = Side(Depot(), Limits(message_size=limit))
            side.session.receive((message, LONG))
            assert side.session.closed is closed

    def test_attachments_count_for_what_is_held(self) -> None:
        side = Side(Depot(), Limits(held_bytes=4 * (len(LONG) + EXPORT) + 1000))
        for _ in range(4):
            side.session.receive((push("echo", ["bytes", 0]), LONG))
            assert not side.session.closed
        side.session.receive((push("echo", ["bytes", 0]), LONG))
        assert isinstance(side.session.reason, LimitExceeded)

    def test_attachments_count_for_what_a_stream_holds(self) -> None:
        side = Side(Depot(take=lambda stream: None), Limits(stream_bytes=3 * len(LONG)))
        side.hear(["pipe"])
        for _ in range(2):
            side.session.receive((b'["stream",["pipeline",1,["write"],[["bytes",0]]]]', LONG))
            assert side.take() == []
        side.session.receive((b'["stream",["pipeline",1,["write"],[["bytes",0]]]]', LONG))
        assert "bytes of a stream wait to be read" in side.take()[-1]

    def test_attachments_count_for_what_waits_to_be_written(self) -> None:
        side = Side(Depot(), Limits(outbox_bytes=3000))
        side.session.attach_bytes()
        for number in (1, 2, 3, 4):
            side.session.receive((push("echo", ["bytes", 0]), LONG))
            side.session.receive(json.dumps(["pull", number]))
        assert side.session.outbox_bytes > 3000
        assert len(side.session._held_back) == 1
