"""What can stand beside a type in `Annotated`, and the types of pydantic's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tests.gen.pydantic_says.cases import Case, Cases, Holds, Refused, bounded, equal, model, travels

S = "class S(BaseModel):\n    x: int\n"
DATACLASS = "@dataclass\nclass Thing:\n"
SERIALIZER = (
    "Annotated holds a serializer, which sending does not call",
    "give the field the type that travels",
)


def everywhere(mark: str, message: str, hint: str, before: str = "", since: tuple[int, int] = (2, 9)) -> list[Refused]:
    """A type is refused in a model, in a container there, in a pydantic dataclass, behind an alias, in a TypedDict."""
    texts = (
        model(f"x: {mark}  # here"),
        model(f"x: list[{mark} | None] = []  # here"),
        f"{DATACLASS}    x: {mark}  # here",
        f"X: TypeAlias = {mark}\n" + model("x: X  # here"),
        f"class Thing(TypedDict):\n    x: {mark}  # here",
        f"class Thing(RootModel[list[{mark}]]):  # here\n    pass",
    )
    told = "Thing.x: " + message
    found = [Refused(before + text, told, hint, since) for text in texts]
    found[-1] = Refused(before + texts[-1], "Thing.root: " + message, hint, since)
    return found


def checked(mark: str, good: object, bad: object, told: str = "valid") -> list[Holds]:
    return [bounded(f"x: {mark}", good, bad, told=told)]


def of_the_clock(name: str, good: object, bad: object) -> Sequence[Case]:
    """It is checked, also where it is not pydantic that does it."""
    return [
        *checked(name, good, bad),
        Holds(
            f"class Thing(TypedDict):\n    x: {name}",
            lambda e: (e.back(e.take({"x": good})), e.refusal({"x": bad})),
        ),
    ]


def since(version: tuple[int, int], found: list[Holds]) -> list[Holds]:
    return [replace(case, since=version) for case in found]


def plain(mark: str, good: object) -> list[Holds]:
    return [travels(model(f"x: {mark}"), lambda e: e.take({"x": good}), {"x": good})]


def unlike_its_type(mark: str, before: str = "") -> Sequence[Case]:
    return [
        Refused(
            before + model(f"x: Annotated[int, {mark}]  # here"),
            "Thing.x: pydantic takes str here, which is not the type that is declared",
            "declare the type that travels",
        )
    ]


OWN = """
class Own:
    def __get_pydantic_core_schema__(self, source, handler):
        return core_schema.no_info_after_validator_function(int, core_schema.str_schema())
class Shouting:
    def __get_pydantic_core_schema__(self, source, handler):
        return {**handler(source), "serialization": core_schema.plain_serializer_function_ser_schema(str)}
class Even:
    def __get_pydantic_core_schema__(self, source, handler):
        return core_schema.no_info_after_validator_function(self.check, handler(source))
    def check(self, value):
        assert value % 2 == 0
        return value
"""
ENCODER = "class Rot:\n    encode = decode = get_json_format = staticmethod(lambda value: value)\n"
JSON = "Json is text before validation and a value after it: the value would be sent, and text expected"
BYTES = "encoded bytes take text and hold what it stands for"
TEXT = "an encoded text takes one form and holds another"
LONG_AGO, LATER = "2000-01-01", "2900-01-01"

RANDOM = "16fd2706-8baf-433b-82eb-8c7fada847da"

CASES: Cases = {
    "PlainSerializer": everywhere("Annotated[str, PlainSerializer(lambda v: v[-4:])]", *SERIALIZER),
    "WrapSerializer": everywhere("Annotated[str, WrapSerializer(lambda v, h: h(v)[-4:])]", *SERIALIZER),
    "SerializeAsAny": everywhere("SerializeAsAny[S]", "SerializeAsAny sends what a subclass adds", "write a union", S),
    "BeforeValidator": [
        Holds(model("x: Annotated[int, BeforeValidator(abs)]"), equal(lambda e: (e.take({"x": -1}).x, 1)))
    ],
    "AfterValidator": [
        Holds(model("x: Annotated[int, AfterValidator(abs)]"), equal(lambda e: (e.take({"x": -1}).x, 1))),
        Refused(
            "class Thing(TypedDict):\n    x: Annotated[int, AfterValidator(abs)]  # here",
            "Thing.x: Annotated says what nothing would check here",
            "put it on a field of a pydantic model",
        ),
    ],
    "WrapValidator": [
        Holds(
            model("x: Annotated[int, WrapValidator(lambda v, h: h(v) + 1)]"), equal(lambda e: (e.take({"x": 1}).x, 2))
        )
    ],
    "PlainValidator": [
        Holds(model("x: Annotated[int, PlainValidator(abs)]"), equal(lambda e: (e.take({"x": -1}).x, 1))),
        *checked("Annotated[int, PlainValidator(int)]", 1, "1", "expected int, got str '1'"),
    ],
    "SkipValidation": [
        *checked("SkipValidation[int]", 1, "1", "expected int, got str '1'"),
        Refused(model("x: SkipValidation[Json[int]]  # here"), f"Thing.x: {JSON}", "leave Json out"),
    ],
    "InstanceOf": [travels(S + model("x: InstanceOf[S]"), lambda e: e.Thing(x=e.S(x=1)), {"x": {"x": 1}})],
    "ValidateAs": everywhere(
        "Annotated[S, ValidateAs(int, lambda x: S(x=x))]",
        "ValidateAs takes another type than it holds",
        "declare the type that travels",
        S,
        (2, 12),
    ),
    "experimental.pipeline": [
        *unlike_its_type("validate_as(str).transform(int)", "from pydantic.experimental.pipeline import validate_as\n"),
        Holds(
            "from pydantic.experimental.pipeline import validate_as\n"
            + model("x: Annotated[int, validate_as(int).transform(abs)]"),
            equal(lambda e: (e.take({"x": -1}).x, 1)),
        ),
    ],
    "GetPydanticSchema": [
        *unlike_its_type("GetPydanticSchema(lambda source, handler: core_schema.str_schema())"),
        *checked("Annotated[int, GetPydanticSchema(lambda source, handler: core_schema.int_schema(ge=0))]", 1, -1),
    ],
    "__get_pydantic_core_schema__": [
        *unlike_its_type("Own()", OWN),
        Refused(
            OWN + model("x: list[Annotated[int, Own()]]  # here"),
            "Thing.x: pydantic takes str here",
            "declare the type that travels",
        ),
        Refused(
            OWN + model("x: dict[str, Annotated[int, Shouting()]]  # here"),
            "Thing.x: its type brings a serializer, which sending does not call",
            "give the field the type that travels",
        ),
        Holds(
            OWN + model("x: Annotated[int, Even()]"),
            lambda e: (e.back(e.Thing(x=2)), e.refusal({"x": 1})),
        ),
    ],
    "Discriminator": [
        travels(
            "class A(BaseModel):\n    kind: Literal['a'] = 'a'\nclass B(BaseModel):\n    kind: Literal['b'] = 'b'\n"
            + model(
                "x: Annotated[Annotated[A, Tag('a')] | Annotated[B, Tag('b')], Discriminator(lambda v: v.kind)]",
                "y: Annotated[A | B, Discriminator('kind')]",
            ),
            lambda e: e.Thing(x=e.B(), y=e.A()),
            {"x": {"kind": "b"}, "y": {"kind": "a"}},
        )
    ],
    "Strict": checked("Annotated[int, Strict(False)]", 1, "1", "expected int, got str '1'"),
    "StringConstraints": [
        Holds(
            model("x: Annotated[str, StringConstraints(strip_whitespace=True, to_upper=True)]"),
            equal(lambda e: (e.take({"x": " a"}).x, "A")),
        ),
        *checked("Annotated[str, StringConstraints(max_length=1)]", "a", "ab"),
    ],
    "AllowInfNan": checked("Annotated[float, AllowInfNan(False)]", 0.5, ["nan"]),
    "FailFast": checked("Annotated[list[Annotated[int, Field(ge=0)]], FailFast()]", [[1]], [[-1]]),
    "WithJsonSchema": plain("Annotated[int, WithJsonSchema({'type': 'string'})]", 1),
    "annotated_types": [
        *checked("Annotated[int, annotated_types.Interval(ge=0, lt=3)]", 2, 3),
        *checked("Annotated[list[int], annotated_types.Len(1, 2)]", [[1]], [[]]),
        *checked("Annotated[int, annotated_types.MultipleOf(2)]", 2, 3),
        *checked("annotated_types.LowerCase[str]", "a", "A"),
        *checked("Annotated[int, annotated_types.Predicate(bool)]", 1, 0),
    ],
    "OnErrorOmit": [
        Refused(
            model("x: list[OnErrorOmit[Annotated[int, Field(ge=0)]]]  # here"),
            "Thing.x: OnErrorOmit leaves out what is not of its type",
            "leave OnErrorOmit out",
        )
    ],
    "MISSING": [
        Refused(
            "from pydantic.experimental.missing_sentinel import MISSING\n"
            + model("x: int | MISSING = MISSING  # here"),
            "Thing.x: MISSING",
            "write",
            since=(2, 12),
        )
    ],
    "Json": [
        *everywhere("Json[list[int]]", JSON, "leave Json out: the type travels as it is"),
        Refused(model("x: Json[Any]  # here"), f"Thing.x: {JSON}", "leave Json out"),
        Refused(model("x: Json  # here"), "Thing.x: Json cannot travel", "write the type that the text stands for"),
    ],
    "Base64Bytes": everywhere("Base64Bytes", BYTES, "write bytes"),
    "Base64Str": everywhere("Base64Str", TEXT, "write str"),
    "Base64UrlBytes": everywhere("Base64UrlBytes", BYTES, "write bytes"),
    "Base64UrlStr": everywhere("Base64UrlStr", TEXT, "write str"),
    "EncodedBytes": everywhere("Annotated[bytes, EncodedBytes(encoder=Rot)]", BYTES, "write bytes", ENCODER),
    "EncodedStr": everywhere("Annotated[str, EncodedStr(encoder=Rot)]", TEXT, "write str", ENCODER),
    "ImportString": [
        Refused(model("x: ImportString  # here"), "Thing.x: ImportString cannot travel", "must not be imported"),
        Refused(model("x: ImportString[Any]  # here"), "Thing.x: ImportString takes a text", "must not be imported"),
    ],
    "ByteSize": [Refused(model("x: ByteSize  # here"), "Thing.x: ByteSize cannot travel", "write int")],
    "PaymentCardNumber": [
        Refused(model("x: PaymentCardNumber  # here"), "Thing.x: PaymentCardNumber cannot travel", "write str")
    ],
    "Secret": [Refused(model("x: Secret[int]  # here"), "cannot travel", "write that of capnweb_runtime.schema")],
    "PastDate": of_the_clock("PastDate", LONG_AGO, LATER),
    "FutureDate": of_the_clock("FutureDate", LATER, LONG_AGO),
    "PastDatetime": of_the_clock("PastDatetime", ["date", 0], ["date", 1e14]),
    "FutureDatetime": of_the_clock("FutureDatetime", ["date", 1e14], ["date", 0]),
    "NaiveDatetime": plain("NaiveDatetime", "2024-01-31T12:30:00.000001"),
    "PositiveInt": checked("PositiveInt", 1, 0),
    "NegativeInt": checked("NegativeInt", -1, 0),
    "NonNegativeInt": checked("NonNegativeInt", 0, -1),
    "NonPositiveInt": checked("NonPositiveInt", 0, 1),
    "PositiveFloat": checked("PositiveFloat", 1.5, -1.5),
    "NegativeFloat": checked("NegativeFloat", -1.5, 1.5),
    "NonNegativeFloat": checked("NonNegativeFloat", 1.5, -1.5),
    "NonPositiveFloat": checked("NonPositiveFloat", -1.5, 1.5),
    "FiniteFloat": checked("FiniteFloat", 0.5, ["-inf"]),
    "conint": checked("conint(ge=1)", 1, 0),
    "confloat": checked("confloat(ge=1)", 1.5, 0.5),
    "condecimal": checked("condecimal(ge=1)", "1.5", "0.5"),
    "constr": checked("constr(min_length=1)", "a", ""),
    "conbytes": checked("conbytes(min_length=1)", ["bytes", "AA"], ["bytes", ""]),
    "conlist": checked("conlist(int, min_length=1)", [[1]], [[]]),
    "conset": checked("conset(int, min_length=1)", [[1]], [[]]),
    "confrozenset": checked("confrozenset(int, min_length=1)", [[1]], [[]]),
    "condate": checked("condate(ge=date(2024, 1, 1))", "2024-01-01", "2023-01-01"),
    "StrictInt": checked("StrictInt", 1, "1", "expected int, got str '1'"),
    "StrictFloat": checked("StrictFloat", 0.5, "1", "expected float, got str '1'"),
    "StrictBool": checked("StrictBool", True, 1, "expected bool, got int 1"),
    "StrictStr": checked("StrictStr", "a", 1, "expected str, got int 1"),
    "StrictBytes": checked("StrictBytes", ["bytes", "AA"], "a", "expected bytes, got str 'a'"),
    "UUID1": checked("UUID1", "a6cc5730-2261-11ee-9c43-2eb5a363657c", RANDOM),
    "UUID3": checked("UUID3", "6fa459ea-ee8a-3ca4-894e-db77e160355e", RANDOM),
    "UUID4": checked("UUID4", RANDOM, "6fa459ea-ee8a-3ca4-894e-db77e160355e"),
    "UUID5": checked("UUID5", "886313e1-3b8a-5372-9b90-0c9aee199e5d", RANDOM),
    "UUID6": since((2, 10), checked("UUID6", "1efea953-c2d6-6790-aa0a-69db8c87df97", RANDOM)),
    "UUID7": since((2, 10), checked("UUID7", "0194fdcb-1c47-7a09-b52c-561154de0b4a", RANDOM)),
    "UUID8": since((2, 10), checked("UUID8", "320c3d4d-cc00-875b-8ec9-32d5f69181c0", RANDOM)),
}
