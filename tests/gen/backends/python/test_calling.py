"""The calling side: how members stand in tables, and the functions that stubs and promises have for them."""

from __future__ import annotations

from capnweb_gen import graph, ir
from capnweb_gen.backends.python.calling import Calling
from capnweb_gen.backends.python.scope import Scope
from capnweb_gen.backends.python.spelling import Spelling

HERE = ir.Position(line=1, column=1)
INT = ir.Scalar(name="int")
GET = ir.Method(
    name="get",
    wire="fetch",
    parameters=(
        ir.Parameter(name="key", wire="key", type=INT, position=HERE),
        ir.Parameter(name="rest", wire="rest", passing="variadic", type=INT, position=HERE),
        ir.Parameter(
            name="from_", wire="from", passing="keyword", type=INT, default=ir.Default(value=1), position=HERE
        ),
    ),
    result=INT,
    raises=(ir.Reference(module="a", name="NotFound"),),
    position=HERE,
)
SIZE = ir.Property(name="size", wire="size", type=INT, position=HERE)


def calling() -> Calling:
    schema = ir.Schema(module="a", path="a.py", output="a.py")
    scope = Scope(schema, graph.by_module((schema,)), frozenset())
    return Calling(schema, scope, Spelling(scope, frozenset()))


def test_a_table_says_how_each_parameter_is_passed_and_what_is_raised() -> None:
    flat = " ".join(calling().entry("get", GET).split())
    assert flat == (
        'get = rpc.method( "fetch", rpc.INT, rpc.param("key", rpc.INT), rpc.param("rest", rpc.INT, variadic=True), '
        'rpc.param("from_", rpc.INT, required=False, keyword=True, wire="from"), raises=[NOT_FOUND], )'
    )
    assert calling().entry("size", SIZE) == 'size = rpc.prop("size", rpc.INT)'


def test_a_member_calls_by_its_entry() -> None:
    view = calling().member("ApiSpec.get", GET)
    assert view.body == "return self._call(ApiSpec.get, key, *rest, from_=from_)"
    assert view.doc == '"""Raises: NotFound."""'
    assert view.signature.endswith(") -> rpc.RpcPromise[int]:")
    view = calling().member("ApiSpec.size", SIZE)
    assert (view.decorators, view.body) == (("@property",), "return self._get(ApiSpec.size)")
