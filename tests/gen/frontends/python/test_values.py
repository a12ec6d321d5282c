"""Types of values that libraries declare: what they become, and with what words the others are refused."""

from __future__ import annotations

import collections
import ipaddress
import pathlib
import re
from datetime import datetime
from typing import Annotated, Any

import pydantic
import pydantic.networks
import pytest

from capnweb_gen import ir
from capnweb_gen.errors import UnsupportedTypeError
from capnweb_gen.frontends.python import values
from capnweb_runtime.schema import Microseconds
from tests.gen.conftest import Compile

DATE, DATETIME = ir.Scalar(name="date"), ir.Scalar(name="datetime")


class OwnUrl(pydantic.AnyUrl):
    """A URL of a schema's own."""


def text(module: str, name: str, written: str) -> ir.TextShape:
    return ir.TextShape(type=ir.Reference(module=module, name=name), format=written)


@pytest.mark.parametrize(
    ("annotation", "shape"),
    [
        (pydantic.AwareDatetime, DATETIME),
        (pydantic.NaiveDatetime, ir.Scalar(name="local_datetime")),
        (pydantic.JsonValue, ir.Scalar(name="json")),
        (pydantic.PastDate, ir.ConstrainedShape(item=DATE, when="past")),
        (pydantic.FutureDatetime, ir.ConstrainedShape(item=DATETIME, when="future")),
        (ipaddress.IPv4Address, text("ipaddress", "IPv4Address", "ipv4")),
        (ipaddress.IPv6Network, text("ipaddress", "IPv6Network", "ipv6network")),
        (pathlib.Path, text("pathlib", "Path", "path")),  # whose module is another on newer Pythons
        (pydantic.HttpUrl, text("pydantic", "HttpUrl", "uri")),
        (pydantic.PostgresDsn, text("pydantic", "PostgresDsn", "uri")),
        (OwnUrl, text(__name__, "OwnUrl", "uri")),
        (int, None),
        (collections.Counter, None),
        (type(pydantic.AnyUrl("http://a/"))("http://a/"), None),  # a URL is no type
        ([], None),
    ],
)
def test_types_of_libraries_have_shapes(annotation: object, shape: ir.TypeShape | None) -> None:
    assert values.value_shape(annotation, checked=False) == shape


def test_a_pydantic_model_looks_at_the_clock_itself() -> None:
    assert values.value_shape(pydantic.PastDate, checked=True) == DATE


def test_an_email_address_needs_what_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise ImportError("email-validator is not installed")

    monkeypatch.setattr(pydantic.networks, "import_email_validator", missing)
    with pytest.raises(UnsupportedTypeError) as caught:
        values.value_shape(pydantic.EmailStr, checked=False)
    assert caught.value.reason == "EmailStr needs the package email-validator"
    assert "pip install 'pydantic[email]'" in caught.value.hint
    monkeypatch.setattr(pydantic.networks, "import_email_validator", lambda: None)
    assert values.value_shape(pydantic.EmailStr, checked=False) == text("pydantic", "EmailStr", "email")


@pytest.mark.parametrize(
    ("annotation", "reason", "hint"),
    [
        (pydantic.SecretStr, "SecretStr cannot travel: it would be sent in the clear", "write Secret[str] of"),
        (pydantic.Secret[int], "Secret[int] cannot travel: it would be sent in the clear", "write that of capnweb"),
        (pydantic.Secret, "Secret cannot travel: it would be sent in the clear", "write that of capnweb"),
        (collections.Counter[str], "Counter[str] cannot travel", "write dict[str, int]"),
        (re.Pattern, "Pattern cannot travel", "write str"),
        (pydantic.ByteSize, "ByteSize cannot travel", "write int"),
    ],
)
def test_what_people_may_well_write_is_refused_with_a_hint(annotation: object, reason: str, hint: str) -> None:
    refused = values.refused_value(annotation)
    assert refused is not None
    assert refused.reason.startswith(reason)
    assert refused.hint.startswith(hint)


def test_of_other_types_nothing_is_known() -> None:
    assert values.refused_value(OwnUrl) is None
    assert values.refused_value([]) is None


@pytest.mark.parametrize(
    ("handling", "shape"),
    [
        ("round", ir.ConstrainedShape(item=DATETIME, microseconds="round")),
        ("refuse", ir.ConstrainedShape(item=DATETIME, microseconds="refuse")),
        ("keep", ir.Scalar(name="exact_datetime")),
    ],
)
def test_a_schema_says_what_becomes_of_microseconds(handling: Any, shape: ir.TypeShape) -> None:
    assert values.with_microseconds(DATETIME, ["a note", Microseconds(handling)]) == shape
    assert values.with_microseconds(ir.OptionalShape(item=DATETIME), [Microseconds(handling)]) == ir.OptionalShape(
        item=shape
    )
    assert values.with_microseconds(DATETIME, ["a note"]) == DATETIME


def test_what_is_said_of_microseconds_has_to_have_a_meaning() -> None:
    wrong: Any = "drop"
    with pytest.raises(UnsupportedTypeError, match="says nothing that is known"):
        values.with_microseconds(DATETIME, [Microseconds(wrong)])
    with pytest.raises(UnsupportedTypeError, match="is said of no datetime"):
        values.with_microseconds(DATE, [Microseconds("keep")])


def test_pydantic_makes_nothing_of_what_is_said_of_microseconds() -> None:
    class Event(pydantic.BaseModel):
        at: Annotated[datetime, Microseconds("refuse")]

    now = datetime(2024, 1, 1)
    assert Event.model_validate({"at": now}, strict=True).at == now


def test_an_address_in_a_schema_compiles_where_it_can_be_read(
    compile_text: Compile, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = "from pydantic import EmailStr\nclass Api(Protocol):\n    def to(self, who: EmailStr) -> EmailStr: ...\n"
    monkeypatch.setattr(pydantic.networks, "import_email_validator", lambda: None)
    text = compile_text(schema).files["api.py"]
    assert "EMAIL_STR = rpc.format_of(EmailStr)" in text
    assert "def to(self, who: EmailStr | rpc.RpcPromise[EmailStr]) -> rpc.RpcPromise[EmailStr]:" in text
