"""What is written as an argument arrives as what the schema says; what is not of its type is refused, underlined."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from capnweb_gen.client.asking import ask
from capnweb_gen.client.described import Described
from capnweb_gen.client.expression import ExpressionError, parse
from capnweb_gen.client.plan import Planner
from capnweb_runtime import AnyStub, Blob, Headers, Url
from capnweb_runtime.transports import memory

Asking = Callable[[str], Any]


class Received(list[Any]):
    """The arguments of the last call."""


@pytest.fixture
async def received(shop: Described, generated: Callable[[str], Any]) -> AsyncIterator[tuple[Asking, Received]]:
    """What asks a Shop, and what that received."""
    target, got = generated("ShopTarget"), Received()

    def keeps(self: object, *args: object, **kwargs: object) -> None:
        got[:] = [*args, *kwargs.values()]

    complete = type("Shop", (target,), dict.fromkeys(target.__abstractmethods__, keeps))
    pair = memory.pair(complete(), None, errors="all")
    main = AnyStub(pair[1].session.remote_main)

    async def asking(text: str) -> None:
        await ask(main, Planner(shop).plan(parse(text)), {})

    yield asking, got
    main.dispose()
    for side in pair:
        await side.wait_closed()


MOMENT = "write '2024-01-31T12:30:00Z'"
FIELDS = "write its fields: {'name': str}"
ANOTHER_CALL = "pass a call that gives one, or what one was named in a dialogue"
A_CLIENT = "write a client for that; docs/gallery.md shows how"
KEY = "7f2c3a10-1b2c-4d3e-8f90-a1b2c3d4e5f6"


@pytest.mark.parametrize(
    ("text", "arrived"),
    [
        ("one()", []),
        ("one({'a': [1, None]}, 'x', -2, 3, True, b'y', None)", [{"a": [1, None]}, "x", -2, 3.0, True, b"y", None]),
        ("one('v', flag=True)", ["v", True]),
        (
            f"moments('2024-01-31T12:30:00Z', '2024-01-31', '12:30', 1.5, '19.90', '{KEY}')",
            [
                datetime(2024, 1, 31, 12, 30, tzinfo=UTC), date(2024, 1, 31), time(12, 30), timedelta(seconds=1.5),
                Decimal("19.90"), UUID(KEY),
            ],
        ),
        ("web('https://a.b/', {'X-A': '1'}, b'xyz')", [Url("https://a.b/"), Headers([("x-a", "1")]), Blob(b"xyz")]),
        ("spread(1, 'a', 'b', last=True)", [1, "a", "b", True]),
    ],
)  # fmt: skip
async def test_it_arrives_as_what_the_schema_says(
    received: tuple[Asking, Received], text: str, arrived: list[object]
) -> None:
    asking, got = received
    await asking(text)
    assert got == arrived
    assert [*map(type, got)] == [*map(type, arrived)]


async def test_names_of_members_and_models_arrive_as_such(
    received: tuple[Asking, Received], generated: Callable[[str], Any]
) -> None:
    asking, got = received
    await asking("names(5, 'BLUE', 3, 'a', 100, [1, 2])")
    assert [got[0], got[1].name, got[2].value, *got[3:]] == [5, "BLUE", 3, "a", 100, [1, 2]]
    await asking("names(5, 'r', 0, True, 0, [1])")
    assert (got[1].name, got[3]) == ("RED", True)
    await asking(
        "compound([{'name': 'n', 'sizes': [{'width': 1}]}], (1, 'x'), {7: {'width': 2}}, {'width': 3}, ['a'], [1, 2])"
    )
    items, pair, keyed, either, all_of, unique = got
    assert (items[0].name, items[0].sizes[0].width, pair) == ("n", 1, (1, "x"))
    assert (keyed[7].width, either.width, all_of.root, unique) == (2, 3, ["a"], {1, 2})
    await asking("compound([], [1, 'x'], {'7': {'width': 2}}, 9, [], [])")
    assert (got[2][7].width, got[3]) == (2, 9)


@pytest.mark.parametrize(
    ("text", "underlined", "message", "hint"),
    [
        ("one(text=5)", "5", "text has to be str, and is int 5", ""),
        ("one(number='x')", "'x'", "number has to be int, and is str 'x'", ""),
        ("one(number=1.5)", "1.5", "number has to be int, and is float 1.5", ""),
        ("one(number=1e999)", "1e999", "number has to be int, and is float inf", ""),
        ("one(number=True)", "True", "number has to be int, and is bool True", ""),
        ("one(flag=None)", "None", "flag has to be bool, and is None", ""),
        ("one(raw='x')", "'x'", "raw has to be bytes, and is str 'x'", "write b'...'"),
        ("one(maybe=[])", "[]", "maybe has to be int, and is a list", ""),
        ("moments('2024', 1, 1, 1, 1, 1)", "'2024'", "at has to be datetime, and is str '2024'", MOMENT),
        ("names(1, 'g', 1, 'a', 1, [1])", "'g'", "colour has to be one of 'r', 'b'", ""),
        ("names(1, 'r', 1, 'b', 1, [1])", "'b'", "word has to be one of 'a', 1, True", ""),
        ("names(1, 'r', 1, 1, 101, [1])", "101", "percent has to be at most 100", ""),
        ("names(1, 'r', 1, 1, -1, [1])", "-1", "percent has to be at least 0", ""),
        ("names(1, 'r', 1, 1, 1, [])", "[]", "few has to be of length 1 or more", ""),
        ("names(1, 'r', 1, 1, 1, [1, 2, 3])", "[1, 2, 3]", "few has to be of length 2 or less", ""),
        ("compound([{'name': 5}], 1, 1, 1, 1, 1)", "5", "items[0].name has to be str, and is int 5", ""),
        ("compound([{'nme': 'x'}], 1, 1, 1, 1, 1)", "'nme'", "Item has no field 'nme'", "did you mean name?"),
        ("compound([{}], 1, 1, 1, 1, 1)", "{}", "items[0] lacks name", "write {'name': str}"),
        ("compound([5], 1, 1, 1, 1, 1)", "5", "items[0] has to be Item, and is int 5", FIELDS),
        ("compound({}, 1, 1, 1, 1, 1)", "{}", "items has to be list[Item], and is a dict", ""),
        ("compound([], [1], 1, 1, 1, 1)", "[1]", "pair has to have 2 items, and has 1", ""),
        ("compound([], [1, 'x'], {'a': {}}, 1, 1, 1)", "'a'", "a key of keyed has to be int, and is str 'a'", ""),
        ("compound([], [1, 'x'], {}, 'x', 1, 1)", "'x'", "either has to be Size | int, and is str 'x'", ""),
        ("compound([], [1, 'x'], {}, {'width': 'x'}, 1, 1)", "'x'", "either.width has to be int, and is str 'x'", ""),
        ("buy('x')", "'x'", "basket has to be Basket, and is str 'x'", ANOTHER_CALL),
        ("each(None)", "None", "callbacks cannot be passed on the command line", A_CLIENT),
        ("into([])", "[]", "streams cannot be passed on the command line", "write a client for that"),
    ],
)  # fmt: skip
def test_what_is_of_another_type_is_underlined(
    shop: Described, text: str, underlined: str, message: str, hint: str
) -> None:
    with pytest.raises(ExpressionError) as caught:
        Planner(shop).plan(parse(text))
    assert (caught.value.message, caught.value.hint) == (message, hint)
    assert text[caught.value.span.start : caught.value.span.end] == underlined
