"""Two sessions under random interleavings, against a small model of ownership.

The model: a target's disposer runs once for each time the target was passed, no method of it runs after the last, and
when everything has been given up both ends of both tables are empty.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capnweb_runtime.core.hook import Hook, Host
from capnweb_runtime.errors import DisposedError, RpcError
from capnweb_runtime.objects.promise_face import ERROR, PENDING
from capnweb_runtime.objects.stub import RpcPromise
from tests.runtime.example import Counter, CounterStub, Desk, DeskStub
from tests.runtime.pair import Pair, Side, begin


class Tracked(Counter):
    """Knows how often it has been passed, and refuses to run once it has been given up as often."""

    def __init__(self, start: int = 0) -> None:
        super().__init__(start)
        self.passed = 0

    def _export(self, host: Host) -> Hook:
        self.passed += 1
        return super()._export(host)

    def increment(self, n: int = 1) -> int:
        assert self.disposed < self.passed, "called after it was given up"
        return super().increment(n)


class Office(Desk):
    """Hands out tracked counters."""

    def _make(self, start: int) -> Counter:
        counter = Tracked(start)
        self.made.append(counter)
        return counter

    def keep(self, counter: CounterStub) -> None:
        self.let_go()
        self.keeping = counter.dup()

    def kept(self) -> Any:
        kept, self.keeping = self.keeping, None
        return kept or self._make(0)

    def let_go(self) -> None:
        if self.keeping is not None:
            self.keeping.dispose()
            self.keeping = None

    def settle_one(self, value: object) -> None:
        """Answers the call that has been held for longest."""
        name = next(iter(self.held), None)
        if name is not None:
            cell = self.held.pop(name)
            if isinstance(value, Exception):
                cell.reject(value)
            else:
                cell.resolve(value)


class Player:
    """One side: what it holds of the peer's."""

    def __init__(self, side: Side, own: Office, peer: Office) -> None:
        self.side = side
        self.own = own
        self.peer = peer
        self.desk = side.main(DeskStub)
        self.stubs: list[CounterStub] = []
        self.promises: list[RpcPromise[Any]] = []  # of counters
        self.others: list[RpcPromise[Any]] = []  # of anything else


class World:
    """Interprets random steps."""

    def __init__(self) -> None:
        offices = Office(), Office()
        self.pair = Pair(*offices)
        self.players = (Player(self.pair.a, *offices), Player(self.pair.b, offices[1], offices[0]))
        self.asked: list[RpcPromise[Any]] = []
        self.names = 0
        self.mine: list[Tracked] = []

    def target(self) -> Tracked:
        self.mine.append(Tracked(5))
        return self.mine[-1]

    def capability(self, player: Player, pick: int) -> Any:
        """A new object of ours, or a stub or promise of either side's."""
        other = self.players[player is self.players[0]]
        choice: Sequence[Any] = [*player.stubs, *player.promises, *other.stubs, *other.promises]
        index = pick % (len(choice) + 1)
        return choice[index] if index < len(choice) else self.target()

    def ask(self, promise: RpcPromise[Any]) -> None:
        begin(promise)
        self.asked.append(promise)

    def step(self, action: str, who: int, pick: int) -> None:
        player = self.players[who]
        getattr(self, f"do_{action}")(player, pick)

    def do_deliver(self, player: Player, pick: int) -> None:
        for _ in range(1 + pick % 3):
            self.pair.step(player.side)

    def do_make(self, player: Player, pick: int) -> None:
        player.promises.append(player.desk.counter(pick))

    def do_hold(self, player: Player, pick: int) -> None:
        self.names += 1
        player.promises.append(player.desk.hold_counter(f"held {self.names}"))

    def do_settle(self, player: Player, pick: int) -> None:
        player.own.settle_one(RpcError("rejected") if pick % 4 == 0 else self.target())

    def do_pull(self, player: Player, pick: int) -> None:
        if player.promises:
            self.ask(player.promises[pick % len(player.promises)])

    def do_take(self, player: Player, pick: int) -> None:
        """Keeps the stub that a promise has given, and drops the promise."""
        for index, promise in enumerate(player.promises):
            if promise._outcome is not None and isinstance(promise._outcome.value, CounterStub):
                player.stubs.append(promise._outcome.value)
                self.asked = [asked for asked in self.asked if asked is not promise]
                del player.promises[index]
                return

    def do_call(self, player: Player, pick: int) -> None:
        callees: Sequence[Any] = [*player.stubs, *player.promises]
        if callees:
            player.others.append(callees[pick % len(callees)].increment(1))

    def do_call_and_pull(self, player: Player, pick: int) -> None:
        self.do_call(player, pick)
        if player.others:
            self.ask(player.others[-1])

    def do_itself(self, player: Player, pick: int) -> None:
        callees: Sequence[Any] = [*player.stubs, *player.promises]
        if callees:
            player.promises.append(callees[pick % len(callees)].itself())

    def do_pass(self, player: Player, pick: int) -> None:
        player.others.append(player.desk.use(self.capability(player, pick)))
        self.ask(player.others[-1])

    def do_return(self, player: Player, pick: int) -> None:
        player.promises.append(player.desk.same(self.capability(player, pick)))

    def do_keep(self, player: Player, pick: int) -> None:
        player.others.append(player.desk.keep(self.capability(player, pick)))

    def do_kept(self, player: Player, pick: int) -> None:
        player.promises.append(player.desk.kept())

    def do_echo(self, player: Player, pick: int) -> None:
        first, second = self.capability(player, pick), self.capability(player, pick + 1)
        player.others.append(player.desk.echo([first, {"second": second, "again": [first]}]))
        if pick % 2:
            self.ask(player.others[-1])

    def do_callback(self, player: Player, pick: int) -> None:
        player.others.append(player.desk.apply(lambda n: n + 1, pick))
        self.ask(player.others[-1])

    def do_lend(self, player: Player, pick: int) -> None:
        player.others.append(player.desk.lend(lambda counter: counter.increment(1)))
        self.ask(player.others[-1])

    def do_map(self, player: Player, pick: int) -> None:
        captured = player.stubs[pick % len(player.stubs)] if player.stubs else None
        mapper: Callable[[Any], Any] = (
            (lambda n: captured.increment(n)) if captured is not None else (lambda n: player.desk.counter(n))
        )
        player.others.append(player.desk.ints(2).map(mapper))
        if pick % 2:
            self.ask(player.others[-1])

    def do_dup(self, player: Player, pick: int) -> None:
        if player.stubs:
            player.stubs.append(player.stubs[pick % len(player.stubs)].dup())

    def do_dispose(self, player: Player, pick: int) -> None:
        lists: list[list[Any]] = [player.stubs, player.promises, player.others]
        held = lists[pick % 3]
        if held:
            held.pop(pick % len(held)).dispose()

    def do_drop(self, player: Player, pick: int) -> None:
        """Drops a promise, or disposes of a stub (dropping that would warn)."""
        if player.others:
            del player.others[pick % len(player.others)]

    def check_outcomes(self) -> None:
        """Whatever was asked for has come, or failed because something was given up."""
        for promise in self.asked:
            result = promise._begun()
            assert result.state != PENDING, promise
            if result.state == ERROR:
                assert isinstance(result.value, (DisposedError, RpcError)), result.value
                assert "disposed" in str(result.value) or str(result.value) == "rejected", result.value

    def finish(self) -> None:
        """Gives up everything and checks the model."""
        self.pair.run()
        while any(player.own.held for player in self.players):
            for player in self.players:
                player.own.settle_one(self.target())
            self.pair.run()
        self.check_outcomes()
        self.asked = []
        for player in self.players:
            player.own.let_go()
            lists: list[list[Any]] = [player.stubs, player.promises, player.others]
            for held in lists:
                while held:
                    held.pop().dispose()
        gc.collect()
        self.pair.run()
        self.pair.assert_empty()
        for counter in (*self.mine, *self.players[0].own.made, *self.players[1].own.made):
            assert isinstance(counter, Tracked)
            assert counter.disposed == counter.passed
        for player in self.players:
            assert not [error for _, error in player.side.failures if isinstance(error, AssertionError)]


ACTIONS = sorted(name.removeprefix("do_") for name in vars(World) if name.startswith("do_"))
STEPS = st.tuples(st.one_of(st.just("deliver"), st.sampled_from(ACTIONS)), st.integers(0, 1), st.integers(0, 11))


@pytest.fixture(scope="module")
def quick_collections() -> Iterator[None]:
    """Leaves what was there before out of the garbage collections of the test."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@settings(max_examples=300)
@given(st.lists(STEPS, max_size=40))
@pytest.mark.usefixtures("quick_collections")
def test_whatever_happens_everything_is_given_back(steps: list[tuple[str, int, int]]) -> None:
    world = World()
    for step in steps:
        world.step(*step)
    world.finish()


def test_messages_arrive_one_by_one_when_asked() -> None:
    pair = Pair(None, Desk())
    promise = pair.a.main(DeskStub).add(1, 2)
    begin(promise)
    assert pair.step(pair.b) is None
    assert pair.step(pair.a) == '["push",["pipeline",0,["add"],[1,2]]]'
    assert pair.step(pair.b) is None
    assert pair.step(pair.a) == '["pull",1]'
    assert pair.step(pair.b) == '["resolve",1,3]'
    assert pair.wait(promise) == 3
    pair.assert_empty()
