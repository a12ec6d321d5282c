"""Codecs of types whose values are texts with rules, both ways, and the words with which they refuse."""

from __future__ import annotations

from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any

import pydantic.networks
import pytest
from pydantic import AnyUrl, HttpUrl, MongoDsn, NameEmail, PostgresDsn

from capnweb_runtime import codegen_api as rpc
from tests.runtime.codec_ends import decode, encode, refusal


class OwnUrl(AnyUrl):
    """A URL of an application's own."""


FORMS: list[tuple[Any, Any, str]] = [
    (IPv4Address, IPv4Address("192.0.2.1"), "192.0.2.1"),
    (IPv6Address, IPv6Address("2001:db8::1"), "2001:db8::1"),
    (IPv4Interface, IPv4Interface("192.0.2.1/24"), "192.0.2.1/24"),
    (IPv6Interface, IPv6Interface("2001:db8::1/64"), "2001:db8::1/64"),
    (IPv4Network, IPv4Network("192.0.2.0/24"), "192.0.2.0/24"),
    (IPv6Network, IPv6Network("2001:db8::/32"), "2001:db8::/32"),
    (Path, Path("/a/b.csv"), "/a/b.csv"),
    (PurePath, PurePath("a"), "a"),
    (PurePosixPath, PurePosixPath("a/b"), "a/b"),
    (PureWindowsPath, PureWindowsPath("C:\\a\\b"), "C:/a/b"),
    (HttpUrl, HttpUrl("https://example.org"), "https://example.org/"),
    (OwnUrl, OwnUrl("own://x"), "own://x"),
    (PostgresDsn, PostgresDsn("postgres://u:p@h1:1,h2/db"), "postgres://u:p@h1:1,h2/db"),
]


@pytest.mark.parametrize(("cls", "value", "text"), FORMS)
def test_values_have_one_text_and_come_back(cls: Any, value: Any, text: str) -> None:
    codec = rpc.format_of(cls)
    assert encode(codec, value) == text
    back = decode(codec, text)
    assert (back, type(back)) == (value, type(value))


@pytest.mark.parametrize(
    ("cls", "wire", "expected"),
    [
        (IPv4Address, "192.0.2.256", "IPv4Address as a string (Octet 256"),
        (IPv4Address, "192.0.2.1/24", "IPv4Address as a string"),
        (IPv4Address, 3221225985, "IPv4Address as a string, got int"),
        (IPv4Network, "192.0.2.1/24", "IPv4Network as a string (192.0.2.1/24 has host bits set)"),
        (IPv6Address, "::1::", "IPv6Address as a string"),
        (Path, None, "Path as a string, got None"),
        (HttpUrl, "ftp://example.org", "HttpUrl as a string (URL scheme should be 'http' or 'https')"),
        (HttpUrl, "example.org", "HttpUrl as a string (Input should be a valid URL"),
        (HttpUrl, ["url", "https://example.org"], "HttpUrl as a string, got a value"),
        (MongoDsn, "postgres://h/db", "MongoDsn as a string (URL scheme"),
    ],
)
def test_what_the_type_does_not_take_is_refused_with_its_reason(cls: Any, wire: Any, expected: str) -> None:
    assert f"expected {expected}" in refusal(lambda: decode(rpc.format_of(cls), wire))


@pytest.mark.parametrize(
    ("cls", "value"),
    [
        (IPv4Address, "192.0.2.1"),
        (IPv4Address, IPv4Interface("192.0.2.1/24")),  # which is an address, as Python has it
        (Path, "a"),
        (HttpUrl, "https://example.org"),
        (HttpUrl, AnyUrl("https://example.org")),
    ],
)
def test_only_values_of_the_type_are_sent(cls: Any, value: Any) -> None:
    assert f"expected {cls.__name__} as a string" in refusal(lambda: encode(rpc.format_of(cls), value))


def test_any_path_may_be_sent_as_a_pure_one() -> None:
    assert encode(rpc.format_of(PurePath), Path("a/b")) == "a/b"


@pytest.fixture
def _validates(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of the package email-validator, which need not be installed."""

    def validate(text: str) -> tuple[str, str]:
        name, _, address = text.rpartition(" ")
        local, at, domain = address.strip("<>").partition("@")
        if not at:
            raise ValueError("An email address must have an @-sign.")
        return name or local, f"{local}@{domain.lower()}"

    monkeypatch.setattr(pydantic.networks, "validate_email", validate)
    monkeypatch.setattr(pydantic.networks, "import_email_validator", lambda: None)


@pytest.mark.usefixtures("_validates")
def test_an_email_address_is_text_that_was_checked() -> None:
    codec = rpc.format_of(pydantic.EmailStr)
    assert encode(codec, "ada@example.org") == "ada@example.org"
    assert decode(codec, "ada@EXAMPLE.org") == "ada@example.org"
    assert "expected EmailStr as a string (" in refusal(lambda: decode(codec, "ada"))
    assert "expected EmailStr as a string, got int" in refusal(lambda: encode(codec, 5))


@pytest.mark.usefixtures("_validates")
def test_an_email_address_may_have_a_name() -> None:
    codec = rpc.format_of(NameEmail)
    assert encode(codec, NameEmail("Ada", "ada@example.org")) == "Ada <ada@example.org>"
    assert decode(codec, "Ada <ada@example.org>") == NameEmail("Ada", "ada@example.org")
