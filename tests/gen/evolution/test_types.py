"""Types, two by two: what the codec of one refuses of the other's values, a comparison calls a break."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from ipaddress import IPv4Address
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest

from capnweb_gen import ir
from capnweb_gen.compiler import compile_schemas
from capnweb_gen.evolution.compare import compare
from capnweb_gen.evolution.effects import Effects, Kind
from capnweb_runtime.core.codecs import TypeCodec
from capnweb_runtime.core.mismatch import Mismatch
from capnweb_runtime.schema import Unknown
from tests.gen.breaking_cases import ROOT, module_of
from tests.gen.evolution import many_types as declared
from tests.runtime.codec_ends import decode, encode

SCHEMA = ROOT / "tests/gen/evolution/many_types.py"
VALUES: dict[str, list[Any]] = {
    "nothing": [None],
    "truth": [True, False],
    "whole": [0, -1, 11, 10**6],
    "few": [0, 7, 10],
    "even": [0, 44, -2],
    "real": [0.5, 3.0],
    "text": ["", "red", "long text", "12"],
    "short": ["", "abc"],
    "digits": ["1234", "0"],
    "data": [b"", b"ab"],
    "array": [bytearray(b"ab")],
    "instant": [datetime(2024, 1, 2, tzinfo=UTC)],
    "day": [date(2024, 1, 2)],
    "hour": [time(12, 30)],
    "span": [timedelta(seconds=90)],
    "money": [Decimal("1.50"), Decimal(-3)],
    "uuid": [UUID(int=5)],
    "address": [IPv4Address("192.0.2.1")],
    "colour": list(declared.Colour),
    "more": list(declared.More),
    "red": [declared.Colour.RED],
    "words": ["red", "blue"],
    "mixed": ["red", 1, True],
    "level": list(declared.Level),
    "access": [declared.Access.READ, declared.Access(0)],
    "open_colour": list(declared.Colour),
    "open_words": ["red"],
    "name": [declared.Name("Ann Smith")],
    "user": [4, 3, -(10**7)],
    "optional": [None, 12],
    "either": [12, "text"],
    "open_either": [12, "text"],
    "numbers": [[], [1, 2, 3, 4]],
    "reals": [[0.5]],
    "unique": [{1, 2, 3, 4}],
    "row": [(1, 2, 3, 4), ()],
    "pair": [(1, 2)],
    "triple": [(1, 2, 3)],
    "matrix": [[[1], []]],
    "table": [{"a": 1}, {}],
    "by_number": [{5: 1}],
    "by_colour": [{declared.Colour.RED: 1}],
    "circle": [declared.Circle(radius=1)],
    "square": [declared.Square(side=1)],
    "shape": [declared.Circle(radius=1), declared.Square(side=1)],
    "open_shape": [declared.Circle(radius=1), declared.Square(side=1)],
    "open_circle": [declared.Circle(radius=1), "text"],
    "point": [declared.Point(1, 2)],
    "dot": [{"x": 1}, {"x": 1, "y": 2}],
    "exact": [declared.Exact(x=1)],
    "json": [{"a": [1, None]}, [1], "text", 5],
    "anything": [{"a": b"x"}, 5, "text"],
}
NAMES = [*VALUES, "stub", "function", "stream", "sink"]
# What has limits, or takes what it does not know, may be told apart by values that are not among these.
PLAIN = [name for name in VALUES if name not in {"few", "even", "short", "digits"} and "open" not in name]
# What a comparison calls a break although these values get through: some of one form could be of the other type.
_ROWS = {"numbers", "reals", "unique", "row"}
LENIENT = {
    "span": {"real", "whole", "user", "optional", "either", "level", "access"},
    "pair": _ROWS,
    "triple": _ROWS,
    "table": {"by_number", "point", "dot", "exact"},
}


@cache
def compiled() -> tuple[ir.Schema, ModuleType]:
    made = compile_schemas([SCHEMA], "capnweb-gen")
    assert not made.diagnostics, made.diagnostics
    return made.schemas[0], module_of("made_of_many_types", made.files["many_types.py"])


def version(name: str) -> ir.Schema:
    """The schema with one method, whose result is of a type."""
    schema, _ = compiled()
    interface = schema.interfaces[0]
    method = next(member for member in interface.members if member.name == name)
    renamed = method.model_copy(update={"name": "get", "wire": "get"})
    return schema.model_copy(update={"interfaces": (interface.model_copy(update={"members": (renamed,)}),)})


def codec(name: str) -> TypeCodec:
    _, made = compiled()
    found: TypeCodec = getattr(made.TypesSpec, name).result
    return found


def compared(old: str, new: str) -> Effects:
    """What becomes of a result whose type is another."""
    found = Effects()
    for finding in compare((version(old),), (version(new),)):
        found = found.joined(finding.effects)
    return found


def refused(sender: str, reader: str) -> list[Any]:
    """The values of one type that the codec of another refuses."""
    found: list[Any] = []
    for value in VALUES[sender]:
        try:
            decode(codec(reader), encode(codec(sender), value))
        except Mismatch:
            found.append(value)
    return found


@pytest.mark.parametrize("old", VALUES)
def test_what_a_codec_refuses_is_called_a_break(old: str) -> None:
    for new in VALUES:
        effects = compared(old, new)
        lost = refused(new, old), refused(old, new)
        if lost[0]:
            assert effects.old_client.kind is Kind.BREAKS, f"{old} → {new}: old clients refuse {lost[0]}"
        if lost[1]:
            assert effects.new_client.kind is Kind.BREAKS, f"{old} → {new}: new clients refuse {lost[1]}"


@pytest.mark.parametrize("old", PLAIN)
def test_what_is_called_a_break_is_refused(old: str) -> None:
    for new in PLAIN:
        effects = compared(old, new)
        if new in LENIENT.get(old, ()) or old in LENIENT.get(new, ()):
            continue
        if effects.old_client.kind is Kind.BREAKS:
            assert refused(new, old), f"{old} → {new}: old clients refuse nothing"
        if effects.new_client.kind is Kind.BREAKS:
            assert refused(old, new), f"{old} → {new}: new clients refuse nothing"


@pytest.mark.parametrize("name", NAMES)
def test_a_type_that_is_the_same_breaks_nothing(name: str) -> None:
    assert compare((version(name),), (version(name),)) == ()


def test_any_two_types_can_be_compared() -> None:
    for old, new in itertools.product(NAMES, NAMES):
        told = {finding.rule.id for finding in compare((version(old),), (version(new),))}
        assert told or old == new or compared(old, new) == Effects(), (old, new)


@pytest.mark.parametrize("kind", ["stub", "function", "stream", "sink"])
def test_a_value_is_no_capability(kind: str) -> None:
    for name in ("whole", "point", "numbers"):
        told = [finding.rule.id for finding in compare((version(name),), (version(kind),))]
        assert told == ["capability-changed"]


def test_an_open_type_takes_what_is_new() -> None:
    assert compared("open_colour", "more").old_client.kind is Kind.SAFE
    assert decode(codec("open_colour"), "green") == Unknown("green")
    assert compared("open_shape", "open_circle").old_client.kind is not Kind.BREAKS
