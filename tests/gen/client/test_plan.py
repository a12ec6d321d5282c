"""What is planned: names of the wire, arguments in order; and what the server would refuse is refused before that."""

from __future__ import annotations

import pytest

from capnweb_gen.client.described import Described, main_objects
from capnweb_gen.client.expression import ExpressionError, parse
from capnweb_gen.client.plan import Arguments, Plan, Planner
from capnweb_gen.client.spelled import type_text
from capnweb_gen.compiler import read
from capnweb_runtime.values import UNDEFINED
from tests.gen.conftest import Write


def steps(plan: Plan) -> list[object]:
    return [[*one.values] if isinstance(one, Arguments) else one for one in plan.steps]


def planned(described: Described | None, text: str) -> Plan:
    return Planner(described).plan(parse(text))


@pytest.mark.parametrize(
    ("text", "asked", "kind"),
    [
        ("owner", ["owner"], "Basket"),
        ("owner.items()[0].name", ["owner", "items", [], 0, "name"], "str"),
        ("owner.pairs()[1]", ["owner", "pairs", [], 1], "str"),
        ("owner.by_name()['x'].sizes[0].height", ["owner", "by_name", [], "x", "sizes", 0, "height"], "float"),
        ("either().items()", ["either", [], "items", []], "list[Item]"),
        ("inherited()", ["inherited", []], "list[int]"),
        ("inherited(5)", ["inherited", [5]], "list[int]"),
        ("inherited(second=5)", ["inherited", [UNDEFINED, 5]], "list[int]"),
        ("inherited(third=5)", ["inherited", [UNDEFINED, UNDEFINED, {"third": 5}]], "list[int]"),
        ("spread(1)", ["spread", [1]], "None"),
        ("spread(1, 'a', 'b')", ["spread", [1, ["a", "b"]]], "None"),
        ("spread(1, 'a', last=True)", ["spread", [1, ["a"], {"last": True}]], "None"),
        ("ticks()", ["ticks", []], "AsyncIterator[Item]"),
    ],
)
def test_names_and_arguments_are_those_of_the_wire(shop: Described, text: str, asked: list[object], kind: str) -> None:
    plan = planned(shop, text)
    assert steps(plan) == asked
    assert " | ".join(type_text(part.shape) for part in plan.kind) == kind


def test_a_call_in_an_argument_is_a_plan_of_its_own(shop: Described) -> None:
    plan = planned(shop, "buy(basket())")
    assert isinstance(plan.steps[1], Arguments)
    (inner,) = plan.steps[1].values
    assert isinstance(inner, Plan)
    assert steps(inner) == ["basket", []]


def test_without_a_schema_everything_is_asked_as_it_is_written() -> None:
    assert steps(planned(None, "a.b(1, [b'x'])[0].c")) == ["a", "b", [1, [b"x"]], 0, "c"]
    with pytest.raises(ExpressionError, match="no schema says which parameter 'x' is"):
        planned(None, "a(x=1)")


READ = "a stream can only be read: leave out what stands behind it"
INHERITED = "it is inherited(first: int = 1, second: int = 2, *, third: int = 3) -> list[int]"


@pytest.mark.parametrize(
    ("text", "underlined", "message", "hint"),
    [
        ("ownr", "ownr", "Shop has no 'ownr'", "did you mean owner?"),
        ("owner.itms()", "itms", "Basket has no 'itms'", "did you mean items?"),
        ("owner.items()[0].zzz", "zzz", "Item has no 'zzz'", "it has name, wireName, sizes, old"),
        ("owner.items().name", "name", "list[Item] has no 'name'", "ask for an item: [0]"),
        ("owner.items()['x']", "'x'", "list[Item] has no item 'x'", "ask for an item: [0]"),
        ("owner.by_name()[0]", "0", "the key has to be str, and is int 0", ""),
        ("owner.pairs()[2]", "2", "there are 2 items, counted from 0", ""),
        ("owner.items()[0].name.x", "x", "str has no 'x'", "it has no parts"),
        ("owner.items", "items", "items is a method", "call it: items() -> list[Item]"),
        ("owner.items[0]", "0", "items is a method", "call it: items() -> list[Item]"),
        ("buy(owner.items)", "items", "items is a method", "call it: items() -> list[Item]"),
        ("owner()", "owner()", "owner is no method, but Basket", "leave out the parentheses"),
        ("ticks()[0]", "0", "AsyncIterator[Item] has no item 0", READ),
        ("inherited(1, 2, 3)", "3", "inherited takes 2 arguments", INHERITED),
        ("inherited(frst=1)", "frst", "inherited has no parameter 'frst'", "did you mean first?"),
        ("inherited(1, first=1)", "first", "first is given twice", "did you mean first?"),
        ("buy()", ")", "buy lacks basket", "it is buy(basket: Basket) -> int"),
        ("owner.add(item={})", "item", "add has no parameter 'item'", "it is add(item: Item, /, *more: Item) -> int"),
        ("'x'", "'x'", "this is a literal, of which nothing can be asked", "begin with a name"),
        ("[owner]", "[owner]", "this is a literal, of which nothing can be asked", "begin with a name"),
    ],
)  # fmt: skip
def test_what_the_server_does_not_have_is_underlined(
    shop: Described, text: str, underlined: str, message: str, hint: str
) -> None:
    with pytest.raises(ExpressionError) as caught:
        planned(shop, text)
    assert (caught.value.message, caught.value.hint) == (message, hint)
    assert text[caught.value.span.start : caught.value.span.end] == underlined


def test_of_many_names_some_are_told(project: Write) -> None:
    text = "from typing import Protocol\nclass Many(Protocol):\n" + "".join(
        f"    async def method_{number}(self) -> int: ...\n" for number in range(100)
    )
    root = project({"many/__init__.py": "", "many/api.py": text})
    schemas, _ = read([root / "many"])
    with pytest.raises(ExpressionError) as caught:
        planned(Described(schemas, main_objects(schemas, None)), "zzz")
    assert caught.value.hint.endswith(", method_11 and 88 more")


def test_what_is_deprecated_is_told(shop: Described) -> None:
    planner = Planner(shop)
    planner.plan(parse("cart().items()[0].old"))
    assert planner.warnings == ["Shop.cart is deprecated: use basket", "Item.old is deprecated: use name"]


def test_variables_come_before_members_and_keep_their_types(shop: Described) -> None:
    kind = planned(shop, "basket()").kind
    planner = Planner(shop, {"b": kind})
    plan = planner.plan(parse("b.items()"))
    assert (plan.root, steps(plan)) == ("b", ["items", []])
    with pytest.raises(ExpressionError, match="Basket has no 'x'"):
        planner.plan(parse("b.x"))
    with pytest.raises(ExpressionError, match="Shop has no 'c'"):
        planner.plan(parse("c"))
