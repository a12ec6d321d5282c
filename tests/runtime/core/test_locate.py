"""The field of a model that could not be sent is told, and nothing is left of asking."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NotRequired, TypedDict

import pytest

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.core.locate import located
from capnweb_runtime.core.loopback import Loopback
from capnweb_runtime.core.mismatch import Mismatch
from tests.runtime.codec_ends import encode, refusal
from tests.runtime.pair import SyncHost


@dataclass
class Point:
    x: Any = 1
    label: Any = "a"
    more: Any = field(default_factory=dict[str, Any])
    model_extra: Any = None


class Movie(TypedDict):
    title: Any
    year: NotRequired[Any]


DICT_INT = rpc.dict_of(rpc.INT)


def encode_point(value: Point, to: rpc.Exporter) -> rpc.Wire:
    wire = {"x": rpc.INT.encode(value.x, to), "label": rpc.STR.encode(value.__dict__["label"], to)}
    wire["more"] = DICT_INT.encode(value.more, to)
    return {**wire, **rpc.ANY.encode(value.model_extra or {}, to)}


def encode_movie(value: Movie, to: rpc.Exporter) -> rpc.Wire:
    wire = {"title": rpc.STR.encode(value["title"], to)}
    if "year" in value:
        wire["year"] = rpc.INT.encode(value["year"], to)
    return wire


def never(*_: Any) -> Any:
    raise NotImplementedError


POINT = rpc.model(Point, encode_point, never, never)
MOVIE = rpc.typed_dict(Movie, encode_movie, never, never)


@pytest.mark.parametrize(
    ("codec", "value", "place"),
    [
        (POINT, Point(x="1"), "it.x: expected int, got str '1'"),
        (POINT, Point(label=1), "it.label: expected str, got int 1"),
        (POINT, Point(more={"a": 1, "b": "c"}), "it.more.b: expected int, got str 'c'"),
        (POINT, Point(more={"constructor": 1}), "it.more: expected keys that peers keep, got 'constructor'"),
        (POINT, Point(model_extra={"constructor": 1}), "it: expected keys that peers keep, got 'constructor'"),
        (rpc.list_of(POINT), [Point(), Point(x="1")], "it[1].x: expected int"),
        (rpc.dict_of(rpc.optional(POINT)), {"k": Point(x="1")}, "it.k.x: expected int"),
        (MOVIE, {"title": 1}, "it.title: expected str"),
        (MOVIE, {"title": "t", "year": "y"}, "it.year: expected int"),
        (MOVIE, {}, "it: expected Movie, got a dict without the key 'title'"),
        (POINT, 5, "it: expected Point, got int 5"),
    ],
)
def test_the_field_that_has_no_wire_form_is_part_of_the_path(codec: rpc.Codec, value: Any, place: str) -> None:
    assert refusal(lambda: encode(codec, value)).startswith(place)


def test_what_fails_otherwise_when_it_is_asked_again_leaves_the_path_as_it_was() -> None:
    def encode_once(value: Any, to: rpc.Exporter) -> rpc.Wire:
        raise RuntimeError(value.x)

    mismatch = located(Mismatch("this", "that"), encode_once, Point(), Loopback(SyncHost()))
    assert str(mismatch.error("it")) == "it: expected this, got that"
    mismatch = located(Mismatch("this", "that"), lambda value, to: None, Point(), Loopback(SyncHost()))
    assert str(mismatch.error("it")) == "it: expected this, got that"
