"""Bounds: safe by default, fixed once made, and each with its reason."""

from __future__ import annotations

import dataclasses
import inspect
import re

import pytest

from capnweb_runtime.limits import DEFAULT_LIMITS, DEFAULT_SERVER_LIMITS, Limits, ServerLimits


def test_the_figures_that_the_reference_has_are_the_references() -> None:
    assert DEFAULT_LIMITS.message_size == 32 * 1024 * 1024
    assert DEFAULT_LIMITS.depth == 256
    assert DEFAULT_LIMITS.bigint_digits == 16384


def test_every_bound_but_that_of_costs_is_positive_and_finite() -> None:
    for field in dataclasses.fields(Limits):
        value = getattr(DEFAULT_LIMITS, field.name)
        if field.name == "cost":
            assert value is None
            continue
        assert type(value) is (float if field.name == "cost_window" else int)
        assert 0 < value < 2**40


def test_every_bound_of_a_server_is_positive_and_finite_or_follows_from_others() -> None:
    for field in dataclasses.fields(ServerLimits):
        value = getattr(DEFAULT_SERVER_LIMITS, field.name)
        assert value is None or 0 < value < 2**40


@pytest.mark.parametrize("limits", [Limits, ServerLimits])
def test_every_bound_has_its_reason(limits: type[Limits] | type[ServerLimits]) -> None:
    documented = re.findall(r"^ {4}(\w+): .*", inspect.cleandoc(limits.__doc__ or ""), re.MULTILINE)
    assert sorted(documented) == sorted(field.name for field in dataclasses.fields(limits))
    assert (limits.__doc__ or "").count("Default") == len(documented)


def test_limits_are_chosen_one_by_one_and_cannot_be_changed() -> None:
    limits = Limits(exports=5)
    assert limits.exports == 5
    assert limits.imports == DEFAULT_LIMITS.imports
    with pytest.raises(dataclasses.FrozenInstanceError):
        limits.exports = 6  # type: ignore[misc]  # the point of the test
