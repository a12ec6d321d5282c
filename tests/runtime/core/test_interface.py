"""How signatures travel, and that a table holds what its interface declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.core.evaluate import Evaluator
from capnweb_runtime.core.hook import Codec
from capnweb_runtime.core.interface import ANY_METHOD, Arguments, PropertyPath, argument_error, omitted
from capnweb_runtime.core.loopback import Loopback
from capnweb_runtime.core.mismatch import Mismatch
from tests.runtime.ids import shown
from tests.runtime.pair import SyncHost

PLAIN = Arguments((rpc.param("a", rpc.INT), rpc.param("b", rpc.STR)))
DEFAULTS = Arguments(
    (rpc.param("a", rpc.INT), rpc.param("b", rpc.INT, required=False), rpc.param("c", rpc.INT, required=False))
)
KEYWORDS = Arguments(
    (
        rpc.param("a", rpc.INT),
        rpc.param("b", rpc.INT, required=False),
        rpc.param("exact", rpc.BOOL, required=False, keyword=True, wire="exactMatch"),
        rpc.param("lang", rpc.STR, required=False, keyword=True),
    )
)
MUST = Arguments((rpc.param("a", rpc.ANY, required=False), rpc.param("key", rpc.INT, keyword=True)))
OBJECTS = Arguments((rpc.param("a", rpc.dict_of(rpc.INT)), rpc.param("n", rpc.INT, required=False, keyword=True)))
OPTIONAL_OBJECT = Arguments(
    (rpc.param("a", rpc.dict_of(rpc.INT), required=False), rpc.param("n", rpc.INT, required=False, keyword=True))
)
REST = Arguments(
    (rpc.param("a", rpc.INT), rpc.param("b", rpc.INT, required=False), rpc.param("more", rpc.INT, variadic=True))
)
REST_AND_KEYWORDS = Arguments(
    (
        rpc.param("a", rpc.INT, required=False),
        rpc.param("more", rpc.INT, variadic=True),
        rpc.param("lang", rpc.STR, required=False, keyword=True),
    )
)
NOTHING = Arguments(())
OMITTED = omitted(1)


def encode(codec: Codec, *args: Any, **kwargs: Any) -> Any:
    return codec.encode((args, kwargs), Loopback(SyncHost()))


def decode(codec: Codec, wire: Any) -> tuple[list[Any], dict[str, Any]]:
    result: tuple[list[Any], dict[str, Any]] = codec.decode(wire, Evaluator(Loopback(SyncHost())))
    return result


def refusal(action: Any, *args: Any, **kwargs: Any) -> str:
    with pytest.raises(Mismatch) as caught:
        action(*args, **kwargs)
    return str(argument_error(caught.value))


@pytest.mark.parametrize(
    ("codec", "args", "kwargs", "wire"),
    [
        (NOTHING, (), {}, []),
        (PLAIN, (1, "x"), {}, [1, "x"]),
        (PLAIN, (1,), {"b": "x"}, [1, "x"]),
        (PLAIN, (), {"b": "x", "a": 1}, [1, "x"]),
        (DEFAULTS, (1, 2, 3), {}, [1, 2, 3]),
        (DEFAULTS, (1, OMITTED, OMITTED), {}, [1]),
        (DEFAULTS, (1,), {}, [1]),
        (DEFAULTS, (1, OMITTED, 3), {}, [1, ["undefined"], 3]),
        (DEFAULTS, (1,), {"c": 3}, [1, ["undefined"], 3]),
        (KEYWORDS, (1, OMITTED), {"exact": OMITTED, "lang": OMITTED}, [1]),
        (KEYWORDS, (1, 2), {"exact": True}, [1, 2, {"exactMatch": True}]),
        (KEYWORDS, (1, OMITTED), {"exact": OMITTED, "lang": "de"}, [1, ["undefined"], {"lang": "de"}]),
        (KEYWORDS, (1, 2), {"exact": False, "lang": "de"}, [1, 2, {"exactMatch": False, "lang": "de"}]),
        (OBJECTS, ({"x": 1},), {}, [{"x": 1}]),
        (OPTIONAL_OBJECT, ({"n": 1},), {}, [{"n": 1}, {}]),
        (OPTIONAL_OBJECT, (), {}, []),
        (OPTIONAL_OBJECT, ({"n": 1},), {"n": 2}, [{"n": 1}, {"n": 2}]),
        (REST, (1, OMITTED), {}, [1]),
        (REST, (1, 2, 3, 4), {}, [1, 2, 3, 4]),
        (REST_AND_KEYWORDS, (1, 2, 3), {}, [1, [[2, 3]]]),
        (REST_AND_KEYWORDS, (), {"lang": "de"}, [["undefined"], [[]], {"lang": "de"}]),
    ],
    ids=shown,
)
def test_arguments_are_encoded(codec: Codec, args: Sequence[Any], kwargs: Mapping[str, Any], wire: Any) -> None:
    assert encode(codec, *args, **kwargs) == wire


@pytest.mark.parametrize(
    ("codec", "wire", "args", "kwargs"),
    [
        (NOTHING, [], [], {}),
        (PLAIN, [1, "x"], [1, "x"], {}),
        (DEFAULTS, [1], [1], {}),
        (DEFAULTS, [1, 2, 3], [1, 2, 3], {}),
        (DEFAULTS, [1, ["undefined"]], [1], {}),
        (DEFAULTS, [1, ["undefined"], ["undefined"]], [1], {}),
        (DEFAULTS, [1, ["undefined"], 3], [1], {"c": 3}),
        (KEYWORDS, [1], [1], {}),
        (KEYWORDS, [1, 2], [1, 2], {}),
        (KEYWORDS, [1, 2, {}], [1, 2], {}),
        (KEYWORDS, [1, {"exactMatch": True}], [1], {"exact": True}),
        (KEYWORDS, [1, ["undefined"], {"lang": "de"}], [1], {"lang": "de"}),
        (KEYWORDS, [1, 2, {"exactMatch": ["undefined"]}], [1, 2], {}),
        (MUST, [{"key": 1}], [], {"key": 1}),
        (MUST, [{"x": 0}, {"key": 1}], [{"x": 0}], {"key": 1}),
        (OBJECTS, [{"x": 1}], [{"x": 1}], {}),
        (OBJECTS, [{"x": 1}, {"n": 2}], [{"x": 1}], {"n": 2}),
        (OPTIONAL_OBJECT, [{"n": 1}, {}], [{"n": 1}], {}),
        (OPTIONAL_OBJECT, [{"n": 1}], [], {"n": 1}),
        (REST, [1, ["undefined"]], [1], {}),
        (REST, [1, 2, 3, 4], [1, 2, 3, 4], {}),
        (REST_AND_KEYWORDS, [1, [[2, 3]]], [1, 2, 3], {}),
        (REST_AND_KEYWORDS, [["undefined"], [[]], {"lang": "de"}], [], {"lang": "de"}),
    ],
    ids=shown,
)
def test_arguments_are_decoded(codec: Codec, wire: Any, args: Any, kwargs: Any) -> None:
    assert decode(codec, wire) == (args, kwargs)


@pytest.mark.parametrize(
    ("codec", "args", "message"),
    [
        (PLAIN, ("1", "x"), "argument 'a': expected int, got str '1'"),
        (PLAIN, (1, 2), "argument 'b': expected str, got int 2"),
        (OBJECTS, ({"x": "y"},), "argument 'a.x': expected int, got str 'y'"),
    ],
    ids=shown,
)
def test_a_wrong_argument_is_refused_by_the_sender(codec: Codec, args: Sequence[Any], message: str) -> None:
    assert refusal(encode, codec, *args) == message


def test_a_wrong_keyword_argument_is_refused_by_the_sender() -> None:
    assert refusal(encode, KEYWORDS, 1, exact="yes") == "argument 'exact': expected bool, got str 'yes'"


@pytest.mark.parametrize(
    ("codec", "wire", "message"),
    [
        (NOTHING, [None], "arguments: expected at most 0 arguments, got 1"),
        (PLAIN, [1, "x", 3], "arguments: expected at most 2 arguments, got 3"),
        (PLAIN, [1], "argument 'b': expected str, got nothing"),
        (PLAIN, [], "argument 'a': expected int, got nothing"),
        (PLAIN, [["undefined"], "x"], "argument 'a': expected int, got undefined"),
        (PLAIN, ["1", "x"], "argument 'a': expected int, got str '1'"),
        (DEFAULTS, [1, None], "argument 'b': expected int, got None"),
        (KEYWORDS, [1, 2, 3], "arguments: expected at most 2 arguments, got 3"),
        (
            KEYWORDS,
            [1, 2, {"exact": True}],
            "argument 'exact': expected one of the keywords exactMatch, lang, got an unknown one",
        ),
        (KEYWORDS, [1, 2, {"exactMatch": "yes"}], "argument 'exact': expected bool, got str 'yes'"),
        (KEYWORDS, [{"lang": "de"}], "argument 'a': expected int, got an object"),
        (MUST, [1], "argument 'key': expected int, got nothing"),
        (MUST, [], "argument 'key': expected int, got nothing"),
        (OBJECTS, [{"x": "y"}], "argument 'a.x': expected int, got str 'y'"),
        (REST, [1, ["undefined"], 3], "argument 'b': expected int, got nothing, with more arguments behind it"),
        (
            REST_AND_KEYWORDS,
            [["undefined"], [[3]]],
            "argument 'a': expected int, got nothing, with more arguments behind it",
        ),
    ],
    ids=shown,
)
def test_wrong_arguments_are_refused_by_the_receiver(codec: Codec, wire: Any, message: str) -> None:
    assert refusal(decode, codec, wire) == message


def test_without_a_schema_any_arguments_pass_but_keywords() -> None:
    assert encode(ANY_METHOD.params, 1, [2]) == [1, [[2]]]
    assert decode(ANY_METHOD.params, [1, [[2]]]) == ([1, [2]], {})
    assert refusal(encode, ANY_METHOD.params, a=1).endswith("got keyword 'a'")


def test_an_omitted_default_shows_what_it_stands_for() -> None:
    assert repr(omitted([1])) == "<omitted: [1]>"


class Base(rpc.Interface):
    close = rpc.method("close", rpc.NONE)
    title = rpc.prop("title", rpc.STR)


class Other(rpc.Interface):
    open = rpc.method("open", rpc.NONE)


class Derived(Base, Other):
    title = rpc.prop("title", rpc.INT)
    user_name = rpc.prop("userName", rpc.STR)
    helper = "no member"


def test_a_table_has_the_members_of_its_bases_and_nothing_else() -> None:
    assert Derived.rpc_members == {
        "close": ("close", Base.close),
        "open": ("open", Other.open),
        "title": ("title", Derived.title),
        "userName": ("user_name", Derived.user_name),
    }
    assert set(Base.rpc_members) == {"close", "title"}
    assert rpc.Interface.rpc_members == {}


def test_a_member_that_is_renamed_keeps_the_name_that_peers_of_the_base_know() -> None:
    class Renamed(Base):
        close = rpc.method("shut", rpc.NONE)

    assert Renamed.rpc_members["shut"] == ("close", Renamed.close)
    assert Renamed.rpc_members["close"] == ("close", Base.close)


class Reader(rpc.Interface):
    profile = rpc.prop("userProfile", rpc.ANY)


class TestPathsOfProperties:
    def test_it_is_a_path_that_knows_whose_it_is(self) -> None:
        assert [*Reader.profile.path] == ["userProfile"]
        assert Reader.profile.path.label == "Reader.profile"

    def test_parts_are_named_behind_it_wherever_the_object_is(self) -> None:
        path = PropertyPath(("user", 0), Reader.profile).part("tags").part(1)
        assert [*path] == ["user", 0, "userProfile", "tags", 1]
        assert path.label == "Reader.profile.tags.1"
