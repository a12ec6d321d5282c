"""The contract of generated code."""

from __future__ import annotations

from typing import Any

import pytest

from capnweb_runtime import codegen_api as rpc
from tests.runtime.example import BOOK, COUNTER, BookPromise, CounterPromise
from tests.runtime.pair import Side


def test_a_module_of_this_contract_may_be_imported() -> None:
    rpc.require(rpc.GENERATED_API)


def test_a_module_of_an_older_contract_is_to_be_generated_again() -> None:
    with pytest.raises(ImportError, match=r"generated for API 2, .* has API 3: generate it again with capnweb-gen"):
        rpc.require(rpc.GENERATED_API - 1)


def test_a_module_of_a_newer_contract_needs_a_newer_runtime() -> None:
    with pytest.raises(ImportError, match=r"generated for API 4, .* has API 3: upgrade capnweb-gen here"):
        rpc.require(rpc.GENERATED_API + 1)


def test_everything_that_is_offered_is_there() -> None:
    assert rpc.__all__ == sorted(rpc.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    for name in rpc.__all__:
        assert getattr(rpc, name) is not None


@pytest.mark.parametrize(
    ("codec", "label"),
    [
        (rpc.list_of(rpc.INT), "a list of int"),
        (rpc.dict_of(rpc.STR), "an object of str"),
        (rpc.optional(rpc.INT), "int or None"),
        (rpc.tuple_of(rpc.INT, rpc.STR), "a list of exactly 2"),
        (rpc.literal_of("a", 1, None), "one of 'a', 1, None"),
        (rpc.callback(rpc.INT), "a function"),
        (rpc.list_of(rpc.list_of(rpc.BYTES)), "a list of a list of bytes"),
        (BOOK, "Book"),
        (COUNTER, "CounterTarget or CounterStub"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_codecs_are_called_what_they_are(codec: rpc.Codec, label: str) -> None:
    assert codec.label == label


def test_promises_are_of_the_class_that_stands_for_their_type() -> None:
    codecs = [rpc.list_of(rpc.INT), rpc.dict_of(rpc.INT), BOOK, COUNTER, rpc.optional(BOOK), rpc.optional(COUNTER)]
    classes = [rpc.ListPromise, rpc.DictPromise, BookPromise, CounterPromise, BookPromise, CounterPromise]
    assert [codec.promise() for codec in codecs] == classes
    assert rpc.INT.promise() is None


def test_a_callback_names_its_arguments_by_position() -> None:
    codec = rpc.callback(rpc.INT, rpc.INT, rpc.STR)
    stub: Any = rpc.CallbackStub(Side().session.import_stub(-1), getattr(codec, "method"))  # noqa: B009
    with pytest.raises(TypeError, match="argument 'argument 2': expected str, got int 5"):
        stub(1, 5)


def test_parameters_of_every_kind_can_be_declared() -> None:
    parameter = rpc.param("limit", rpc.INT, required=False, keyword=True, wire="maxCount")
    assert (parameter.name, parameter.wire, parameter.required, parameter.keyword) == ("limit", "maxCount", False, True)
    assert rpc.param("a", rpc.INT).wire == "a"
    declared = rpc.method("m", rpc.NONE, parameter)
    assert (declared.name, declared.result) == ("m", rpc.NONE)
    assert rpc.prop("p", rpc.STR).name == "p"
