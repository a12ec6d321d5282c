"""Schemas at random: their source, and values of the types in them.

Rule: only forms that the compiler accepts, combined as deeply as it accepts them. A value is made once the schema has
been imported, because it may be of a model of that schema.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

from hypothesis import strategies as st

from capnweb_runtime.values import FORBIDDEN_KEYS

Values = Callable[[ModuleType], st.SearchStrategy[Any]]

# A peer's numbers are doubles, and its texts whole characters.
_INTEGERS = st.integers(-(2**53) + 1, 2**53 - 1)
_FLOATS = st.floats(allow_nan=False, allow_infinity=False)
_TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
# What JavaScript objects inherit is dropped from objects, and so is toJSON.
_KEYS = _TEXTS.filter(lambda key: key not in FORBIDDEN_KEYS)
_TIMES = st.datetimes(datetime(1970, 1, 2), datetime(9000, 1, 1), timezones=st.just(UTC))


@dataclass(frozen=True)
class Form:
    """A type as it is written, and what its values are."""

    text: str
    values: Values

    @property
    def is_optional(self) -> bool:
        """Whether None is already one of its values."""
        return "None" in self.text.rpartition("]")[2]


@dataclass(frozen=True)
class Method:
    """A method; each parameter has a form, and tells whether it is passed by keyword and has a default."""

    name: str
    parameters: tuple[tuple[str, Form, bool, bool], ...]
    result: Form

    @property
    def text(self) -> str:
        """The declaration."""
        written = ["self"]
        plain = [parameter for parameter in self.parameters if not parameter[2]]
        for name, form, _, optional in sorted(plain, key=lambda parameter: parameter[3]):
            written.append(f"{name}: {form.text}" + (" = None" if optional else ""))
        keywords = [parameter for parameter in self.parameters if parameter[2]]
        written += ["*"] if keywords else []
        for name, form, _, optional in keywords:
            written.append(f"{name}: {form.text}" + (" = None" if optional else ""))
        return f"    async def {self.name}({', '.join(written)}) -> {self.result.text}: ...\n"


@dataclass(frozen=True)
class RandomSchema:
    """A schema of one interface, Api, its models, and the capabilities in them, which are all of the interface Item."""

    models: tuple[str, ...]
    methods: tuple[Method, ...]
    case: str
    model_forms: tuple[Form, ...] = ()

    @property
    def text(self) -> str:
        """The source."""
        imports = (
            "from datetime import datetime\nfrom typing import Literal, Protocol\n\nfrom pydantic import BaseModel\n\n"
            "from capnweb_runtime.schema import Capability\n"
        )
        item = "class Item(Protocol):\n    async def number(self) -> int: ...\n"
        models = "".join(f"\n\n{model}" for model in self.models)
        methods = "".join(method.text for method in self.methods)
        return f'{imports}\nWIRE_CASE = "{self.case}"\n\n\n{item}{models}\n\nclass Api(Protocol):\n{methods}'


def _scalar(text: str, values: st.SearchStrategy[Any]) -> Form:
    return Form(text, lambda module: values)


SCALARS = (
    _scalar("int", _INTEGERS),
    _scalar("float", _FLOATS),
    _scalar("bool", st.booleans()),
    _scalar("str", _TEXTS),
    _scalar("bytes", st.binary(max_size=40)),
    _scalar("datetime", _TIMES.map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000))),
    _scalar("None", st.none()),
    _scalar('Literal["a", "b", 3, True]', st.sampled_from(["a", "b", 3, True])),
    _scalar("int | str", _INTEGERS | _TEXTS),
    _scalar("bytes | bool | str", st.binary(max_size=9) | st.booleans() | _TEXTS),
)


def _items(module: ModuleType) -> st.SearchStrategy[Any]:
    """Targets; the module that has their class is imported by now."""
    generated = sys.modules[module.__name__.replace("_schemas.", "_generated.")]
    target = type("Item", (generated.ItemTarget,), {"number": lambda self: self.held})

    def make(held: int) -> Any:
        made = target()
        made.held = held
        return made

    return _INTEGERS.map(make)


CAPABILITY = Form("Capability[Item]", _items)


def _list(item: Form) -> Form:
    return Form(f"list[{item.text}]", lambda module: st.lists(item.values(module), max_size=4))


def _dict(item: Form) -> Form:
    return Form(f"dict[str, {item.text}]", lambda module: st.dictionaries(_KEYS, item.values(module), max_size=4))


def _tuple(items: list[Form]) -> Form:
    text = ", ".join(item.text for item in items)
    return Form(f"tuple[{text}]", lambda module: st.tuples(*(item.values(module) for item in items)))


def _optional(item: Form) -> Form:
    if item.is_optional:
        return item
    return Form(f"{item.text} | None", lambda module: st.none() | item.values(module))


def forms(known: list[Form]) -> st.SearchStrategy[Form]:
    """Types made of scalars and of models that are known by now."""
    leaves = st.sampled_from([*SCALARS, CAPABILITY, *known])
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            inner.map(_list),
            inner.map(_dict),
            inner.map(_optional),
            st.lists(inner, min_size=1, max_size=3).map(_tuple),
        ),
        max_leaves=4,
    )


@st.composite
def _model(draw: st.DrawFn, index: int, known: list[Form]) -> tuple[str, Form]:
    """The source of a model, and it as a type."""
    fields = draw(st.lists(st.tuples(forms(known), st.booleans()), max_size=4))
    fields = [(_optional(form) if defaults else form, defaults) for form, defaults in fields]
    name = f"Model{index}"
    lines = [f"    field_{n}: {form.text}{' = None' if default else ''}" for n, (form, default) in enumerate(fields)]
    text = f"class {name}(BaseModel):\n" + ("\n".join(lines) or "    pass") + "\n"

    def values(module: ModuleType) -> st.SearchStrategy[Any]:
        return st.builds(
            getattr(module, name), **{f"field_{n}": form.values(module) for n, (form, _) in enumerate(fields)}
        )

    return text, Form(name, values)


@st.composite
def schemas(draw: st.DrawFn) -> RandomSchema:
    """A schema."""
    known: list[Form] = []
    texts: list[str] = []
    for index in range(draw(st.integers(0, 3))):
        text, form = draw(_model(index, known))
        known.append(form)
        texts.append(text)
    methods: list[Method] = []
    for number in range(draw(st.integers(1, 4))):
        parameters: list[tuple[str, Form, bool, bool]] = []
        for n in range(draw(st.integers(0, 4))):
            keyword, optional = draw(st.booleans()), draw(st.booleans())
            form = draw(forms(known))
            parameters.append((f"value_{n}", _optional(form) if optional else form, keyword, optional))
        methods.append(Method(f"method_{number}", tuple(parameters), draw(forms(known))))
    case = draw(st.sampled_from(["as-written", "camel"]))
    return RandomSchema(tuple(texts), tuple(methods), case, tuple(known))
