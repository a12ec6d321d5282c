"""`ir_of`: what the interfaces of generated code say, at run time."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from capnweb_runtime import AnyStub, RpcTarget
from capnweb_runtime.core.broken import DISPOSED
from capnweb_runtime.reflection import ir_of
from examples.demo.server import Accounts, Front
from generated.accounts import (
    AuthedApiStub,
    PublicApiPromise,
    PublicApiSpec,
    PublicApiStub,
    PublicApiTarget,
    SubscriptionTarget,
)
from tests.bench.generated.plain import PlainTarget
from tests.gen.golden.reflection.expected.hotel import HotelTarget, UnrelatedTarget
from tests.gen.golden.reflection.expected.parts.room import KeyTarget
from tests.project.sources import ROOT

HOTEL, ROOM = "tests.gen.golden.reflection.schemas.hotel", "tests.gen.golden.reflection.schemas.parts.room"


def names(document: dict[str, Any], listed: str) -> dict[str, list[str]]:
    """What is listed in each schema."""
    return {schema["module"]: [one["name"] for one in schema[listed]] for schema in document["schemas"]}


@pytest.mark.parametrize(
    "described",
    [
        PublicApiSpec,
        PublicApiTarget,
        PublicApiStub,
        PublicApiPromise,
        Front,
        Front(Accounts()),
        PublicApiStub(DISPOSED),
    ],
    ids=["table", "target", "stub class", "promise class", "implementation", "object", "stub"],
)
def test_targets_stubs_and_tables_are_described(described: object) -> None:
    document = ir_of(described)
    assert (document["format"], document["main"]) == (1, [{"module": "schemas.accounts", "name": "PublicApi"}])
    assert names(document, "interfaces") == {"schemas.accounts": ["Subscription", "AuthedApi", "PublicApi"]}
    assert names(document, "models") == {"schemas.accounts": ["Profile"]}


def test_only_what_can_be_reached_is_told() -> None:
    document = ir_of(SubscriptionTarget)
    assert names(document, "interfaces") == {"schemas.accounts": ["Subscription"]}
    assert names(document, "models") == {"schemas.accounts": []}


def test_other_schemas_are_followed() -> None:
    document = ir_of(HotelTarget)
    assert names(document, "interfaces") == {HOTEL: ["Hotel"], ROOM: ["Key", "Room"]}
    assert names(document, "models") == {HOTEL: ["Wishes"], ROOM: ["Guest"]}
    assert names(document, "errors") == {HOTEL: ["NoSuchRoom"], ROOM: []}
    assert names(ir_of(KeyTarget), "interfaces") == {ROOM: ["Key"]}


def test_a_target_may_have_several_interfaces() -> None:
    class Both(HotelTarget, UnrelatedTarget):
        """A hotel and something else."""

    assert [one["name"] for one in ir_of(Both)["main"]] == ["Hotel", "Unrelated"]


def test_an_interface_that_another_one_inherits_is_not_told_twice() -> None:
    from_table = ir_of(AuthedApiStub)["main"]

    class Derived(PublicApiTarget):
        """Ours."""

    class Further(Derived):
        """Still the same."""

    assert ir_of(Further)["main"] == [{"module": "schemas.accounts", "name": "PublicApi"}]
    assert from_table == [{"module": "schemas.accounts", "name": "AuthedApi"}]


def test_what_is_returned_is_the_callers() -> None:
    ir_of(PublicApiSpec)["schemas"].clear()
    assert ir_of(PublicApiSpec)["schemas"]


@pytest.mark.parametrize("described", [RpcTarget, AnyStub, 3, str], ids=repr)
def test_what_no_schema_describes_is_refused(described: object) -> None:
    with pytest.raises(LookupError, match="implements nothing that was generated from a schema"):
        ir_of(described)


def test_a_missing_ir_is_told_with_the_command() -> None:
    command = r"run: capnweb-gen tests/bench/schema --out tests/bench/generated( --blocking)? --reflection$"
    with pytest.raises(LookupError, match=rf"tests\.bench\.generated\.plain has no IR beside it.*; {command}"):
        ir_of(PlainTarget)


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    program = (
        "import sys; import generated.accounts as a; from capnweb_runtime.reflection import ir_of\n"
        "assert 'generated.accounts_ir' not in sys.modules; ir_of(a.PublicApiTarget)\n"
        "assert 'generated.accounts_ir' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
