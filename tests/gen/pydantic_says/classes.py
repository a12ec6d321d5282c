"""What decorators, bases and the body of a class can say."""

from __future__ import annotations

import pytest

from capnweb_runtime.core.evaluate import Evaluator
from capnweb_runtime.core.loopback import Loopback
from capnweb_runtime.core.mismatch import Mismatch
from tests.gen.pydantic_says.cases import Cases, Ends, Holds, Refused, equal, model, travels
from tests.runtime.pair import SyncHost

DATACLASS = "@dataclass\nclass Thing:\n"


def validator(*lines: str) -> list[Holds]:
    """A validator that turns a negative `x` into a positive one, in a model and in a pydantic dataclass."""
    body = "".join(f"    {line}\n" for line in ("x: int", "y: int = 0", *lines))
    check = equal(lambda e: ((e.take({"x": -1}).x, e.take({"x": -1, "y": 1}).x), (1, 1)))
    return [Holds("class Thing(BaseModel):\n" + body, check), Holds(DATACLASS + body, check)]


def only_model(found: list[Holds]) -> list[Holds]:
    return found[:1]


def serializer(*lines: str, message: str, hint: str) -> list[Refused]:
    body = "".join(f"    {line}\n" for line in ("x: int", *lines))
    return [
        Refused(head + body, message, hint)
        for head in ("class Thing(BaseModel):\n", DATACLASS, "class Base(BaseModel):\n    pass\nclass Thing(Base):\n")
    ]


def adder(line: str, used: str = "") -> str:
    """An interface with a method that takes its parameters from a model with this line."""
    return (
        "from capnweb_runtime.schema import InterfaceModel, Method\nclass Thing(BaseModel): pass\n"
        f"class Add(BaseModel):\n    {line}\nclass Adder(InterfaceModel):\n    add: Method[Add, int]{used}"
    )


def _private(e: Ends) -> None:
    thing = e.Thing(x=1)
    thing._seen = 5
    assert e.send(thing) == {"x": 1}
    assert (e.back(thing)._seen, e.take({"x": 1, "_seen": 7})._seen) == (0, 0)


def _computed(e: Ends) -> None:
    assert e.send(e.Thing(x=1)) == {"x": 1, "double": 2, "triple": 3, "Four": 4}
    assert e.back(e.Thing(x=1)).double == e.take({"x": 1, "double": 9}).double == 2


def _extra(e: Ends) -> None:
    assert e.send(e.back(e.Thing(a=1))) == {"a": 1}
    assert e.refusal({"a": "1"}).startswith("it.a: expected a valid value")


def _root(e: Ends) -> None:
    assert e.send(e.Thing([1])) == [[1]]
    assert e.back(e.Thing([1])) == e.Thing([1])
    assert "valid" in e.refusal([[]])


def _parameters(e: Ends) -> None:
    arguments = e.generated.AdderSpec.add.params
    source = Evaluator(Loopback(SyncHost()))
    assert arguments.decode([1], source) == ([1], {})
    with pytest.raises(Mismatch):
        arguments.decode([-1], source)


COMPUTED = (
    *("x: int", "@computed_field", "@property", "def double(self) -> int: return self.x * 2"),
    *("@computed_field", "@cached_property", "def triple(self) -> int: return self.x * 3"),
    *("@computed_field(alias='Four')", "@property", "def four(self) -> int: return self.x * 4"),
)

CASES: Cases = {
    "field_validator": [
        *validator("@field_validator('x')", "@classmethod", "def check(cls, value): return abs(value)"),
        *validator("@field_validator('x', mode='before')", "@classmethod", "def check(cls, value): return abs(value)"),
        *validator("@field_validator('x', mode='plain')", "@classmethod", "def check(cls, value): return abs(value)"),
        *validator(
            "@field_validator('*', mode='wrap')", "@classmethod", "def check(cls, v, handler): return abs(handler(v))"
        ),
    ],
    "model_validator": [
        *only_model(
            validator(
                "@model_validator(mode='before')",
                "@classmethod",
                "def check(cls, data): return {**data, 'x': abs(data['x'])}",
            )
        ),
        *only_model(
            validator(
                "@model_validator(mode='wrap')",
                "@classmethod",
                "def check(cls, data, handler): return handler({**data, 'x': abs(data['x'])})",
            )
        ),
        *validator("@model_validator(mode='after')", "def check(self):", "    self.x = abs(self.x)", "    return self"),
    ],
    "validator": validator("@pydantic.validator('x')", "@classmethod", "def check(cls, value): return abs(value)"),
    "root_validator": only_model(
        validator(
            "@pydantic.root_validator(pre=True)",
            "@classmethod",
            "def check(cls, data): return {**data, 'x': abs(data['x'])}",
        )
    ),
    "validate_call": [
        travels(model("x: int", "@validate_call", "def more(self, by: int) -> int: return by"), lambda e: e.Thing(x=1))
    ],
    "field_serializer": serializer(
        *("@field_serializer('x')", "def text(self, value: int) -> str:  # here", "    return str(value)"),
        message="Thing.text is a field serializer, which sending a model does not call",
        hint="give the field the type that travels",
    ),
    "model_serializer": serializer(
        *("@model_serializer", "def text(self) -> str:  # here", "    return ''"),
        message="Thing.text is a model serializer, which sending a model does not call",
        hint="declare the fields as they travel",
    ),
    "computed_field": [
        Holds(model(*COMPUTED), _computed),
        Holds(DATACLASS + "".join(f"    {line}\n" for line in COMPUTED), _computed),
        Refused(
            model(
                "x: int",
                "@computed_field",
                "@property",
                "def y(self) -> Annotated[int, PlainSerializer(str)]: return 1  # here",
            ),
            "Thing.y: Annotated holds a serializer",
            "give the field the type that travels",
        ),
        Refused(
            model("@computed_field(exclude_if=bool)", "@property", "def y(self) -> int: return 1  # here"),
            "Thing.y is excluded from serialization where `exclude_if` says so",
            "leave out `exclude_if`",
            since=(2, 14),
        ),
    ],
    "PrivateAttr": [Holds(model("x: int", "_seen: int = PrivateAttr(default=0)"), _private)],
    "model_post_init": [
        Holds(
            model("x: int", "def model_post_init(self, context: Any) -> None: self.x = abs(self.x)"),
            equal(lambda e: ((e.take({"x": -1}).x, e.take({"x": -1}).x), (1, 1))),
        )
    ],
    "__init__": [
        Holds(
            model("x: int", "def __init__(self, **data: Any) -> None: super().__init__(**data | {'x': 5})"),
            equal(lambda e: ((e.take({"x": 1}).x, e.take({"x": 1}).x), (5, 5))),
        )
    ],
    "__post_init__": [
        Holds(
            DATACLASS + "    x: int\n    def __post_init__(self) -> None: self.x = abs(self.x)",
            equal(lambda e: (e.take({"x": -1}).x, 1)),
        )
    ],
    "ClassVar": [travels(model("x: int", "of_all: ClassVar[int] = 3"), lambda e: e.Thing(x=1), {"x": 1})],
    "Final": [travels(model("x: Final[int]"), lambda e: e.Thing(x=1), {"x": 1})],
    "__pydantic_extra__": [
        Holds(model("__pydantic_extra__: dict[str, int]", config='extra="allow"'), _extra),
        Refused(
            "class Inner(BaseModel): pass\n"
            + model("__pydantic_extra__: dict[str, Inner]  # here", config='extra="allow"'),
            "the extra fields of Thing have a type, but travel as any value",
            "write dict[str, Any]",
        ),
    ],
    "RootModel": [
        Holds("class Thing(RootModel[Annotated[list[int], Field(min_length=1)]]):\n    pass", _root),
        Refused(
            "class Colour(Enum):\n    RED = 'r'\n"
            "class Thing(RootModel[Colour]):  # here\n    model_config = ConfigDict(use_enum_values=True)",
            "Thing.root: use_enum_values keeps the values",
            "write Literal['r']",
        ),
    ],
    "Generic": [
        travels(
            "T = TypeVar('T')\nclass Box(BaseModel, Generic[T]):\n    item: T = Field(alias='I')\n"
            + model("box: Box[int]"),
            lambda e: e.Thing(box=e.Box[int](I=1)),
            {"box": {"I": 1}},
        ),
        Refused(
            "T = TypeVar('T')\nclass Box(BaseModel, Generic[T]):\n"
            "    item: Annotated[T, PlainSerializer(str)]  # here\n" + model("x: Box[int]"),
            "BoxInt.item: Annotated holds a serializer",
            "give the field the type that travels",
        ),
    ],
    "dataclass": [
        travels(DATACLASS + "    x: int = Field(ge=0)\n    y: str = 'a'", lambda e: e.Thing(1), {"x": 1, "y": "a"}),
        Holds(
            DATACLASS + "    x: int = Field(ge=0)",
            equal(lambda e: (e.refusal({"x": -1})[:30], "it.x: expected a valid value (")),
        ),
        travels(
            DATACLASS.replace("Thing", "Base") + "    x: int = Field(alias='X')\nclass Thing(Base):\n    pass",
            lambda e: e.Thing(X=1),
            {"X": 1},
        ),
        travels(
            DATACLASS.replace("Thing", "Inner") + "    x: int = Field(alias='X')\n" + model("inner: list[Inner]"),
            lambda e: e.Thing(inner=[e.Inner(X=1)]),
            {"inner": [[{"X": 1}]]},
        ),
        travels(
            "T = TypeVar('T')\n@dataclass\nclass Box(Generic[T]):\n    item: T = Field(alias='I')\n"
            + model("box: Box[int]"),
            lambda e: e.Thing(box=e.Box(I=1)),
            {"box": {"I": 1}},
        ),
        *(
            Refused(
                f"import dataclasses\n{head}Thing{base}:\n    x: int = Field(default=1, alias='X')  # here",
                "Thing.x has Field(...) as its default, which only pydantic reads",
                "use dataclass from pydantic.dataclasses",
            )
            for head, base in (("@dataclasses.dataclass\nclass ", ""), ("class ", "(NamedTuple)"))
        ),
        Refused(
            "import capnweb_runtime.schema as rpc\n@dataclass\nclass Thing:\n    x: int\n"
            "@dataclass\nclass Gone(Exception):\n    x: int = 0\n"
            "class Raising(Protocol):\n    @rpc.raises(Gone)  # here\n    async def go(self) -> None: ...",
            "Gone is a pydantic dataclass, but one that arrives is not validated",
            "use dataclass of dataclasses",
        ),
    ],
    "with_config": [
        Refused(
            "@with_config(ConfigDict(extra='forbid'))\nclass Thing(TypedDict):  # here\n    x: int",
            "Thing says extra='forbid', which only pydantic follows",
            "make Thing a pydantic model",
        ),
        travels(
            "@with_config(ConfigDict(title='T'))\nclass Thing(TypedDict):\n    x: int", lambda e: {"x": 1}, {"x": 1}
        ),
    ],
    "create_model": [
        travels("Thing = create_model('Thing', x=(int, ...))", lambda e: e.Thing(x=1), {"x": 1}),
        Refused(
            "Made = create_model('Other', x=(int, ...))\nclass Thing(BaseModel):\n    x: Made  # here",
            "the class Other cannot be imported from",
            "declare it at the top level of its module, under a name that nothing else there has",
        ),
    ],
    "InterfaceModel": [
        Holds(adder("x: Annotated[int, Field(ge=0, alias='X', title='how many')]"), _parameters),
        *(
            Refused(adder(line, used), message, hint)
            for line, used, message, hint in (
                (
                    "x: Annotated[int, PlainSerializer(str)]  # here",
                    "",
                    "Annotated holds a serializer",
                    "give the field",
                ),
                (
                    "x: int = Field(default=0, exclude=True)  # here",
                    "",
                    "Add.x is excluded from serialization",
                    "leave it out",
                ),
                (
                    "x: int = Field(serialization_alias='y')  # here",
                    "",
                    "Add.x has another alias when it is sent",
                    "use `alias`",
                ),
                (
                    "model_config = ConfigDict(str_to_lower=True)\n    x: str",
                    "  # here",
                    "Add says str_to_lower=True, but no Add is ever made",
                    "say it with the field",
                ),
            )
        ),
    ],
}
