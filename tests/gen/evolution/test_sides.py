"""What large schemas cost: in proportion to what is in them."""

from __future__ import annotations

import sys
from types import FrameType

from capnweb_gen import ir
from capnweb_gen.evolution.compare import compare

HERE = ir.Position(line=1, column=1)


def schemas(count: int) -> tuple[ir.Schema, ...]:
    """Interfaces, each with a model, each of which holds the next."""

    def model(number: int) -> ir.ModelShape:
        return ir.ModelShape(model=ir.Reference(module="m", name=f"M{number % count}"))

    def field(number: int) -> ir.ModelField:
        return ir.ModelField(name="f", wire="f", accepts="f", type=model(number + 1), required=True, position=HERE)

    def method(number: int) -> ir.Method:
        return ir.Method(name="get", wire="get", result=model(number), position=HERE)

    models = tuple(
        ir.Model(name=f"M{number}", module="m", path="m.py", fields=(field(number),), position=HERE)
        for number in range(count)
    )
    interfaces = tuple(
        ir.Interface(name=f"I{number}", members=(method(number),), position=HERE) for number in range(count)
    )
    return (ir.Schema(module="m", path="m.py", output="m.py", models=models, interfaces=interfaces),)


def calls(count: int) -> int:
    """How many functions are called to find that nothing has changed."""
    both = schemas(count)
    made = 0

    def note(frame: FrameType, event: str, argument: object) -> None:
        nonlocal made
        made += event == "call"

    sys.setprofile(note)
    try:
        assert compare(both, both) == ()
    finally:
        sys.setprofile(None)
    return made


def test_twice_as_much_costs_twice_as_much() -> None:
    calls(3)  # what is computed once
    assert calls(80) < 2.2 * calls(40)
