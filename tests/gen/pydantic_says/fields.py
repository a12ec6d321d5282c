"""What `Field(...)` can say."""

from __future__ import annotations

from tests.gen.pydantic_says.cases import Cases, Ends, Holds, Refused, bounded, equal, model, travels

DATACLASS = "from dataclasses import InitVar\n@dataclass\nclass Thing:\n"
UNION = (
    "class A(BaseModel):\n    kind: Literal['a'] = 'a'\nclass B(BaseModel):\n    kind: Literal['b'] = 'b'\n"
    "    more: int = 0\n"
)


def described(argument: str) -> list[Holds]:
    """An argument that is about the field, and not about its value."""
    return [travels(model(f"x: int = Field({argument})"), lambda e: e.Thing(x=1), {"x": 1})]


def taken_by(first: str, second: str, message: str, config: str = "") -> Refused:
    text = model(f"a: int = Field({first})", f"b: int = Field({second})  # here", config=config)
    return Refused(text, message, "names and aliases of its own")


def _validated_default(e: Ends) -> None:
    assert e.take({}).x == -5
    assert e.refusal({"x": "5"}).startswith("it.x: expected int")


CASES: Cases = {
    "default": [Holds(model("x: int = Field(default=3)"), equal(lambda e: (e.take({}), e.Thing())))],
    "default_factory": [
        Holds(model("x: list[int] = Field(default_factory=list)"), equal(lambda e: (e.take({}), e.Thing()))),
        Holds(
            model("x: int", 'y: int = Field(default_factory=lambda data: data["x"] * 2)'),
            equal(lambda e: ((e.take({"x": 2}).y, e.take({"x": 2, "y": 0}).y), (4, 0))),
            since=(2, 10),
        ),
    ],
    "alias": [
        travels(model('name: str = Field(alias="fullName")'), lambda e: e.Thing(fullName="x"), {"fullName": "x"}),
        travels(
            DATACLASS + '    name: str = Field(alias="full-name")\n    at: int = 0',
            lambda e: e.Thing(**{"full-name": "x"}),
            {"full-name": "x", "at": 0},
        ),
        taken_by(
            'alias="b"',
            'alias="c"',
            "validation looks for Thing.b under 'b', where it also looks for a",
            "populate_by_name=True",
        ),
    ],
    "alias_priority": [
        travels(
            model('x: int = Field(alias="a", alias_priority=1)', config="alias_generator=str.upper"),
            lambda e: e.Thing(X=1),
            {"X": 1},
        )
    ],
    "validation_alias": [
        travels(model('x: int = Field(validation_alias="y")'), lambda e: e.Thing(y=1), {"x": 1}),
        travels(
            model('x: int = Field(validation_alias=AliasChoices(AliasPath("p", 0), "y"))'),
            lambda e: e.Thing(y=1),
            {"x": 1},
        ),
        travels(DATACLASS + '    x: int = Field(validation_alias="y")', lambda e: e.Thing(y=1), {"x": 1}),
        Refused(
            model('x: int = Field(validation_alias=AliasPath("a", 0))  # here'),
            "the validation alias of Thing.x is a path",
            "use a plain string",
        ),
        Refused(
            DATACLASS + '    x: int = Field(validation_alias=AliasPath("a", 0))  # here',
            "the validation alias of Thing.x is a path",
            "use a plain string",
        ),
        taken_by(
            'validation_alias=AliasChoices("p", "q")',
            'validation_alias=AliasChoices("q", "r")',
            "validation looks for Thing.b under 'q', where it also looks for a",
        ),
    ],
    "serialization_alias": [
        travels(model('x: int = Field(serialization_alias="out")'), lambda e: e.Thing(x=1), {"out": 1}),
        travels(DATACLASS + '    x: int = Field(serialization_alias="out")', lambda e: e.Thing(x=1), {"out": 1}),
    ],
    "title": described('title="X"'),
    "field_title_generator": described("field_title_generator=lambda name, info: name"),
    "description": described('description="how many"'),
    "examples": described("examples=[1]"),
    "json_schema_extra": described('json_schema_extra={"x": 1}'),
    "deprecated": described('deprecated="use y"'),
    "repr": described("repr=False"),
    "frozen": described("frozen=True"),
    "exclude": [
        Refused(text, "Thing.x is excluded from serialization", "leave out `exclude=True`")
        for text in (
            model('x: str = Field(default="", exclude=True)  # here'),
            model('x: Annotated[str, Field(exclude=True)] = ""  # here'),
            DATACLASS + '    x: str = Field(default="", exclude=True)  # here',
        )
    ],
    "exclude_if": [
        Refused(
            model('x: str = Field(default="", exclude_if=bool)  # here'),
            "Thing.x is excluded from serialization where `exclude_if` says so",
            "leave out `exclude_if`",
            since=(2, 12),
        ),
        Refused(
            DATACLASS + '    x: str = Field(default="", exclude_if=bool)  # here',
            "where `exclude_if` says so",
            "leave out `exclude_if`",
            since=(2, 12),
        ),
    ],
    "discriminator": [
        travels(
            UNION + model('x: A | B = Field(discriminator="kind")'),
            lambda e: e.Thing(x=e.B(more=2)),
            {"x": {"kind": "b", "more": 2}},
        )
    ],
    "validate_default": [
        Holds(
            model("x: int = Field(default=5, validate_default=True)", "@field_validator('x')", "@classmethod")
            + "\n    def minus(cls, value: int) -> int:\n        return -value",
            _validated_default,
        )
    ],
    "init": [
        Holds(
            DATACLASS + "    x: int\n    n: int = Field(default=3, init=False)",
            equal(lambda e: ((e.send(e.Thing(x=1)), e.take({"x": 1, "n": 9}).n), ({"x": 1, "n": 3}, 3))),
        )
    ],
    "init_var": [
        Refused(
            DATACLASS + "    x: int\n    seed: InitVar[int] = Field(default=1, init_var=True)  # here",
            "Thing.seed is an InitVar, which is not kept",
            "make it a field",
        )
    ],
    "kw_only": [
        travels(DATACLASS + "    x: int = Field(kw_only=True)", lambda e: e.Thing(x=1), {"x": 1}),
    ],
    "pattern": [bounded('x: str = Field(pattern="^a")', "ab", "b")],
    "strict": [bounded("x: int = Field(strict=False)", 1, "1", told="expected int, got str '1'")],
    "coerce_numbers_to_str": [
        bounded("x: str = Field(coerce_numbers_to_str=True)", "1", 1, told="expected str, got int 1")
    ],
    "gt": [bounded("x: int = Field(gt=1)", 2, 1)],
    "ge": [bounded("x: int = Field(ge=1)", 1, 0)],
    "lt": [bounded("x: int = Field(lt=1)", 0, 1)],
    "le": [bounded("x: int = Field(le=1)", 1, 2)],
    "multiple_of": [bounded("x: int = Field(multiple_of=3)", 6, 7)],
    "allow_inf_nan": [bounded("x: float = Field(allow_inf_nan=False)", 0.5, ["inf"])],
    "max_digits": [bounded("x: Decimal = Field(max_digits=3)", "1.25", "1.255")],
    "decimal_places": [bounded("x: Decimal = Field(decimal_places=1)", "1.5", "1.25")],
    "min_length": [bounded("x: list[int] = Field(min_length=1)", [[1]], [[]])],
    "max_length": [bounded("x: str = Field(max_length=1)", "a", "ab")],
    "union_mode": [
        travels(model('x: int | str = Field(union_mode="left_to_right")'), lambda e: e.Thing(x="a"), {"x": "a"})
    ],
    "fail_fast": [bounded("x: list[Annotated[int, Field(ge=1)]] = Field(fail_fast=True)", [[1]], [[0, 0]])],
}
