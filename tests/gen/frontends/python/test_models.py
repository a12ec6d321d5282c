"""Models: what pydantic knows of the fields. What is refused stands in the golden cases."""

from __future__ import annotations

from capnweb_gen import ir
from tests.gen.conftest import Compile

HEAD = """
from pydantic import AliasChoices, BaseModel, ConfigDict, Field
"""


def model(compile_text: Compile, text: str) -> ir.Model:
    compiled = compile_text(HEAD + text)
    assert compiled.diagnostics == ()
    return compiled.schemas[0].models[-1]


def names(compile_text: Compile, field: str, config: str = "{}", case: str = "") -> tuple[str, str]:
    text = f"{case}\nclass M(BaseModel):\n    model_config = ConfigDict(**{config})\n    {field}\n"
    (found,) = model(compile_text, text).fields
    return found.wire, found.accepts


def test_a_field_is_called_as_written(compile_text: Compile) -> None:
    assert names(compile_text, "user_id: int") == ("user_id", "user_id")


def test_a_field_follows_the_case_of_the_module(compile_text: Compile) -> None:
    assert names(compile_text, "user_id: int", case='WIRE_CASE = "camel"') == ("userId", "user_id")


def test_an_alias_is_the_name_on_the_wire_and_for_validation(compile_text: Compile) -> None:
    assert names(compile_text, 'user_id: int = Field(alias="ID")', case='WIRE_CASE = "camel"') == ("ID", "ID")


def test_names_are_accepted_instead_of_aliases_where_the_model_says_so(compile_text: Compile) -> None:
    field = 'user_id: int = Field(alias="ID")'
    assert names(compile_text, field, '{"populate_by_name": True}') == ("ID", "user_id")


def test_an_alias_for_one_direction_leaves_the_other_alone(compile_text: Compile) -> None:
    assert names(compile_text, 'a: int = Field(serialization_alias="b")') == ("b", "a")


def test_the_first_of_several_aliases_is_used(compile_text: Compile) -> None:
    assert names(compile_text, 'a: int = Field(validation_alias=AliasChoices("b", "c"))') == ("a", "b")


def test_an_alias_generator_is_followed(compile_text: Compile) -> None:
    assert names(compile_text, "user_id: int", '{"alias_generator": str.upper}') == ("USER_ID", "USER_ID")


def test_fields_with_defaults_are_not_required(compile_text: Compile) -> None:
    text = "class M(BaseModel):\n    a: int\n    b: int = 1\n    c: list[int] = Field([])\n    d: int | None\n"
    assert [field.required for field in model(compile_text, text).fields] == [True, False, False, True]


def test_inherited_fields_come_first_and_stand_where_the_model_does(compile_text: Compile) -> None:
    found = model(compile_text, "class A(BaseModel):\n    a: int\n\nclass B(A):\n    b: int\n")
    assert [(field.name, field.position == found.position) for field in found.fields] == [("a", True), ("b", False)]


def test_the_rule_for_unknown_fields_is_kept(compile_text: Compile) -> None:
    assert model(compile_text, 'class M(BaseModel):\n    model_config = ConfigDict(extra="forbid")\n').extra == "forbid"
