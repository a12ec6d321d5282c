"""What files of one run know of each other."""

from __future__ import annotations

from capnweb_gen import ir
from capnweb_gen.backends.typescript.survey import survey

PLACE = ir.Position(line=1, column=1)
RED, BLUE = ir.EnumMember(name="RED", value="red"), ir.EnumMember(name="BLUE", value="blue")
PERSON = ir.NewTypeShape(new_type=ir.Reference(module="b", name="PersonId"), item=ir.Scalar(name="int"))


def colour(*members: ir.EnumMember, module: str = "a", partial: bool = True) -> ir.EnumShape:
    return ir.EnumShape(enum=ir.Reference(module=module, name="Colour"), members=members, partial=partial)


def model(name: str, *types: ir.TypeShape, module: str = "a") -> ir.Model:
    fields = tuple(
        ir.ModelField(name=f"f{n}", wire=f"f{n}", accepts=f"f{n}", type=shape, required=False, position=PLACE)
        for n, shape in enumerate(types)
    )
    return ir.Model(name=name, module=module, path="a.py", fields=fields, position=PLACE)


def schema(module: str, *models: ir.Model) -> ir.Schema:
    return ir.Schema(module=module, path=f"{module}.py", output=f"{module}.py", models=models)


def test_an_enum_is_declared_where_its_module_is_a_schema_with_all_members_that_are_seen() -> None:
    run = survey((schema("b", model("One", colour(RED), module="b")), schema("a", model("Two", colour(BLUE)))))
    assert run.named == {"a": (colour(BLUE, RED),), "b": ()}


def test_a_schema_s_own_order_comes_first() -> None:
    run = survey(
        (
            schema("a", model("One", colour(RED, module="b"))),
            schema("b", model("Two", PERSON, colour(BLUE, module="b"))),
        )
    )
    assert run.named["b"] == (PERSON, colour(BLUE, RED, module="b"))


def test_an_enum_that_is_allowed_whole_has_its_own_members() -> None:
    whole = colour(RED, BLUE, partial=False)
    assert survey((schema("a", model("One", colour(BLUE), whole, colour(RED))),)).named == {"a": (whole,)}


def test_what_no_schema_declares_is_declared_by_each_that_uses_it() -> None:
    foreign = colour(RED, module="elsewhere")
    run = survey((schema("a", model("One", foreign)), schema("b", model("Two", foreign, module="b"))))
    assert run.named == {"a": (foreign,), "b": (foreign,)}


def test_the_fields_that_tell_models_apart_are_found() -> None:
    cat, dog = (ir.ModelShape(model=ir.Reference(module="a", name=name)) for name in ("Cat", "Dog"))
    models = (
        model("Cat", ir.LiteralShape(values=("cat",))),
        model("Dog", ir.LiteralShape(values=("dog",))),
        model("Zoo", ir.UnionShape(members=(cat, dog, ir.Scalar(name="str")))),
    )
    assert survey((schema("a", *models),)).tags == {(cat.model, "f0"), (dog.model, "f0")}
