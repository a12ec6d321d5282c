"""Data classes that cost little to make: the same as those of the standard library."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from dataclasses import field
from typing import Any

import pytest

from capnweb_runtime.records import dataclass


@dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int = 2
    tags: list[str] = field(default_factory=list, repr=False, compare=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Stock:
    x: int
    y: int = 2
    tags: list[str] = field(default_factory=list, repr=False, compare=False)


BOTH = pytest.mark.parametrize("cls", [Point, Stock])


@BOTH
def test_fields_are_given_in_order_by_name_or_by_default(cls: Any) -> None:
    made = cls(1, tags=["a"])
    assert (made.x, made.y, made.tags) == (1, 2, ["a"])
    assert cls(1).tags is not cls(1).tags


@BOTH
@pytest.mark.parametrize(("args", "kwargs"), [((), {}), ((1, 2, [], 4), {}), ((1,), {"x": 1}), ((1,), {"z": 1})])
def test_what_does_not_fit_is_a_type_error(cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        cls(*args, **kwargs)


@BOTH
def test_equality_and_hash_are_of_the_compared_fields_of_one_class(cls: Any) -> None:
    assert cls(1) == cls(1, tags=["other"])
    assert hash(cls(1)) == hash(cls(1, tags=["other"]))
    assert cls(1) != cls(2)
    assert cls(1) != (1, 2)
    other: Any = Point if cls is Stock else Stock
    assert cls(1) != other(1)


@BOTH
def test_it_shows_its_fields(cls: Any) -> None:
    assert repr(cls(1)) == f"{cls.__name__}(x=1, y=2)"


@BOTH
def test_nothing_can_be_assigned_added_or_deleted(cls: Any) -> None:
    made = cls(1)
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'x'"):
        made.x = 2
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'x'"):
        del made.x
    assert not hasattr(made, "__dict__")


@BOTH
def test_it_can_be_copied_pickled_replaced_and_matched(cls: Any) -> None:
    made = cls(1, 3, ["a"])
    for again in (copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert dataclasses.astuple(again) == (1, 3, ["a"])
    assert dataclasses.replace(made, x=5) == cls(5, 3)
    match made:
        case Point(x, y) | Stock(x, y):
            assert (x, y) == (1, 3)


def test_a_record_that_holds_itself_can_be_shown() -> None:
    @dataclass(frozen=True, slots=True)
    class Node:
        items: list[Any]

    node = Node([])
    node.items.append(node)
    assert "..." in repr(node)
