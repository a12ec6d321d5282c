"""What `ConfigDict(...)` can say."""

from __future__ import annotations

from tests.gen.pydantic_says.cases import Cases, Ends, Holds, Refused, bounded, equal, model, travels

COLOUR = "class Colour(str, Enum):\n    RED = 'r'\n"


def described(setting: str, since: tuple[int, int] = (2, 9)) -> list[Holds]:
    """A setting that changes nothing of what a peer sees."""
    return [travels(model("x: int = 0", config=setting), lambda e: e.Thing(x=1), {"x": 1}, since)]


def written(setting: str, field: str, message: str, since: tuple[int, int] = (2, 9)) -> Refused:
    """A setting of how a field is written as JSON."""
    return Refused(model(f"{field}  # here", config=setting), message, "leave ", since)


def settings_of_dataclass(setting: str, body: str = "    x: int") -> str:
    return f"@dataclass(config=ConfigDict({setting}))\nclass Thing:\n{body}"


def _kept(e: Ends) -> None:
    assert e.back(e.Thing(x=1, y="z")).y == "z"
    assert e.send(e.take({"x": 1, "y": [[2]]})) == {"y": [[2]], "x": 1}


def _only_by_its_wire_name(e: Ends) -> None:
    """What pydantic would take for the field, but is not called so on the wire, is not kept unchecked."""
    thing = e.take({"out": 1, "x": {"any": "thing"}, "more": 2})
    assert (thing.x, thing.model_extra) == (1, {"more": 2})
    assert e.send(e.Thing(x=1, out=5)) == {"out": 1}


def _forbidden(e: Ends) -> None:
    assert e.back(e.Thing(x=1)) == e.Thing(x=1)
    assert e.refusal({"x": 1, "y": 2}) == "it.y: expected no such field, got one that the model does not have"


def _frozen(e: Ends) -> None:
    assert hash(e.back(e.Thing(x=1))) == hash(e.Thing(x=1))


def _unshown(e: Ends) -> None:
    assert e.refusal({"x": "secret"}) == "it.x: expected int, got what is not to be shown"
    assert "secret" not in e.refusal("secret")
    assert "4711" not in e.refusal({"x": -4711})


def _upper(e: Ends) -> None:
    assert e.take({"x": "A"}).x == e.take({"x": "A"}).x == "a"


HIDING = "hide_input_in_errors=True"
CASES: Cases = {
    "title": described('title="T"'),
    "model_title_generator": described("model_title_generator=lambda model: 'T'"),
    "field_title_generator": described("field_title_generator=lambda name, info: name"),
    "json_schema_extra": described("json_schema_extra={'a': 1}"),
    "json_schema_serialization_defaults_required": described("json_schema_serialization_defaults_required=True"),
    "json_schema_mode_override": described("json_schema_mode_override='validation'"),
    "use_attribute_docstrings": described("use_attribute_docstrings=True"),
    "defer_build": described("defer_build=True"),
    "experimental_defer_build_mode": described("experimental_defer_build_mode=('model',)"),
    "plugin_settings": described("plugin_settings={'a': 1}"),
    "schema_generator": [
        travels(
            "from pydantic._internal._generate_schema import GenerateSchema\n"
            + model("x: int = 0", config="schema_generator=GenerateSchema"),
            lambda e: e.Thing(x=1),
            {"x": 1},
        )
    ],
    "protected_namespaces": described("protected_namespaces=()"),
    "ignored_types": [
        travels(model("x: int", "y = range(3)", config="ignored_types=(range,)"), lambda e: e.Thing(x=1), {"x": 1})
    ],
    "arbitrary_types_allowed": [
        Refused(
            "class Own: pass\n" + model("x: Own  # here", config="arbitrary_types_allowed=True"),
            "Thing.x: Own cannot travel",
            "declare a model",
        ),
        *described("arbitrary_types_allowed=True"),
    ],
    "from_attributes": described("from_attributes=True"),
    "loc_by_alias": [
        bounded('x: int = Field(ge=0, alias="x")', 1, -1, "loc_by_alias=False"),
    ],
    "validation_error_cause": described("validation_error_cause=True"),
    "validate_assignment": described("validate_assignment=True"),
    "validate_return": described("validate_return=True"),
    "cache_strings": described("cache_strings='none'"),
    "frozen": [Holds(model("x: int", config="frozen=True"), _frozen)],
    "strict": [bounded("x: int", 1, "1", "strict=False", told="expected int, got str '1'")],
    "extra": [
        Holds(model("x: int", config='extra="allow"'), _kept),
        Holds(model('x: int = Field(serialization_alias="out")', config='extra="allow"'), _only_by_its_wire_name),
        Holds(model("x: int", config='extra="forbid"'), _forbidden),
        Holds(model("x: int"), equal(lambda e: (e.take({"x": 1, "y": 2}), e.Thing(x=1)))),
        Holds(settings_of_dataclass('extra="forbid"'), _forbidden),
        Refused(
            settings_of_dataclass('extra="allow"').replace("Thing:", "Thing:  # here"),
            "Thing keeps fields that it does not declare",
            "make it a BaseModel",
        ),
    ],
    "populate_by_name": [
        travels(
            model('name: str = Field(alias="fullName")', config="populate_by_name=True"),
            lambda e: e.Thing(name="x"),
            {"fullName": "x"},
        ),
        travels(
            settings_of_dataclass("populate_by_name=True", '    name: str = Field(alias="fullName")'),
            lambda e: e.Thing(name="x"),
            {"fullName": "x"},
        ),
    ],
    "validate_by_name": [
        travels(
            model('name: str = Field(alias="fullName")', config="validate_by_name=True"),
            lambda e: e.Thing(name="x"),
            {"fullName": "x"},
            since=(2, 11),
        )
    ],
    "validate_by_alias": [
        travels(
            model(
                'a: int = Field(alias="b")',
                'b: int = Field(alias="a")',
                config="validate_by_alias=False, validate_by_name=True",
            ),
            lambda e: e.Thing(a=1, b=2),
            {"b": 1, "a": 2},
            since=(2, 11),
        )
    ],
    "serialize_by_alias": [
        travels(model('x: int = Field(alias="y")', config="serialize_by_alias=True"), lambda e: e.Thing(y=1), {"y": 1}),
        Refused(
            "class Thing(BaseModel):\n    model_config = ConfigDict(serialize_by_alias=False)  # here\n"
            '    x: int = Field(alias="y")',
            "Thing says serialize_by_alias=False, but x is sent by its alias",
            "leave the aliases out",
        ),
    ],
    "alias_generator": [
        travels(model("a: int", config="alias_generator=str.upper"), lambda e: e.Thing(A=1), {"A": 1}),
        travels(
            model(
                "a: int",
                "@computed_field",
                "@property",
                "def b(self) -> int: return 2",
                config="alias_generator=AliasGenerator(validation_alias=str.upper, serialization_alias=str.title)",
            ),
            lambda e: e.Thing(A=1),
            {"A": 1, "B": 2},
        ),
        travels(settings_of_dataclass("alias_generator=str.upper"), lambda e: e.Thing(X=1), {"X": 1}),
        travels(
            settings_of_dataclass(
                "alias_generator=AliasGenerator(validation_alias=lambda name: AliasChoices(AliasPath('p', 0), 'y'))"
            ),
            lambda e: e.Thing(y=1),
            {"x": 1},
        ),
    ],
    "use_enum_values": [
        *(
            Refused(
                COLOUR + text,
                "Thing.x: use_enum_values keeps the values of an enum, but its members are what travels",
                "leave use_enum_values out, or write Literal['r']",
            )
            for text in (
                model("x: Colour  # here", config="use_enum_values=True"),
                model("x: list[Colour | None] = []  # here", config="use_enum_values=True"),
                settings_of_dataclass("use_enum_values=True", "    x: Colour  # here"),
                "class Inner(TypedDict):\n    c: Colour\n" + model("x: Inner  # here", config="use_enum_values=True"),
            )
        ),
        *described("use_enum_values=True"),
    ],
    "json_encoders": [
        Refused(
            model("x: datetime  # here", config="json_encoders={datetime: str}"),
            "Thing.x: json_encoders are not asked when it is sent",
            "give the field the type that travels",
        ),
        *described("json_encoders={datetime: str}"),
    ],
    "ser_json_timedelta": [
        written("ser_json_timedelta='iso8601'", "x: timedelta", "Thing.x: ser_json_timedelta='iso8601' is not"),
        travels(
            model("x: timedelta", config="ser_json_timedelta='float'"),
            lambda e: e.Thing(x=e.timedelta(seconds=1.5)),
            {"x": 1.5},
        ),
        *described("ser_json_timedelta='iso8601'"),
    ],
    "ser_json_temporal": [
        written("ser_json_temporal='milliseconds'", "x: datetime", "a datetime travels as a Date", (2, 12)),
        written("ser_json_temporal='seconds'", "x: list[date]", "a date travels as text in ISO 8601", (2, 12)),
        travels(
            model("x: time", config="ser_json_temporal='iso8601'"), lambda e: e.Thing(x=e.time(1)), {"x": "01:00:00"}
        ),
    ],
    "ser_json_bytes": [
        written("ser_json_bytes='base64'", "x: bytes", "Thing.x: ser_json_bytes='base64' is not followed"),
        *described("ser_json_bytes='base64'"),
    ],
    "ser_json_inf_nan": [
        written("ser_json_inf_nan='null'", "x: float", "inf and nan travel as what they are"),
        travels(
            model("x: float", config="ser_json_inf_nan='constants'"), lambda e: e.Thing(x=float("inf")), {"x": ["inf"]}
        ),
    ],
    "val_json_bytes": [
        travels(
            model("x: bytes", config="val_json_bytes='base64'"), lambda e: e.Thing(x=b"\x00"), {"x": ["bytes", "AA"]}
        )
    ],
    "val_temporal_unit": [
        travels(
            model("x: timedelta", config="val_temporal_unit='milliseconds'"), lambda e: e.Thing(x=e.timedelta(0, 2))
        )
    ],
    "polymorphic_serialization": [
        Refused(
            "class Thing(BaseModel):\n    model_config = ConfigDict(polymorphic_serialization=True)  # here",
            "Thing is serialized with what a subclass adds",
            "leave polymorphic_serialization out",
        )
    ],
    "revalidate_instances": [
        travels(
            "class Inner(BaseModel):\n    x: int\n" + model("x: Inner", config="revalidate_instances='always'"),
            lambda e: e.Thing(x=e.Inner(x=1)),
            {"x": {"x": 1}},
        )
    ],
    "validate_default": [
        Holds(model("x: int = 5", config="validate_default=True"), equal(lambda e: (e.take({}).x, 5)))
    ],
    "allow_inf_nan": [bounded("x: float", 0.5, ["inf"], "allow_inf_nan=False")],
    "coerce_numbers_to_str": [bounded("x: str", "1", 1, "coerce_numbers_to_str=True", told="expected str, got int 1")],
    "str_to_lower": [Holds(model("x: str", config="str_to_lower=True"), _upper)],
    "str_to_upper": [Holds(model("x: str", config="str_to_upper=True"), equal(lambda e: (e.take({"x": "a"}).x, "A")))],
    "str_strip_whitespace": [
        Holds(model("x: str", config="str_strip_whitespace=True"), equal(lambda e: (e.take({"x": " a "}).x, "a"))),
        Holds(
            settings_of_dataclass("str_strip_whitespace=True", "    x: str"),
            equal(lambda e: (e.take({"x": " a "}).x, "a")),
        ),
    ],
    "str_min_length": [bounded("x: str", "ab", "a", "str_min_length=2")],
    "str_max_length": [bounded("x: str", "a", "ab", "str_max_length=1")],
    "regex_engine": [bounded('x: str = Field(pattern="^(?=a)")', "a", "b", "regex_engine='python-re'")],
    "hide_input_in_errors": [
        Holds(model("x: int = Field(ge=0)", config=HIDING), _unshown),
        Holds(settings_of_dataclass(HIDING, "    x: int = Field(ge=0)"), _unshown),
    ],
    "url_preserve_empty_path": described("url_preserve_empty_path=True"),
}
