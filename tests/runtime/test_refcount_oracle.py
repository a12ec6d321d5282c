"""Two sessions back to back against the model in refcount_model: after each step of a random history both have the
same ids with the same numbers of references in their tables, and as many messages on their way.

HYPOTHESIS_PROFILE=nightly runs many more histories.
"""

from __future__ import annotations

from typing import Any

from hypothesis import note, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from capnweb_runtime import AnyStub, RpcError
from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.core.hook import Hook, Payload
from capnweb_runtime.core.plan import run_plan
from capnweb_runtime.core.refs import PlainStub
from tests.runtime.pair import Pair, Side
from tests.runtime.refcount_model import ITEMS, OWN, Entry, Model
from tests.runtime.refcount_plans import FAILED, NOTHING, PENDING, plans


class ThingSpec(rpc.Interface):
    make = rpc.method("make", rpc.ANY)
    touch = rpc.method("touch", rpc.NONE)
    three = rpc.method("three", rpc.list_of(rpc.INT))
    two = rpc.method("two", rpc.ANY)
    keep = rpc.method("keep", rpc.NONE, rpc.param("it", rpc.STUB))
    ignore = rpc.method("ignore", rpc.NONE, rpc.param("it", rpc.STUB))
    echo = rpc.method("echo", rpc.STUB, rpc.param("it", rpc.STUB))
    give = rpc.method("give", rpc.STUB)


class Thing(rpc.RpcTarget, spec=ThingSpec):
    """What both sides offer. Those of one side share what they keep."""

    def __init__(self, kept: list[AnyStub]) -> None:
        self.kept = kept

    def make(self) -> Thing:
        return Thing(self.kept)

    def touch(self) -> None:
        pass

    def three(self) -> list[int]:
        return list(range(ITEMS))

    def two(self) -> list[Thing]:
        return [Thing(self.kept), Thing(self.kept)]

    def keep(self, it: AnyStub) -> None:
        self.kept.append(it.dup())

    def ignore(self, it: AnyStub) -> None:
        pass

    def echo(self, it: AnyStub) -> AnyStub:
        return it

    def give(self) -> AnyStub:
        return self.kept.pop()


class Twin:
    """One side, in the model and for real. What the garbage collector would have to dispose is a mistake here."""

    def __init__(self, side: Side, model: Model, kept: list[AnyStub]) -> None:
        side.host.collect = self.collect  # type: ignore[method-assign]  # to see what was dropped without dispose
        side.session.begin_plan = run_plan
        self.side = side
        self.model = model
        self.kept = kept

    @property
    def main(self) -> Hook:
        return self.side.session.remote_main

    def collect(self) -> None:
        assert not self.side.host.discarded

    def tables(self) -> Any:
        session = self.side.session
        return (
            {number: entry.refcount for number, entry in session._exports.items()},
            {number: (entry.local_refs, entry.remote_refs) for number, entry in session._imports.items()},
        )

    def modelled(self) -> Any:
        model = self.model
        return (
            {number: count for number, (count, _) in model.exports.items()},
            {number: (entry.local, entry.remote) for number, entry in model.imports.items()},
        )


class Held:
    """A reference that the application of one side holds: a stub, or the promise of a result."""

    def __init__(self, twin: Twin, hook: Hook, value: Any) -> None:
        self.twin = twin
        self.hook = hook
        self.value = value

    def may_be_captured(self) -> bool:
        """Whether the model knows what becomes of it as a promise: not of one of a capability of this side's, which the
        peer asks for anew, nor of one that waits for a plan.
        """
        value = self.value
        return (
            isinstance(value, Entry)
            and value.gives in ("make", "touch", "map")
            and not (value.later and value.value is PENDING)
        )

    def settled(self) -> Any:
        """What it stands for, in the model."""
        return self.value.value if isinstance(self.value, Entry) and self.value.promise else self.value


class Histories(RuleBasedStateMachine):
    stubs: Bundle[Held] = Bundle("stubs")
    promises: Bundle[Held] = Bundle("promises")
    side = st.sampled_from("ab")

    def __init__(self) -> None:
        super().__init__()
        kept_a: list[AnyStub] = []
        kept_b: list[AnyStub] = []
        self.pair = Pair(Thing(kept_a), Thing(kept_b))
        self.twins = {"a": Twin(self.pair.a, Model(), kept_a), "b": Twin(self.pair.b, Model(), kept_b)}
        self.held: list[Held] = []

    def hold(self, twin: Twin, hook: Hook, value: Any) -> Held:
        held = Held(twin, hook, value)
        self.held.append(held)
        return held

    def other(self, twin: Twin) -> Twin:
        return self.twins["b" if twin is self.twins["a"] else "a"]

    # ---- what applications do

    @rule(target=promises, side=side, method=st.sampled_from(["make", "touch", "give"]))
    def call_main(self, side: str, method: str) -> Held:
        return self._call(self.twins[side], self.twins[side].main, 0, method)

    @rule(target=promises, side=side, method=st.sampled_from(["keep", "ignore", "echo"]))
    def pass_a_new_object(self, side: str, method: str) -> Held:
        twin = self.twins[side]
        return self._call(twin, twin.main, 0, method, OWN, Payload([Thing(twin.kept)]))

    @rule(target=promises, stub=stubs, method=st.sampled_from(["keep", "ignore", "echo"]))
    def pass_a_stub(self, stub: Held, method: str) -> Held:
        hook = stub.hook.dup()
        return self._call(stub.twin, stub.twin.main, 0, method, stub.value, Payload([PlainStub(hook)], None, [hook]))

    def _call(
        self, twin: Twin, hook: Hook, target: int, method: str, arg: Any = None, args: Payload | None = None
    ) -> Held:
        result = hook.call((method,), args or Payload([]))
        entry = NOTHING if twin.model.closed else twin.model.call(target, method, arg)
        return self.hold(twin, result, entry)

    @rule(target=promises, held=st.one_of(stubs, promises), method=st.sampled_from(["make", "touch"]))
    def call_what_is_held(self, held: Held, method: str) -> Held:
        """A capability, a result that may not have arrived, or one that cannot be called."""
        value = held.value if held.settled() is PENDING else held.settled()
        if isinstance(value, Entry) and not held.twin.model.closed:
            return self._call(held.twin, held.hook, value.number, method)
        result = held.hook.call((method,), Payload([]))
        return self.hold(held.twin, result, OWN if value is OWN and method == "make" else NOTHING)

    @rule(target=promises, side=side)
    def map_over_a_result(self, side: str) -> Held:
        twin = self.twins[side]
        subject = self._call(twin, twin.main, 0, "three")
        mapped = subject.hook.map((), [twin.main.dup()], [["pipeline", -1, ["touch"], []]])
        if twin.model.closed:
            return self.hold(twin, mapped, NOTHING)
        return self.hold(twin, mapped, twin.model.call(0, "map"))

    @rule(target=promises, stub=stubs, promise=promises, plan=plans())
    def send_a_plan(self, stub: Held, promise: Held, plan: list[Any]) -> Held:
        """With a stub, a promise and the main object as captures."""
        twin = stub.twin
        if promise.twin is not twin or not promise.may_be_captured():
            promise = self._call(twin, twin.main, 0, "make")
        result = twin.main.map((), [stub.hook.dup(), promise.hook.dup(), twin.main.dup()], plan)
        if twin.model.closed:
            return self.hold(twin, result, NOTHING)
        return self.hold(twin, result, twin.model.plan([stub.value, promise.value, twin.model.imports[0]], plan))

    @rule(promise=promises)
    def ask_for(self, promise: Held) -> None:
        if isinstance(promise.value, Entry) and not promise.twin.model.closed:
            promise.twin.model.pull(promise.value)
        promise.hook.pull()

    @precondition(lambda self: not any(twin.model.closed for twin in self.twins.values()))
    @rule(target=stubs, promise=promises)
    def take_what_arrived(self, promise: Held) -> Any:
        payload = promise.hook.pull() if promise.settled() not in (PENDING, NOTHING, FAILED) else None
        value = promise.settled()
        if not isinstance(payload, Payload) or not isinstance(payload.value, PlainStub):
            return self._nothing(promise.twin)
        if isinstance(value, Entry):
            value.local += 1
        return self.hold(promise.twin, payload.value._hook.dup(), value)

    def _nothing(self, twin: Twin) -> Held:
        """A stub for an object of our own, which no table knows."""
        return self.hold(twin, Thing(twin.kept)._export(twin.side.host), OWN)

    @rule(target=stubs, side=side)
    def take_what_was_kept(self, side: str) -> Held:
        return self._take_kept(self.twins[side])

    def _take_kept(self, twin: Twin) -> Held:
        assert len(twin.kept) == len(twin.model.kept)
        if not twin.kept:
            return self._nothing(twin)
        stub = twin.kept.pop()
        hook, stub._hook = stub._hook, Thing(twin.kept)._export(twin.side.host)
        stub.dispose()
        return self.hold(twin, hook, twin.model.kept.pop())

    @rule(target=stubs, stub=stubs)
    def duplicate(self, stub: Held) -> Held:
        if isinstance(stub.value, Entry):
            stub.value.local += 1
        return self.hold(stub.twin, stub.hook.dup(), stub.value)

    @rule(held=st.one_of(consumes(stubs), consumes(promises)))
    def dispose(self, held: Held) -> None:
        self._dispose(held)

    def _give_everything_up(self) -> None:
        for twin in self.twins.values():
            while twin.kept:
                self._take_kept(twin)
        while self.held:
            self._dispose(self.held[-1])

    def _dispose(self, held: Held) -> None:
        self.held.remove(held)
        held.hook.dispose()
        held.twin.model.drop(held.value)

    # ---- what the line does

    @rule(side=side)
    def deliver_one(self, side: str) -> None:
        twin = self.twins[side]
        if twin.model.out:
            text = self.pair.step(twin.side)
            message = twin.model.out.popleft()
            note(f"{side}: {text}")
            assert text is not None
            assert text[2:].startswith(message[0])
            self.other(twin).model.receive(message)

    @rule(side=side)
    def deliver_all(self, side: str) -> None:
        while self.twins[side].model.out:
            self.deliver_one(side)

    @precondition(lambda self: len(self.held) > 8)
    @rule(side=side)
    def disconnect(self, side: str) -> None:
        self.twins[side].side.session.abort(RpcError("power cut"))
        self.twins[side].model.abort()

    # ---- what must hold

    @invariant()
    def the_tables_are_as_in_the_model(self) -> None:
        for name, twin in self.twins.items():
            twin.side.on_its_way.extend(twin.side.take())
            assert len(twin.side.on_its_way) == len(twin.model.out), name
            assert twin.tables() == twin.modelled(), name
            assert twin.side.session.closed == twin.model.closed

    def teardown(self) -> None:
        """Whatever the history, nothing is left once everybody has given everything up."""
        self._give_everything_up()
        while any(twin.model.out for twin in self.twins.values()):
            for side in "ab":
                self.deliver_all(side)
            self._give_everything_up()
        self.the_tables_are_as_in_the_model()
        for twin in self.twins.values():
            if not twin.model.closed:
                assert twin.tables() == ({0: 1}, {0: (1, 1)})


TestHistories = Histories.TestCase
TestHistories.settings = settings(stateful_step_count=40, max_examples=max(300, settings().max_examples), deadline=None)
