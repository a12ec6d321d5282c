"""Lowering: what depends on the whole schema. The rest stands in the golden cases."""

from __future__ import annotations

from capnweb_gen import graph, ir
from capnweb_gen.backends.python.module import GENERATED_API, lower
from capnweb_runtime import codegen_api
from tests.gen.conftest import Compile

HERE = ir.Position(line=1, column=1)


def schema(path: str = "a.py") -> ir.Schema:
    done = ir.Method(name="done", wire="done", result=ir.Scalar(name="bool"), position=HERE)
    base = ir.Interface(name="Base", members=(done,), position=HERE)
    sub = ir.Interface(name="Sub", bases=(ir.Reference(module="a", name="Base"),), position=HERE)
    return ir.Schema(module="a", path=path, output="a.py", interfaces=(sub, base))


def test_the_number_of_the_contract_is_that_of_the_runtime() -> None:
    assert GENERATED_API == codegen_api.GENERATED_API
    assert lower(schema(), graph.by_module((schema(),)), "x").api == GENERATED_API


def test_a_base_is_declared_before_what_inherits_it() -> None:
    view = lower(schema(), graph.by_module((schema(),)), "x")
    assert [interface.name for interface in view.interfaces] == ["Base", "Sub"]


def test_a_header_that_is_too_long_takes_two_lines() -> None:
    view = lower(schema(f"{'deep/' * 12}a.py"), graph.by_module((schema(),)), "capnweb-gen x --out y")
    assert view.header.splitlines()[1] == "# Do not edit; run: capnweb-gen x --out y"
    assert all(len(line) <= 120 for line in view.header.splitlines())


def test_keyword_parameters_are_passed_by_name(compile_text: Compile) -> None:
    text = compile_text(
        """
        WIRE_CASE = "camel"

        class Api(Protocol):
            async def get(self, user_id: int, *, from_: int, max_count: int = 1) -> int: ...
        """
    ).files["api.py"]
    assert "return self._call(ApiSpec.get, user_id, from_=from_, max_count=max_count)" in text
    assert 'rpc.param("user_id", rpc.INT),' in text
    assert 'rpc.param("from_", rpc.INT, keyword=True, wire="from"),' in text
    assert 'rpc.param("max_count", rpc.INT, required=False, keyword=True, wire="maxCount"),' in text


def test_a_variadic_parameter_is_spread_and_needs_no_marker_before_keywords(compile_text: Compile) -> None:
    text = compile_text(
        """
        class Api(Protocol):
            async def sum(self, first: int, *rest: int, scale: int = 1) -> int: ...
        """
    ).files["api.py"]
    assert "return self._call(ApiSpec.sum, first, *rest, scale=scale)" in text
    assert 'rpc.param("rest", rpc.INT, variadic=True),' in text
    assert "def sum(self, first: int, *rest: int, scale: int = 1) -> int | Awaitable[int]: ..." in text
