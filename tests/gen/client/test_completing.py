"""What could be typed next, and what is said of it."""

from __future__ import annotations

import pytest

from capnweb_gen.client.completing import candidates, explained
from capnweb_gen.client.described import Described
from capnweb_gen.client.expression import ExpressionError, parse
from capnweb_gen.client.plan import Planner


@pytest.mark.parametrize(
    ("before", "found"),
    [
        ("ow", ["owner"]),
        ("owner.", ["add(", "items(", "pairs(", "by_name("]),
        ("owner.it", ["items("]),
        ("owner.items()[0].", ["name", "wireName", "sizes", "old"]),
        ("owner.items()[0].sizes[1].w", ["width"]),
        ("basket().by_name()['a.b(c'].na", ["name"]),
        ("buy(bas", ["basket(", "basket="]),
        ("buy(basket=ba", ["basket("]),
        ("buy(basket().", ["add(", "items(", "pairs(", "by_name("]),
        ("inherited(1, th", ["third="]),
        ("compound([ow", ["owner"]),
        ("x = ow", ["owner"]),
        ("kept.by", ["by_name("]),
        ("ke", ["kept"]),
        ("owner.items.", []),
        ("owner.items()[0].name.", []),
        ("zzz.", []),
        ("one('ow", []),
        ('one("it\\"s ow', []),
        ("1.", []),
        ("owner.items(", None),
        (")", None),
        ("owner + ow", []),
    ],
)
def test_words_are_completed_by_what_is_known(shop: Described, before: str, found: list[str] | None) -> None:
    kept = {"kept": Planner(shop).plan(parse("basket()")).kind}
    completed = candidates(shop, kept, before)
    if found is not None:
        assert completed == found
    assert candidates(None, {}, before) == []


def test_of_an_unknown_server_names_are_completed_all_the_same() -> None:
    assert candidates(None, {"kept": ()}, "k") == ["kept"]


def told(described: Described | None, text: str) -> list[str]:
    return [*explained(described, {}, parse(text) if text else None)]


def test_it_is_said_what_an_interface_has(shop: Described) -> None:
    lines = told(shop, "")
    assert lines[:2] == ["Shop", "    Sells things."]
    assert "  buy(basket: Basket) -> int" in lines
    assert "  owner: Basket" in lines
    assert told(shop, "basket()")[0] == "Basket"
    assert told(shop, "basket().items()[0]") == [
        "Item", "  name: str", "  wireName: int", "  sizes: list[Size]", "  old: str | None",
    ]  # fmt: skip


def test_it_is_said_what_a_member_is(shop: Described) -> None:
    assert told(shop, "inherited") == [
        "inherited(first: int = 1, second: int = 2, *, third: int = 3) -> list[int]", "    What is inherited.",
    ]  # fmt: skip
    assert told(shop, "cart") == ["cart() -> Basket", "    deprecated: use basket"]
    assert told(shop, "basket().pairs()[0]") == ["int"]


def test_what_is_not_there_cannot_be_explained(shop: Described) -> None:
    with pytest.raises(ExpressionError, match="Shop has no 'zzz'"):
        told(shop, "zzz")
    assert told(None, "") == ["nothing is known of this server: give its schema with --schema"]
