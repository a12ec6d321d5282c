"""Plans that no honest client sends: `hostile_plan` makes them, always the same for the same seed and number. Rule:
whatever has gone wrong with one is to be found again.

There are kinds, each of which means to break something, and plans that are well formed but for one part that was taken
for another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from random import Random
from typing import Any, Final, TypeAlias

Plan: TypeAlias = list[Any]
Kind: TypeAlias = Callable[[Random], Any]

HEADER: Final = ["plan", 1]
OPERATIONS: Final = {"eq": 2, "ne": 2, "lt": 2, "le": 2, "gt": 2, "ge": 2, "not": 1, "null": 1, "len": 1, "in": 2}
METHODS: Final = ("add", "echo", "text", "yes", "counters", "fail", "later", "nope", "__class__", "toString")
FORGED: Final[tuple[Any, ...]] = (-1, -2, -7, 1, 2, 5, 99, 10**30, True, 1.0, 1.5, "1", None, [], {}, ["import", 0])
"""What stands where a number of a value is to stand."""
BOUNDS: Final = (0, 1, 3, 1000, 1001, 10**9, -1, 1.0, True, "9", None)
LEAVES: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, 5, -1.5, "", "a", {}, [[]], [], {"a": 1}, "x" * 500, ["undefined"], ["nan"], ["inf"]),
    *(["date", 1], ["date", "x"], ["bigint", "9" * 400], ["bigint", "x"], ["bytes", "QUJD"], ["bytes", 5]),
    *(["error", "E", "m"], ["import", 0], ["import", -1], ["export", -1], ["promise", -9], ["readable", 1]),
    *(
        ["writable", -2],
        ["blob", "a", ["readable", 1]],
        ["pipeline"],
        ["pipeline", 0, ["yes"]],
        ["nothing"],
        [["a"], 1],
    ),
    *(["plan", 1], ["plan", 2], ["op"], ["if"], ["while"], ["keep"], ["remap"], ["remap", 0, [], [], [["plan", 1], 5]]),
)


def hostile_plan(seed: int, number: int) -> Plan:
    """One of them, as instructions of a `remap`."""
    random = Random(f"{seed}/{number}")
    plan: Plan = random.choice(KINDS)(random)
    return plan


# ---- plans that are nearly well formed


def garbled(random: Random) -> Plan:
    """A plan in which one part is another's."""
    plan = deepcopy([HEADER, *(_instruction(random, 3) for _ in range(random.randint(1, 6)))])
    places = [*_places(plan)]
    for _ in range(random.randint(0, 2)):
        container, key = random.choice(places)
        container[key] = deepcopy(
            random.choice((random.choice(FORGED), random.choice(LEAVES), _instruction(random, 1)))
        )
    return plan


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    for index, item in enumerate(node):
        yield node, index
        if type(item) is list:
            yield from _places(item)


def _instruction(random: Random, depth: int) -> Any:
    kind = random.choice(("call", "call", "leaf", "op", "list", *(("if", "while", "keep", "map") if depth else ())))
    if kind == "call":
        return [
            "pipeline",
            _index(random),
            [random.choice(METHODS)],
            [_value(random) for _ in range(random.randrange(3))],
        ]
    if kind == "op":
        name = random.choice([*OPERATIONS])
        return ["op", name, *(_value(random) for _ in range(OPERATIONS[name]))]
    if kind == "list":
        return [[_value(random) for _ in range(random.randrange(4))]]
    if kind == "if":
        return ["if", _value(random), _block(random, depth), _block(random, depth)]
    if kind == "while":
        return [
            "while",
            _value(random),
            _condition(random, depth),
            _block(random, depth),
            random.choice((1, 3, 20, 1000)),
        ]
    if kind == "keep":
        return ["keep", _value(random), _condition(random, depth)]
    if kind == "map":
        return ["remap", _index(random), [], [["import", 0]], [_instruction(random, 0), ["pipeline", -1, ["yes"], []]]]
    return _value(random)


def _block(random: Random, depth: int) -> Any:
    return [[["import", 0]], [_instruction(random, depth - 1) for _ in range(random.randint(1, 3))]]


def _condition(random: Random, depth: int) -> Any:
    captures, instructions = _block(random, depth)
    return [captures, [*instructions, random.choice((True, True, False, ["pipeline", -1, ["yes"], []], 5))]]


def _index(random: Random) -> int:
    return random.choice((0, 0, 0, 1, 2, 3, -1))


def _value(random: Random) -> Any:
    return random.choice((["pipeline", _index(random)], 1, 2, True, "a", random.choice(LEAVES)))


# ---- plans that mean to take long


def endless(random: Random) -> Plan:
    """Loops within loops, none of which ends by itself."""
    body: Any = random.choice((1, ["pipeline", -1, ["yes"], []], ["pipeline", -1, ["add"], [1, 2]], ["pipeline", 0]))
    block = [[["import", -1]], [body]]
    loop: Any = None
    for _ in range(random.randint(1, 18)):
        loop = ["while", 0, [[], [True]], block, random.choice((2, 1000, 1000, 1000, *BOUNDS))]
        block = [[["import", -1]], [loop]]
    outermost = [[["import", 0]], [loop]]
    return [HEADER, ["if", True, outermost, outermost]]


def doubling(random: Random) -> Plan:
    """A value twice in a list, that twice in another, and so on; written out, or in a loop."""
    seed = random.choice((1, "x" * 1000, [[*range(100)]], ["pipeline", 0, ["counters"], [20]]))
    if random.random() < 0.5:
        levels = random.randint(5, 60)
        return [HEADER, seed, *([[["pipeline", n], ["pipeline", n]]] for n in range(2, levels))]
    twice = [[["pipeline", 0], ["pipeline", 0]]]
    turns = random.randint(5, 1000)
    last = random.choice(
        (["pipeline", 3], ["op", "len", ["pipeline", 3]], ["pipeline", 0, ["echo"], [["pipeline", 3]]])
    )
    return [HEADER, seed, ["while", ["pipeline", 2], [[], [True]], [[], [twice]], turns], last]


def searching(random: Random) -> Plan:
    """Operations over much, again and again."""
    count = random.choice((10, 1000, 4000))
    many = random.choice(([[*range(count)]], [["x" * 300] * (count // 10)], "x" * count * 10))
    wanted = random.choice((-1, "x" * 300, None, ["date", 5]))
    operation = random.choice(
        (["op", "in", wanted, ["pipeline", -1]], ["op", "eq", ["pipeline", -1], ["pipeline", -1]])
    )
    condition = [[["import", 2]], [operation, random.choice((True, ["op", "not", ["pipeline", 1]]))]]
    inside = random.choice(
        (["while", 0, condition, [[], [1]], 1000], ["keep", ["pipeline", 2], [[["import", 2]], [operation]]])
    )
    return [HEADER, many, inside, ["pipeline", 3]]


def mapping(random: Random) -> Plan:
    """Maps within loops within filters."""
    mapped: Any = [
        "remap",
        random.choice((0, -1)),
        [],
        [],
        [random.choice((1, [[{}] * 50], ["pipeline", 0]))] * random.randint(1, 50),
    ]
    loop = ["while", ["pipeline", -1], [[], [True]], [[["import", -1]], [mapped]], 1000]
    kept = ["keep", ["pipeline", 2], [[["import", 2]], [loop, True]]]
    return [
        HEADER,
        [[*range(random.choice((3, 300, 3000)))]],
        random.choice((kept, ["if", True, [[["import", 2]], [loop]], [[], [1]]])),
    ]


def calling(random: Random) -> Plan:
    """More calls than anybody allows, at once or one after the other."""
    call = ["pipeline", 0, [random.choice(METHODS)], [random.choice((1, "a", 5000, [[*range(50)]]))]]
    if random.random() < 0.5:
        return [HEADER, *[call] * random.choice((3, 200, 1200))]
    inner = ["pipeline", -1, *call[2:]]
    return [
        HEADER,
        ["while", 0, [[["import", 0]], [inner, True]], [[["import", 0]], [inner] * random.randint(1, 5)], 1000],
    ]


# ---- plans that mean to be taken for something else


def huge(random: Random) -> Plan:
    """Constants that are large, or deep, or many."""
    kind = random.randrange(5)
    if kind == 0:
        return [HEADER, *["x" * random.choice((10, 20_000))] * random.choice((1, 30)), ["pipeline", 2]]
    if kind == 1:
        return [HEADER, ["bigint", "9" * random.choice((5, 3000, 16_384, 17_000))], ["op", "lt", ["pipeline", 2], 5]]
    if kind == 2:
        return [
            HEADER,
            {f"k{number}": [[]] for number in range(random.choice((5, 3000)))},
            ["op", "len", ["pipeline", 2]],
        ]
    deep: Any = 1
    for _ in range(random.choice((5, 100, 240, 300))):
        deep = [[deep]] if kind == 3 else {"a": deep}
    return [HEADER, deep, ["op", "null", ["pipeline", 2]]]


def deep_blocks(random: Random) -> Plan:
    """Blocks in blocks."""
    block: Any = [[], [True]]
    for _ in range(random.choice((3, 15, 16, 17, 60))):
        form = random.choice(
            (["if", True, block, [[], [1]]], ["keep", [[1, 2]], block], ["while", 1, block, [[], [1]], 2])
        )
        block = [[], [form, True]]
    return [HEADER, *block[1]]


def forged(random: Random) -> Plan:
    """Numbers of values that there are none of, or that are no numbers."""
    index, other = random.choice(FORGED), random.choice(FORGED)
    forms: list[Any] = [
        ["pipeline", index],
        ["import", index],
        ["pipeline", index, ["add"], [1, ["pipeline", other]]],
        ["if", True, [[["import", index]], [["pipeline", other]]], [[], [1]]],
        ["if", True, [[["export", index]], [1]], [[index], [1]]],
        ["keep", [[1]], [[["import", 0, other]], [["pipeline", index]]]],
        ["remap", index, [], [["import", other]], [1]],
        ["remap", 0, [], [["import", 0]], [["pipeline", index]]],
        ["pipeline", 0, index, other],
        ["pipeline", 0, [index], [other]],
    ]
    return [HEADER, 5, random.choice(forms), ["pipeline", 3]]


def misshapen(random: Random) -> Plan:
    """Forms with too few parts or too many, or with something else in their place; unknown operations."""
    block = [[], [True]]
    form = random.choice(
        (
            ["if", True, block, block],
            ["while", 0, block, block, random.choice(BOUNDS)],
            ["keep", [[1, 2]], block],
            ["op", random.choice((*OPERATIONS, "plus", "", 5, None, "__class__")), 1, 2],
        )
    )
    form = [*form]
    for _ in range(random.randint(1, 2)):
        act = random.randrange(3)
        if act == 0:
            form.append(random.choice(LEAVES))
        elif act == 1 and len(form) > 1:
            form.pop()
        else:
            form[random.randrange(len(form))] = random.choice(LEAVES)
    return [HEADER, form, ["pipeline", 2]]


def odd_headers(random: Random) -> Plan:
    """Headers where none is to be, of other versions, and more than one."""
    header: Any = random.choice(
        (HEADER, ["plan", 2], ["plan", True], ["plan", 1.0], ["plan"], ["plan", 1, 1], ["plan", "1"])
    )
    return random.choice(
        (
            [header],
            [header, 5],
            [HEADER, header, 5],
            [HEADER, 5, header],
            [HEADER, ["if", True, [[], [header, 5]], [[], [header]]]],
            [HEADER, ["remap", 0, [], [], [header, 5]]],
            [HEADER, [[header]]],
            [5, header],
        )
    )


KINDS: Final[tuple[Kind, ...]] = (
    *(garbled, garbled, garbled, endless, doubling, searching, mapping, calling),
    *(huge, deep_blocks, forged, misshapen, odd_headers),
)
