"""Constraints beside types: what becomes part of the IR, and what is refused."""

from __future__ import annotations

import math
from typing import Annotated, Any, get_args

import pytest
import typing_extensions
from annotated_types import Ge, Gt, Interval, Len, Lt, MaxLen, Predicate
from pydantic import AfterValidator, Field, Strict, StringConstraints

from capnweb_gen import ir
from capnweb_gen.errors import UnsupportedTypeError
from capnweb_gen.frontends.python.constraints import constrained

INT, STR, FLOAT = (ir.Scalar(name=name) for name in ("int", "str", "float"))
NEW = ir.NewTypeShape(new_type=ir.Reference(module="a", name="B"), item=INT)


@pytest.mark.parametrize(
    ("item", "metadata", "limits"),
    [
        (INT, [Ge(0), Gt(-1)], {"ge": 0, "gt": -1}),
        (INT, [Field(ge=0, multiple_of=5, description="words")], {"ge": 0, "multiple_of": 5}),
        (FLOAT, [Interval(gt=0.5, le=2)], {"gt": 0.5, "le": 2}),
        (NEW, [Ge(1)], {"ge": 1}),
        (STR, [Len(1, 3)], {"min_length": 1, "max_length": 3}),
        (STR, [StringConstraints(pattern="^a", max_length=2)], {"pattern": "^a", "max_length": 2}),
        (STR, [Field(pattern="a$")], {"pattern": "a$"}),
        (ir.ListShape(item=INT), [MaxLen(2)], {"max_length": 2}),
        (ir.CollectionShape(container="set", item=INT), [Field(min_length=1)], {"min_length": 1}),
        (ir.DictShape(value=INT), [Field(max_length=1)], {"max_length": 1}),
    ],
)
def test_what_can_be_checked_becomes_part_of_the_type(
    item: Any, metadata: list[object], limits: dict[str, Any]
) -> None:
    assert constrained(item, metadata) == ir.ConstrainedShape(item=item, **limits)


def test_what_only_describes_changes_nothing() -> None:
    described = get_args(Annotated[int, typing_extensions.Doc("words"), Field(title="a", examples=[1]), Strict()])[1:]
    assert constrained(INT, described) == INT


def test_none_has_no_limits() -> None:
    shape = constrained(ir.OptionalShape(item=INT), [Ge(0)])
    assert shape == ir.OptionalShape(item=ir.ConstrainedShape(item=INT, ge=0))


@pytest.mark.parametrize(
    ("item", "metadata", "reason"),
    [
        (STR, [Ge(0)], "ge cannot be checked"),
        (INT, [Len(1)], "min_length cannot be checked"),
        (INT, [Field(pattern="a")], "pattern cannot be checked"),
        (FLOAT, [Field(multiple_of=0.1)], "multiple_of cannot be checked"),
        (STR, [Field(pattern="(")], "is none that pydantic reads"),
        (INT, [Field(default=3)], "default=3"),
        (STR, [StringConstraints(strip_whitespace=True)], "strip_whitespace=True"),
        (INT, [AfterValidator(abs)], "nothing would check"),
        (INT, [Predicate(bool)], "cannot be checked here"),
        (INT, ["positive"], "nothing would check"),
        (FLOAT, [Lt(math.inf)], "the constraint lt=inf is no bound"),
        (ir.TupleShape(items=(INT,)), [Len(1)], "min_length cannot be checked"),
    ],
)
def test_what_nobody_would_check_is_refused(item: Any, metadata: list[object], reason: str) -> None:
    with pytest.raises(UnsupportedTypeError, match=reason) as caught:
        constrained(item, metadata)
    assert caught.value.hint
