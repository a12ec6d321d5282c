"""How schemas and interfaces depend on each other."""

from __future__ import annotations

from typing import Literal

import pytest

from capnweb_gen import graph, ir

HERE = ir.Position(line=1, column=1)


def interface(
    name: str, *bases: tuple[str, str], members: tuple[str, ...] = (), gives: tuple[str, str] | None = None
) -> ir.Interface:
    shape: ir.TypeShape = ir.Scalar(name="none")
    if gives is not None:
        shape = ir.ListShape(item=ir.InterfaceShape(interface=ir.Reference(module=gives[0], name=gives[1])))
    return ir.Interface(
        name=name,
        bases=tuple(ir.Reference(module=module, name=base) for module, base in bases),
        members=tuple(
            ir.Method(name=member, wire=f"{name}.{member}", result=shape, position=HERE) for member in members
        ),
        position=HERE,
    )


def schema(module: str, *interfaces: ir.Interface) -> ir.Schema:
    return ir.Schema(module=module, path=f"{module}.py", output=f"{module}.py", interfaces=interfaces)


def test_a_schema_needs_those_it_names_and_those_that_they_name() -> None:
    a = schema("a", interface("A", members=("m",), gives=("b", "B")))
    b = schema("b", interface("B", ("c", "C")))
    c = schema("c", interface("C"))
    peers = graph.by_module((a, b, c))
    assert graph.needed(a, peers) == {"b", "c"}
    assert graph.needed(c, peers) == frozenset()
    assert graph.cyclic(a, peers) == frozenset()


def test_schemas_that_need_each_other_are_cyclic_also_through_others() -> None:
    a = schema("a", interface("A", members=("m",), gives=("b", "B")))
    b = schema("b", interface("B", members=("m",), gives=("c", "C")))
    c = schema("c", interface("C", members=("m",), gives=("a", "A")))
    outside = schema("d", interface("D", members=("m",), gives=("a", "A")))
    peers = graph.by_module((a, b, c, outside))
    assert graph.cyclic(a, peers) == {"b", "c"}
    assert graph.cyclic(outside, peers) == frozenset()


def test_what_no_schema_declares_is_not_needed() -> None:
    a = schema("a", interface("A", members=("m",), gives=("elsewhere", "X")))
    assert graph.needed(a, graph.by_module((a,))) == frozenset()


def test_bases_come_nearest_first_and_once() -> None:
    top, left = interface("Top"), interface("Left", ("a", "Top"))
    right, bottom = interface("Right", ("a", "Top")), interface("Bottom", ("a", "Left"), ("a", "Right"))
    peers = graph.by_module((schema("a", top, left, right, bottom),))
    assert [base.name for base in graph.bases(bottom, peers)] == ["Left", "Right", "Top"]


def test_own_members_hide_inherited_ones() -> None:
    base = interface("Base", members=("close", "open"))
    derived = interface("Derived", ("a", "Base"), members=("close",))
    members = graph.all_members(derived, graph.by_module((schema("a", base, derived),)))
    assert {name: member.wire for name, member in members.items()} == {"close": "Derived.close", "open": "Base.open"}


def test_bases_are_ordered_before_those_that_inherit_them() -> None:
    late = schema("a", interface("C", ("a", "B")), interface("X"), interface("B", ("a", "A")), interface("A"))
    assert [declared.name for declared in graph.bases_first(late)] == ["A", "B", "C", "X"]


def model(
    name: str, *shapes: ir.TypeShape, module: str = "a", extra: Literal["ignore", "allow"] = "ignore"
) -> ir.Model:
    fields = (
        ir.ModelField(name=f"f{i}", wire=f"f{i}", accepts=f"f{i}", type=shape, required=True, position=HERE)
        for i, shape in enumerate(shapes)
    )
    return ir.Model(name=name, module=module, path=f"{module}.py", fields=tuple(fields), extra=extra, position=HERE)


def of(name: str, module: str = "a") -> ir.ModelShape:
    return ir.ModelShape(model=ir.Reference(module=module, name=name))


def pure(name: str, *schemas: ir.Schema) -> bool:
    return graph.is_pure(of(name).model, schemas[0], graph.by_module(schemas))


def with_models(module: str, *models: ir.Model) -> ir.Schema:
    return ir.Schema(module=module, path=f"{module}.py", output=f"{module}.py", models=models)


ANY = ir.TupleShape(items=(ir.Scalar(name="int"), ir.OptionalShape(item=ir.Scalar(name="any"))))


def test_a_model_is_pure_unless_its_wire_form_does_not_say_everything() -> None:
    data = model("Data", ir.Scalar(name="int"), of("Data"), ir.Scalar(name="bytes"))
    assert pure("Data", with_models("a", data))
    assert not pure("Loose", with_models("a", model("Loose", ANY)))
    assert not pure("File", with_models("a", model("File", ir.Scalar(name="blob"))))
    assert not pure("Open", with_models("a", model("Open", extra="allow")))


def test_what_a_model_can_hold_counts_at_any_depth_and_in_other_schemas() -> None:
    outer = model("Outer", ir.ListShape(item=of("Middle", "b")))
    middle = model("Middle", of("Foreign", "elsewhere"), module="b")
    loose, data = model("Foreign", ANY, module="elsewhere"), model("Foreign", module="elsewhere")
    assert not pure("Outer", with_models("a", outer), with_models("b", middle, loose))
    assert pure("Outer", with_models("a", outer), with_models("b", middle, data))


def test_a_reference_to_a_capability_is_data_and_needs_no_generated_module() -> None:
    ref = ir.SturdyRefShape(interface=ir.Reference(module="b", name="Room"))
    schema = with_models("a", model("Bookmark", ref))
    peers = graph.by_module((schema, with_models("b")))
    assert pure("Bookmark", schema)
    assert not graph.hold_capabilities([of("Bookmark")], schema, peers)
    assert list(graph.imported(schema)) == [ref.interface]
    assert not graph.needed(schema, peers)


CAPABILITIES: tuple[ir.TypeShape, ...] = (
    ir.InterfaceShape(interface=ir.Reference(module="a", name="Loan")),
    ir.CallableShape(parameters=(), result=ir.Scalar(name="none")),
    ir.CallbackShape(callback=ir.Reference(module="a", name="OnLoan")),
    ir.StubShape(),
    ir.StreamShape(item=ir.Scalar(name="int")),
    ir.WritableShape(item=ir.Scalar(name="int")),
)


@pytest.mark.parametrize("held", CAPABILITIES)
def test_a_model_with_a_capability_is_not_pure_and_is_known_to_hold_one(held: ir.TypeShape) -> None:
    inner = model("Inner", ir.ListShape(item=ir.OptionalShape(item=held)), of("Inner"))
    schema = with_models("a", inner, model("Outer", of("Inner")), model("Data", ir.Scalar(name="int"), ANY))
    peers = graph.by_module((schema,))
    assert not pure("Outer", schema)
    assert graph.hold_capabilities([of("Outer")], schema, peers)
    assert not graph.hold_capabilities([of("Data"), ir.Scalar(name="any")], schema, peers)
