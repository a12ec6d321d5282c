"""What a file imports and declares beside its own: exactly what is spelled, under names of their own."""

from __future__ import annotations

from capnweb_gen import ir
from capnweb_gen.backends.typescript import aliases
from capnweb_gen.backends.typescript.scope import Scope
from capnweb_gen.backends.typescript.survey import survey

PLACE = ir.Position(line=1, column=1)


def schema(module: str, *interfaces: str) -> ir.Schema:
    found = tuple(ir.Interface(name=name, position=PLACE) for name in interfaces)
    return ir.Schema(module=module, path=f"{module}.py", output=f"{module}.py", interfaces=found)


def scope(*schemas: ir.Schema) -> Scope:
    return Scope(schemas[0], survey(schemas))


def test_nothing_is_there_before_it_is_spelled() -> None:
    names = scope(schema("a", "Api"))
    assert (names.imports(), names.aliases) == ([], ())


def test_what_is_there_at_run_time_comes_before_types_and_stays_a_value() -> None:
    names = scope(schema("a"))
    for name, value in (("RpcTarget", False), ("newSession", True), ("RpcTarget", True), ("RpcStub", False)):
        names.runtime(name, value=value)
    assert names.imports() == [("capnweb", ["RpcTarget", "newSession", "type RpcStub"])]


def test_names_of_two_schemas_that_are_alike_are_told_apart() -> None:
    names = scope(schema("a", "Api"), schema("b", "Api", "Other"), schema("c", "Other"))
    spelled = [names.named(ir.Reference(module=m, name=n)) for m, n in (("a", "Api"), ("b", "Api"), ("b", "Other"))]
    assert spelled == ["Api", "Api_", "Other"]
    assert names.named(ir.Reference(module="c", name="Other")) == "Other_"
    assert names.imports() == [("./b.js", ["Api as Api_", "Other"]), ("./c.js", ["Other as Other_"])]


def test_an_alias_is_declared_once_and_brings_what_it_needs() -> None:
    names = scope(schema("a", "SturdyRef"))
    assert [names.alias(aliases.STURDY_REF) for _ in range(2)] == ["SturdyRef_"] * 2
    assert [alias.name for alias in names.aliases] == ["SturdyRef_"]
    assert names.imports() == [("capnweb", ["type RpcTarget"])]
