"""What schema files import: marks for the compiler, which cost nothing when a schema is imported."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any, Protocol, get_args

from pydantic import BaseModel

from capnweb_runtime.schema import (
    BY_REFERENCE,
    Capability,
    InterfaceModel,
    Method,
    Property,
    Stub,
    Writable,
    cost,
    interface,
    wire_name,
)


def test_importing_it_does_not_import_pydantic() -> None:
    program = "import sys, capnweb_runtime.schema; sys.exit('pydantic' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_wire_name_is_left_on_the_member_which_stays_as_it_was() -> None:
    def get(self: object) -> int:
        return 1

    marked = wire_name("fetch")(get)
    assert marked is get
    assert vars(get) == {"__capnweb_wire_name__": "fetch"}


def test_a_wire_name_stands_in_annotated_too() -> None:
    assert vars(wire_name("fetch"))["__capnweb_wire_name__"] == "fetch"


def test_a_cost_is_left_on_the_member_and_stands_in_annotated_too() -> None:
    @cost(5, items=20)
    def get() -> list[int]:
        return [1]

    assert get() == [1]
    assert vars(get)["__capnweb_cost__"] == vars(cost(5, items=20))["__capnweb_cost__"] == (5, 20)


def test_a_case_is_left_on_the_interface() -> None:
    @interface(case="camel")
    class Api(Protocol):
        def get_it(self) -> int: ...

    assert vars(Api)["__capnweb_wire_case__"] == "camel"


def test_models_of_parameters_may_name_capabilities() -> None:
    class Counter(InterfaceModel):
        value: Property[int]
        reset: Method[None, None]

    class Link(BaseModel):
        counter: Counter
        spare: Stub | None
        sink: Writable[bytes]

    assert list(Link.model_fields) == ["counter", "spare", "sink"]


class Loan(Protocol):
    async def renew(self) -> None: ...


def test_a_model_holds_a_capability_that_pydantic_does_not_look_at() -> None:
    class Shelf(BaseModel):
        first: Capability[Loan]
        others: list[Capability[Loan]] = []
        log: Capability[AsyncIterator[int]] | None = None

    loan: Any = object()
    shelf = Shelf.model_validate({"first": loan, "others": [loan]}, strict=True)
    assert (shelf.first, shelf.others, shelf.log) == (loan, [loan], None)
    assert get_args(Capability[Loan]) == (Loan, BY_REFERENCE)
