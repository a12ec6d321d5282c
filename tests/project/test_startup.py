"""What programs import before they can do anything. Modules are counted, because clocks differ; `tests/bench/cold.py`
has the clock.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE

import pytest

import capnweb_runtime
from capnweb_runtime import serve, sturdy
from tests.bench.generated.plain import PlainTarget
from tests.bench.generated.records import AccountTarget, RecordsTarget
from tests.bench.schema.records import Profile
from tests.project.sources import ROOT

# Each took a noticeable part of a client's start, or is of no use to it.
HEAVY = {
    *("aiohttp", "decimal", "email", "importlib.metadata", "pydantic", "typing_extensions"),
    *("capnweb_gen", "click", "jinja2", "libcst", "rich"),
}
SERVER = {
    *("capnweb_runtime.serving.serve", "capnweb_runtime.serving.first_request", "capnweb_runtime.serving.peer"),
    *("capnweb_runtime.serving.websocket_server", "websockets.server"),
}

IMPORT_CLIENT = "from capnweb_runtime import connect; from tests.bench.generated.plain import PlainStub"
CALL = """
async def main():
    async with connect(sys.argv[1], PlainStub) as api:
        assert await api.add(1, 2) == 3

asyncio.run(main())
"""


IMPORT_CLIENT_WITH = {
    models: f"from capnweb_runtime import connect; from tests.bench.generated.{module} import {stub} as Stub"
    for models, module, stub in (("dataclasses", "records", "RecordsStub"), ("pydantic", "api", "ApiStub"))
}
CALL_FOR_A_MODEL = """
async def main():
    async with connect(sys.argv[1], Stub) as api:
        assert (await api.authenticate("token").get_profile(5)).id == 5

asyncio.run(main())
"""


class Plain(PlainTarget):
    """Adds."""

    def add(self, a: int, b: int) -> int:
        return a + b


class Account(AccountTarget):
    def get_profile(self, id: int) -> Profile:
        return Profile(id, "Ada", "ada@example.com")


class Records(RecordsTarget):
    """Lets everybody in."""

    def authenticate(self, token: str) -> Account:
        return Account()


async def imported(program: str, *arguments: str) -> set[str]:
    """The modules that a program imports beside those of asyncio and orjson, and the packages that they are in."""
    text = (
        f"import sys, asyncio, orjson, typing\nbefore = {{*sys.modules}}\n{program}\nprint(*{{*sys.modules}} - before)"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", text, *arguments, cwd=ROOT, stdout=PIPE)
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    return {name for module in output.decode().split() for name in (module, module.partition(".")[0])}


async def test_a_client_without_models_imports_little() -> None:
    modules = await imported(IMPORT_CLIENT)
    assert not modules & (HEAVY | SERVER)
    most = 107 if sys.version_info >= (3, 14) else 106  # since then one more of the standard library comes with hmac
    assert len(modules) <= most, sorted(modules)


async def test_connecting_and_calling_imports_nothing_more() -> None:
    async with serve(lambda peer: Plain(), "127.0.0.1", 0, path="/rpc") as server:
        called = await imported(IMPORT_CLIENT + CALL, server.url)
    assert called == await imported(IMPORT_CLIENT)


async def test_dataclass_models_import_nothing_but_themselves() -> None:
    modules = await imported(IMPORT_CLIENT_WITH["dataclasses"])
    assert modules - await imported(IMPORT_CLIENT) == {
        *("tests.bench.generated.records", "tests.bench.schema", "tests.bench.schema.records"),
    }


async def test_pydantic_models_import_nothing_but_what_their_schema_does() -> None:
    modules = await imported(IMPORT_CLIENT_WITH["pydantic"])
    alone = await imported("import tests.bench.schema.api")
    assert "pydantic" in alone
    assert not modules & SERVER
    assert modules - alone - await imported(IMPORT_CLIENT) == {"tests.bench.generated.api"}


@pytest.mark.parametrize("models", IMPORT_CLIENT_WITH)
async def test_calling_for_a_model_imports_nothing_more(models: str) -> None:
    async with serve(lambda peer: Records(), "127.0.0.1", 0, path="/rpc") as server:
        called = await imported(IMPORT_CLIENT_WITH[models] + CALL_FOR_A_MODEL, server.url)
    assert called == await imported(IMPORT_CLIENT_WITH[models])


async def test_a_server_imports_its_own_half_and_nothing_heavy() -> None:
    modules = await imported("from capnweb_runtime import serve; from tests.bench.generated.plain import PlainTarget")
    assert "capnweb_runtime.serving.serve" in modules
    assert not modules & HEAVY


async def test_the_package_by_itself_imports_nothing_else() -> None:
    assert await imported("import capnweb_runtime") == {"capnweb_runtime"}


async def test_a_schema_needs_no_session() -> None:
    modules = await imported("from capnweb_runtime.schema import InterfaceModel")
    assert not modules & (HEAVY | SERVER | {"capnweb_runtime.driving.connection", "capnweb_runtime.core", "websockets"})


async def test_references_cost_only_those_who_mint_them() -> None:
    client = f"{IMPORT_CLIENT}; from capnweb_runtime import SturdyRef"
    assert await imported(client) == await imported(IMPORT_CLIENT)
    also = await imported("from capnweb_runtime.sturdy import SturdyRef, MemoryRevocations")
    assert not also & {"asyncio", "cryptography", "jwt", "pydantic", "sqlite3"}


async def test_telemetry_costs_only_those_who_ask_for_it() -> None:
    libraries = {"opentelemetry", "prometheus_client", "structlog"}
    server = await imported("from capnweb_runtime import serve; from capnweb_runtime.health import Health")
    assert not server & (libraries | {"capnweb_runtime.telemetry", "capnweb_runtime.serving.health"})
    logs = await imported("from capnweb_runtime import serve; from capnweb_runtime.telemetry.logs import LogContext")
    assert not logs & (libraries | HEAVY)


@pytest.mark.parametrize("name", sturdy.__all__)
def test_every_name_of_references_can_be_imported(name: str) -> None:
    assert getattr(sturdy, name) is not None
    assert name in dir(sturdy)
    with pytest.raises(AttributeError, match=r"module 'capnweb_runtime\.sturdy' has no attribute 'nonsense'"):
        sturdy.nonsense  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("name", capnweb_runtime.__all__)
def test_every_exported_name_can_be_imported(name: str) -> None:
    assert getattr(capnweb_runtime, name) is not None
    assert name in dir(capnweb_runtime)


def test_a_name_that_is_not_exported_is_missing() -> None:
    with pytest.raises(AttributeError, match="module 'capnweb_runtime' has no attribute 'nonsense'"):
        capnweb_runtime.nonsense  # type: ignore[attr-defined]  # noqa: B018


async def test_commands_of_the_compiler_import_no_client() -> None:
    commands = ("check", "generate", "init", "ir", "scaffold")
    modules = await imported("\n".join(f"import capnweb_gen.cli.{command}" for command in commands))
    assert "capnweb_gen.compiler" in modules
    assert not modules & {"capnweb_gen.client", "capnweb_gen.cli.asking", "capnweb_runtime.connecting", "websockets"}
