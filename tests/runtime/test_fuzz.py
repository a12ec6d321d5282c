"""Malformed and hostile messages into a session. Whatever comes, `receive` raises nothing, the tables stay bounded, a
session that ends says why in a few words, and afterwards everything that it held has been given back.
"""

from __future__ import annotations

import copy
import gc
import inspect
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.interface import Property
from capnweb_runtime.core.session import Session
from capnweb_runtime.limits import Limits
from capnweb_runtime.objects.target import target_hook
from tests.runtime.example import Counter, CounterStub, Desk, DeskStub
from tests.runtime.pair import Pair, Recording, SyncHost, begin
from tests.runtime.stream_example import Depot, DepotStub

LIMITS = Limits(
    message_size=100_000, exports=200, imports=200, map_steps=500, outbox_bytes=5_000_000, stream_bytes=10_000,
    blob_bytes=10_000, calls=50, message_work=10_000,
)  # fmt: skip
EXAMPLES = settings(max_examples=max(400, settings().max_examples), deadline=None)

DUNDERS = ["__class__", "__globals__", "__init__", "__dict__", "__proto__", "constructor", "__reduce__", "__getattr__"]
METHODS = [
    "echo", "add", "counter", "counters", "keep", "kept", "same", "use", "totals", "apply", "lend", "ints", "books",
    "describe", "hold", "fail", "home", "best", "search", "increment", "value", "itself", "take", "give", "open",
    "fill", "write", "close", "abort", "x", "y", "title", "0", "", "dispose", "secret", "_hook", "held", *DUNDERS,
]  # fmt: skip
SPECIALS = [
    "pipeline", "import", "export", "promise", "remap", "writable", "readable", "error", "date", "bytes", "bigint",
    "undefined", "inf", "nan", "url", "headers", "request", "response", "blob", "nonsense", *DUNDERS[:2],
]  # fmt: skip
KINDS = ["push", "pull", "resolve", "reject", "release", "stream", "pipe", "abort"]

ids = st.one_of(st.integers(-5, 12), st.sampled_from([2**31, -(2**63), 2**64, 1e300, 0.5, -0.0, 10**400]))
names = st.sampled_from(METHODS)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 40), st.sampled_from(["", "x", "text", 2**70, -1e308, *METHODS[:6]])
)
paths = st.lists(st.one_of(names, st.integers(-1, 3), scalars), max_size=3)


captures = st.tuples(st.sampled_from(["export", "import"]), ids).map(list)


def _expressions(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, max_size=3)
    return st.one_of(
        several.map(lambda items: [items]),
        st.dictionaries(st.one_of(names, st.text(max_size=3)), inner, max_size=3),
        st.tuples(st.sampled_from(["export", "promise", "import", "pipeline", "readable", "writable"]), ids).map(list),
        st.tuples(st.sampled_from(["pipeline", "import"]), ids, paths).map(list),
        st.tuples(st.sampled_from(["pipeline", "import"]), ids, paths, several).map(list),
        st.tuples(st.just("remap"), ids, paths, st.lists(captures, max_size=2), several).map(list),
        st.tuples(st.just("blob"), st.just("t"), st.tuples(st.just("readable"), ids).map(list)).map(list),
        st.tuples(st.just("error"), names, names, st.none(), st.dictionaries(names, inner, max_size=2)).map(list),
        st.tuples(st.sampled_from(SPECIALS), inner).map(list),
        st.lists(st.one_of(st.sampled_from(SPECIALS), inner), max_size=5),
    )  # fmt: skip


expressions = st.recursive(scalars, _expressions, max_leaves=8)
calls = st.tuples(st.just("pipeline"), ids, st.lists(names, max_size=2), st.lists(expressions, max_size=3)).map(list)
messages = st.one_of(
    st.tuples(st.sampled_from(["push", "stream"]), calls).map(list),
    st.tuples(st.sampled_from(["push", "stream", "push"]), expressions).map(list),
    st.tuples(st.just("pull"), ids).map(list),
    st.tuples(st.sampled_from(["resolve", "reject"]), ids, expressions).map(list),
    st.tuples(st.just("release"), ids, ids).map(list),
    st.just(["pipe"]),
    st.tuples(st.sampled_from(KINDS), expressions).map(list),
    st.lists(st.one_of(st.sampled_from(KINDS), expressions), max_size=4),
    expressions,
)


def without_loop(result: Any) -> Any:
    """A call's result; a coroutine never comes to an end here."""
    if not inspect.iscoroutine(result):
        return result
    result.close()
    return Cell[Any]()


class Host(SyncHost):
    def start(self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        return without_loop(super().start(function, args, kwargs))


async def _chunks() -> AsyncIterator[int]:
    yield 1


class Everything(Desk, Depot):
    """One of everything, with an object of its own for each stream."""

    def __init__(self) -> None:
        Depot.__init__(self, take=lambda s: s, give=_chunks, fill=lambda w: None, meet=lambda o: o, do=lambda v: v)
        Desk.__init__(self)


class Victim:
    """A session that is sent anything, with what its main object has made."""

    def __init__(self) -> None:
        self.main = Everything()
        self.host = Host(Recording())
        self.closed_with: list[BaseException] = []
        self.session = Session(
            target_hook(self.main, self.host), host=self.host, wake=lambda: None, on_closed=self.closed_with.append,
            limits=LIMITS, observer=Recording(),
        )  # fmt: skip
        self.sent: list[Any] = []

    def hear(self, text: str | bytes) -> None:
        self.session.receive(text)
        self.sent += [json.loads(message) for message in self.session.take_outbox()]

    def check(self) -> None:
        stats = self.session.stats()
        assert stats.exports <= LIMITS.exports + 100
        assert stats.imports <= LIMITS.imports
        assert all(message[0] in KINDS for message in self.sent)
        if self.session.closed:
            assert len(self.closed_with) == 1
            assert str(self.closed_with[0]).strip()
            assert (stats.imports, stats.exports) == (0, 0)
            for abort in (message for message in self.sent if message[0] == "abort"):
                assert abort is self.sent[-1]
                assert abort[1][0] == "error"
                assert 0 < len(abort[1][2]) < 2000

    def end(self) -> None:
        """Ends the session: whatever it held must have been given back."""
        self.session.abort(RuntimeError("the test is over"))
        keeping, self.main.keeping = self.main.keeping, None
        if keeping is not None:
            keeping.dispose()
        for cell in self.main.held.values():
            cell.resolve(0)
        gc.collect(0)
        self.session.take_outbox()
        stats = self.session.stats()
        assert (stats.imports, stats.exports) == (0, 0)
        assert self.session.held.bytes >= 0
        assert all(counter.disposed >= 1 for counter in self.main.made)
        assert self.main.disposed == 1


def run(texts: Sequence[str | bytes]) -> Victim:
    victim = Victim()
    for text in texts:
        victim.hear(text)
        victim.check()
    victim.end()
    return victim


@EXAMPLES
@given(st.lists(messages, max_size=12))
@example([["pipe"], ["pipe"], ["push", ["readable", 1]], ["push", ["readable", 1]]])
@example([["pipe"], ["release", 1, 1], ["push", ["pipeline", 0, ["take"], [["readable", 1]]]]])
@example([["pipe"], ["push", ["pipeline", 0, ["take"], [["readable", 1]]]], ["pull", 2], ["release", 2, 1]])
@example(
    [["pipe"], ["stream", ["pipeline", 1, ["write"], [["readable", 1]]]], ["stream", ["pipeline", 1, ["close"], []]]]
)
@example(
    [
        ["push", ["promise", -1]],
        ["push", ["pipeline", 0, ["echo"], [["pipeline", 1]]]],
        ["resolve", -1, ["promise", -2]],
    ]
)
@example([["push", ["promise", -1]], ["pull", 1], ["resolve", -1, ["pipeline", 1]], ["pull", 1]])
@example([["push", ["export", -1]], ["push", ["pipeline", 1, ["x"], []]], ["pull", 2], ["resolve", 1, ["pipeline", 2]]])
@example(
    [["push", ["pipeline", 0, ["kept"], []]], ["pull", 1], ["release", 0, 1], ["push", ["pipeline", 0, ["echo"], []]]]
)
@example([["stream", ["pipeline", 0, ["hold"], ["a"]]], ["release", 1, 1], ["pull", 1]])
@example(
    [["push", ["remap", 0, [], [["import", 0], ["export", -1]], [["pipeline", -1, ["counter"], []], 1]]], ["pull", 1]]
)
@example([["resolve", 0, ["import", 0]]])
def test_hostile_messages(sequence: list[Any]) -> None:
    run([json.dumps(message) for message in sequence])


@EXAMPLES
@given(st.lists(st.one_of(st.binary(max_size=40), st.text(max_size=40)), max_size=5))
@example([b'["push",["bytes","\xff"]]'])
@example(['["push",1e400]', '["pull",1]'])
@example(["[" * 50_000])
@example(['["push","\\ud800"]', '["pull",1]'])
def test_anything_that_is_not_a_message(texts: list[str | bytes]) -> None:
    run(texts)


def _transcript() -> list[Any]:
    """What an honest peer sends: calls, capabilities both ways, promises, a map, releases."""
    pair = Pair(None, Everything())
    start = pair.b.host.start
    pair.b.host.start = lambda *call: without_loop(start(*call))  # type: ignore[method-assign]  # as above
    desk, depot = pair.a.main(DeskStub), DepotStub(pair.a.session.remote_main.dup())
    counter = desk.counter(3)
    kept: list[Any] = [
        desk.add(1, 2), counter, counter.increment(desk.add(1, 1)), desk.echo([{"a": [1, b"x", 2**70]}, Counter(1)]),
        desk.keep(Counter(5)), desk.kept(), desk.same(Counter(2)), desk.use(counter, 2), desk.counters(2),
        desk.ints(3).map(lambda n: desk.add(n, 1)), desk.apply(lambda n: n + 1, 4), desk.books(), depot.give(),
        desk.lend(lambda stub: stub.increment(1)), desk.home.increment(1), desk.echo(desk.hold("a")), depot.open(),
    ]  # fmt: skip
    for promise in kept:
        begin(promise)
        pair.step(pair.a)
    pair.run()
    for promise in kept:
        promise.dispose()
    pair.run()
    depot.dispose()
    streams = [
        ["pipe"], ["push", ["pipeline", 0, ["take"], [["readable", 1]]]], ["pull", 2],
        ["stream", ["pipeline", 1, ["write"], ["x"]]], ["stream", ["pipeline", 1, ["close"], []]], ["release", 1, 1],
    ]  # fmt: skip
    return [*streams, *(json.loads(text) for text in pair.a.sent)]


TRANSCRIPT = _transcript()


def test_the_transcript_is_honest() -> None:
    victim = Victim()
    for message in TRANSCRIPT[6:]:
        victim.hear(json.dumps(message))
    assert victim.session.reason is None
    assert {message[0] for message in TRANSCRIPT} >= {"push", "pull", "release", "resolve", "stream", "pipe"}
    victim.end()


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a tree."""
    keys = range(len(tree)) if isinstance(tree, list) else list(tree) if isinstance(tree, dict) else ()
    return [(tree, key) for key in keys] + [place for key in keys for place in _places(tree[key])]


@EXAMPLES
@given(st.data())
def test_mutated_transcripts(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(TRANSCRIPT) - 1))
    sequence = copy.deepcopy(TRANSCRIPT[start:] if data.draw(st.booleans()) else TRANSCRIPT)
    for _ in range(data.draw(st.integers(1, 4))):
        how = data.draw(st.sampled_from(["replace", "drop", "repeat", "swap", "cut"]))
        index = data.draw(st.integers(0, len(sequence) - 1))
        other = data.draw(st.integers(0, len(sequence) - 1))
        if how == "repeat":
            sequence.insert(other, copy.deepcopy(sequence[index]))
        elif how == "swap":
            sequence[index], sequence[other] = sequence[other], sequence[index]
        elif how == "drop" and len(sequence) > 1:
            del sequence[index]
        elif places := _places(sequence[index]):
            container, key = places[data.draw(st.integers(0, len(places) - 1))]
            if how == "cut":
                del container[key]
            else:
                container[key] = data.draw(st.one_of(ids, expressions))
    run([json.dumps(message) for message in sequence])


@pytest.mark.parametrize("name", [*DUNDERS, "held", "log", "made", "_rpc_members", "methods", "secret", "disposed"])
def test_what_the_schema_does_not_name_is_not_there(name: str) -> None:
    victim = Victim()
    for number, path in enumerate([[name], ["home", name], ["best", name], ["echo", name], [name, name]], 1):
        victim.hear(json.dumps(["push", ["pipeline", 0, path]]))
        victim.hear(json.dumps(["pull", number]))
    answers = [message for message in victim.sent if message[0] in ("resolve", "reject")]
    assert len(answers) == 5
    for kind, _, value in answers:
        assert value == ["undefined"] if kind == "resolve" else "Cannot read properties of undefined" in value[2]
    victim.end()


def test_a_stub_of_the_victims_is_no_way_in_either() -> None:
    pair = Pair(None, Everything())
    counter: Any = pair.wait(pair.a.main(DeskStub).counter(1))
    assert isinstance(counter, CounterStub)
    for name in DUNDERS:
        promise: Any = counter._get(Property(name, rpc.INT))
        with pytest.raises(TypeError):
            pair.wait(promise)
    counter.dispose()
