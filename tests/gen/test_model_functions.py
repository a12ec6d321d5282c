"""The functions generated for models look at values themselves where they can. The same functions with those looks cut
out, asking the codec for every field and validating every model, give the same results and the same errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from capnweb_runtime.core.compound import ModelCodec
from capnweb_runtime.core.evaluate import Evaluator
from capnweb_runtime.core.loopback import Loopback
from capnweb_runtime.core.mismatch import Mismatch
from capnweb_runtime.objects.models import Builder
from capnweb_runtime.values import BigInt
from tests.bench.generated import api as bench
from tests.bench.schema.api import Item
from tests.gen.golden.model_kinds import expected as kinds
from tests.gen.golden.model_kinds import schema as kinds_schema
from tests.gen.golden.models import expected as models
from tests.gen.golden.models.schema import Address, Bag, Member, Tree
from tests.gen.golden.records import expected as records
from tests.gen.golden.records.schema import Currency, Gift, Money, Shelf, Spot
from tests.gen.golden.typed_dict_keys import expected as keys
from tests.gen.golden.wire_names import expected as names
from tests.runtime.pair import SyncHost

SENT = re.compile(r"x if type\(x := (.+?)\) is .+? else (\S+)\.encode\(x, to\)")
READ = re.compile(r"x if type\(x := .+?\)\) is \w+ else ")


def without_looks(module: ModuleType) -> ModuleType:
    """A generated module in which every field is left to its codec, and every model to its class."""
    text = Path(str(module.__file__)).read_text("utf-8")
    plain = READ.sub("", SENT.sub(r"\2.encode(\1, to)", text))
    assert plain.count("x :=") == 0 < text.count("x :=")
    made = ModuleType(module.__name__)
    exec(compile(plain, str(module.__file__), "exec"), vars(made))
    for value in vars(made).values():
        if type(value) is Builder:
            value.build = value._validated
    return made


PLAIN = {module: without_looks(module) for module in (bench, models, records, kinds, keys, names)}


def member() -> Member:
    home = Address(street="s", zip="12345")
    found = {"name": "a", "address": home, "from_": "b", "bornAt": datetime(2024, 1, 1, tzinfo=UTC)}
    return Member.model_validate({**found, "number": 3, "more": [1, "x"]})


MAIL = {"from": "b", "_id": 1, "a-b": 1, "a_b": 2, "2nd": ["x"]}
VALUES: list[tuple[ModuleType, str, Any]] = [
    (bench, "ITEM", Item(id=1, name="n", email="e", tags=["a", "b"], score=0.5)),
    (bench, "ITEM", Item(id=2**60, name="", email="e", tags=[], score=float("-inf"))),
    (models, "TREE", Tree(label="a", children=[Tree(label="b"), Tree(label="c", parent=Tree(label="d"))])),
    (models, "MEMBER", member()),
    (models, "BAG", Bag.model_validate({"a": 1, "b": [True]})),
    (kinds, "ITEM", kinds_schema.Item(name="n", price=3)),
    (kinds, "PAGE_INT", kinds_schema.Page[int](items=[1, 2], next=None)),
    (kinds, "PAGE_LIST_INT", kinds_schema.Page[list[int]](items=[[1], []], next=3)),
    (records, "MONEY", Money(1, Currency.USD)),
    (records, "GIFT", Gift(list_price=Money(2), labels=["l"], parts=[], to="t")),
    (records, "SPOT", Spot(1, 2, "m")),
    (records, "MOVIE", {"title": "t", "year": 3, "shown_at": Spot(0)}),
    (keys, "MAIL", {"from": "a", "in-reply-to": MAIL, "_id": 2, "a-b": 3, "a_b": 4, "2nd": []}),
    (records, "SHELF", Shelf(items=[], at=Spot(1), price=None, movie={"title": "t"})),
]

SCALARS: list[Any] = [None, True, 0, 1, -0.0, 3.0, 0.5, 2**53, "", "a", "\ud800"]
LISTS: list[Any] = [[[]], [["a"]], [[1, 2.0]], ["undefined"], ["nan"], ["bigint", "5"], ["date", 0], ["a"], []]
OBJECTS: list[Any] = [{}, {"x": 1}, {"label": "z"}, {"amount": 5}, {"amount": -5}, {"title": "t", "toString": 1}]
LEAVES = st.sampled_from([*SCALARS, *LISTS, *OBJECTS])
KEYS = st.sampled_from(["__proto__", "toString", "more", "id", "label", "x", "next", "to"])


@st.composite
def spoiled(draw: st.DrawFn, wire: Any) -> Any:
    """A wire form with a few parts replaced, left out or added."""
    for _ in range(draw(st.integers(0, 3))):
        wire = draw(changed(wire))
    return wire


@st.composite
def changed(draw: st.DrawFn, wire: Any) -> Any:
    if type(wire) is dict and wire:
        key = draw(st.sampled_from(sorted(wire)) if draw(st.booleans()) else KEYS)
        match draw(st.sampled_from(["replace", "remove", "inside", "reverse"])):
            case "remove":
                return {name: item for name, item in wire.items() if name != key}
            case "inside" if key in wire:
                return {**wire, key: draw(changed(wire[key]))}
            case "reverse":
                return dict(reversed(wire.items()))
            case _:
                return {**wire, key: draw(LEAVES)}
    if type(wire) is list and wire and draw(st.booleans()):
        index = draw(st.integers(0, len(wire) - 1))
        return [*wire[:index], draw(changed(wire[index])), *wire[index + 1 :]]
    return draw(LEAVES)


def outcome(action: Callable[[], Any]) -> Any:
    """What came of it, with all that can be told apart."""
    try:
        return described(action())
    except Mismatch as mismatch:
        return str(mismatch.error("it"))
    except Exception as error:
        return repr(error)


def described(value: Any) -> Any:
    if isinstance(value, BaseModel):
        fields = [(name, described(item)) for name, item in vars(value).items()]
        return type(value), fields, value.model_fields_set, value.model_extra, value.__pydantic_private__, repr(value)
    if isinstance(value, (list, tuple)):
        return type(value), [described(item) for item in value]
    if isinstance(value, dict):
        return [(key, described(item)) for key, item in value.items()]
    return type(value), repr(value)


def codec(module: ModuleType, name: str) -> ModelCodec:
    found = vars(module)[name]
    assert isinstance(found, ModelCodec)
    return found


def both(module: ModuleType, name: str, use: Callable[[ModelCodec, Loopback], Any]) -> tuple[Any, Any]:
    looking, plain = codec(module, name), codec(PLAIN[module], name)
    host = SyncHost()
    return outcome(lambda: use(looking, Loopback(host))), outcome(lambda: use(plain, Loopback(host)))


@pytest.mark.parametrize(("module", "name", "value"), VALUES, ids=lambda value: value if type(value) is str else "")
def test_a_model_is_read_as_by_its_codecs_and_its_class(module: ModuleType, name: str, value: Any) -> None:
    wire = codec(module, name).encode(value, Loopback(SyncHost()))
    assert codec(module, name).decode(wire, Evaluator(Loopback(SyncHost()))) == value

    @settings(deadline=None, database=None)
    @given(spoiled(wire))
    def same(wire: Any) -> None:
        looking, plain = both(module, name, lambda codec, to: codec.decode(wire, Evaluator(to)))
        assert looking == plain

    same()


NUMBERS: list[Any] = [True, 2**53 - 1, 2**53, -(2**53), BigInt(3), 0.0, -0.0, 1.5, float("nan"), float("-inf")]
TEXTS: list[Any] = ["", "\ud800", type("Text", (str,), {})("t"), Currency.EUR]
OTHERS: list[Any] = [None, [], ["a"], ("a", "b"), ["a", 1], {}, type("Number", (int,), {})(3)]


@pytest.mark.parametrize("field", ["id", "name", "email", "tags", "score"])
@pytest.mark.parametrize("value", [*NUMBERS, *TEXTS, *OTHERS], ids=repr)
def test_a_model_is_sent_as_by_its_codecs(field: str, value: Any) -> None:
    item = Item(id=1, name="n", email="e", tags=["a"], score=0.5).model_copy(update={field: value})
    looking, plain = both(bench, "ITEM", lambda codec, to: codec.encode(item, to))
    assert looking == plain
