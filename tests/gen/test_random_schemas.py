"""Any schema of the forms that the compiler accepts: it compiles, and what is sent through it arrives as it was."""

from __future__ import annotations

import asyncio
import importlib
import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from capnweb_gen.compiler import compile_schemas
from capnweb_runtime import RpcStub, RpcTarget
from capnweb_runtime.transports import memory
from tests.gen.random_schemas import Method, RandomSchema, schemas

NUMBERS = itertools.count()
# Without shrinking, which compiles for minutes: a failure shows its schema. Add Phase.shrink to look into one.
QUICK = settings(
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def write(folder: Path, name: str, found: Sequence[RandomSchema]) -> None:
    """Compile schemas into packages of their own: `<name>_schemas` and `<name>_generated`."""
    source = folder / f"{name}_schemas"
    source.mkdir()
    (source / "__init__.py").touch()
    for index, schema in enumerate(found):
        (source / f"api{index}.py").write_text(schema.text, "utf-8")
    compiled = compile_schemas([source], "capnweb-gen")
    assert compiled.diagnostics == (), "\n".join([*map(str, compiled.diagnostics), *(schema.text for schema in found)])
    for path, text in compiled.files.items():
        target = folder / f"{name}_generated" / path
        target.parent.mkdir(exist_ok=True)
        target.write_text(text, "utf-8")


@contextmanager
def imported(folder: Path, schema: RandomSchema) -> Iterator[tuple[ModuleType, ModuleType]]:
    """The schema and its generated module; nothing of them stays imported."""
    name = f"random{next(NUMBERS)}"
    before = list(sys.path)
    sys.path.insert(0, str(folder))
    try:
        write(folder, name, [schema])
        importlib.invalidate_caches()
        made = importlib.import_module(f"{name}_generated.api0")
        yield sys.modules[f"{name}_schemas.api0"], made
    finally:
        sys.path[:] = before
        for module in [module for module in sys.modules if module.startswith(f"{name}_")]:
            del sys.modules[module]


@dataclass
class Call:
    """One call: what is passed, what is to come back, and what the target was given."""

    method: Method
    positional: tuple[Any, ...]
    named: dict[str, Any]
    result: Any
    received: dict[str, Any] | None = None


@st.composite
def calls(draw: st.DrawFn, schema: RandomSchema, module: ModuleType) -> list[Call]:
    """A call of each method; parameters with a default may be left out."""
    found: list[Call] = []
    for method in schema.methods:
        positional: list[Any] = []
        named: dict[str, Any] = {}
        plain = sorted((p for p in method.parameters if not p[2]), key=lambda parameter: parameter[3])
        for _, form, _, optional in plain:
            if optional and draw(st.booleans()):
                break
            positional.append(draw(form.values(module)))
        for name, form, keyword, optional in method.parameters:
            if keyword and not (optional and draw(st.booleans())):
                named[name] = draw(form.values(module))
        found.append(Call(method, tuple(positional), named, draw(method.result.values(module))))
    return found


def implement(made: ModuleType, expected: Sequence[Call]) -> Any:
    """A target whose methods note what they are given and answer what was prepared."""

    def method(call: Call) -> Callable[..., Any]:
        names = [name for name, _, keyword, _ in sorted(call.method.parameters, key=lambda p: p[3]) if not keyword]

        async def body(self: Any, *positional: Any, **named: Any) -> Any:
            call.received = await told({**dict(zip(names, positional, strict=False)), **named})
            return call.result

        return body

    return type("Target", (made.ApiTarget,), {call.method.name: method(call) for call in expected})()


async def talk(made: ModuleType, found: Sequence[Call]) -> list[Any]:
    """Make all calls through one session; what came back. Once it is given up, nothing is left in the session."""
    ours, theirs = memory.pair(implement(made, found), None)
    api = made.ApiStub(theirs.session.remote_main)
    promises = [getattr(api, call.method.name)(*call.positional, **call.named) for call in found]
    results = [await told(await promise) for promise in promises]
    for promise in promises:
        promise.dispose()
    for _ in range(20):
        await asyncio.sleep(0)
    left = [(stats.imports, stats.exports, stats.calls) for stats in (ours.stats(), theirs.stats())]
    assert left == [(1, 1, 0), (1, 1, 0)]
    for side in (ours, theirs):
        side.session.remote_main.dispose()
        await side.wait_closed()
    return results


async def told(value: Any) -> Any:
    """A value with what it holds written out: models as their fields, capabilities as what they answer."""
    if isinstance(value, RpcTarget | RpcStub):
        item: Any = value
        number = item.number()
        return "item", await number if isinstance(value, RpcStub) else number
    if isinstance(value, BaseModel):
        return type(value), await told(dict(value))
    if isinstance(value, list | tuple):
        return type(value)([await told(part) for part in value])
    if isinstance(value, dict):
        return {key: await told(part) for key, part in value.items()}
    return value


def same(one: Any, other: Any) -> bool:
    """Whether values are equal and of the same types; but 3.0 may arrive as 3 where a number is meant."""
    if isinstance(one, list | tuple):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    numbers = {int, float}
    return bool(one == other) and (type(one) is type(other) or {type(one), type(other)} == numbers)


@settings(QUICK, max_examples=40)
@given(data=st.data())
def test_what_is_sent_through_any_schema_arrives_as_it_was(tmp_path: Path, data: st.DataObject) -> None:
    schema = data.draw(schemas())
    with imported(tmp_path, schema) as (module, made):
        found = data.draw(calls(schema, module))
        results = asyncio.run(talk(made, found))
    for call, result in zip(found, results, strict=True):
        assert same(result, asyncio.run(told(call.result))), schema.text
        names = [p[0] for p in sorted(call.method.parameters, key=lambda p: p[3]) if not p[2]]
        passed = {**dict(zip(names, call.positional, strict=False)), **call.named}
        assert call.received is not None
        for name, value in passed.items():
            assert same(call.received[name], asyncio.run(told(value))), schema.text
        assert all(value is None for name, value in call.received.items() if name not in passed)


def test_type_checkers_accept_what_any_schema_becomes(tmp_path: Path) -> None:
    found: list[RandomSchema] = []

    @seed(1)
    @settings(QUICK, max_examples=20, phases=[Phase.generate])
    @given(schema=schemas())
    def collect(schema: RandomSchema) -> None:
        found.append(schema)

    collect()
    before = list(sys.path)
    sys.path.insert(0, str(tmp_path))
    try:
        write(tmp_path, "batch", found)
    finally:
        sys.path[:] = before
        for module in [module for module in sys.modules if module.startswith("batch_")]:
            del sys.modules[module]
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "batch_schemas", "batch_generated"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""
    assert len(list((tmp_path / "batch_generated").glob("api*.py"))) == len(found) == 20
