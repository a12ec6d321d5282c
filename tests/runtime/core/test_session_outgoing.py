"""What a session sends: each use of stubs and promises, as text."""

from __future__ import annotations

import pytest

from capnweb_runtime.errors import RangeError
from tests.runtime.example import Counter, Desk, DeskStub
from tests.runtime.pair import Pair, Side, begin, outcome


def test_a_call_is_pushed_at_once_and_pulled_when_it_is_awaited() -> None:
    side = Side()
    promise = side.main(DeskStub).add(1, 2)
    assert side.take() == ['["push",["pipeline",0,["add"],[1,2]]]']
    begin(promise)
    assert side.take() == ['["pull",1]']
    begin(promise)
    assert side.take() == []


def test_the_result_is_released_as_soon_as_it_is_processed() -> None:
    side = Side()
    promise = side.main(DeskStub).add(1, 2)
    begin(promise)
    side.take()
    assert side.hear(["resolve", 1, 3]) == ['["release",1,1]']
    assert outcome(promise) == 3


def test_a_rejection_is_released_too() -> None:
    side = Side()
    promise = side.main(DeskStub).add(1, 2)
    begin(promise)
    side.take()
    assert side.hear(["reject", 1, ["error", "RangeError", "far"]]) == ['["release",1,1]']
    with pytest.raises(RangeError, match="far"):
        outcome(promise)


def test_calls_are_numbered_from_one() -> None:
    side = Side()
    desk = side.main(DeskStub)
    nothing, counter = desk.nothing(), desk.counter()
    incremented = counter.increment(5)
    assert side.take() == [
        '["push",["pipeline",0,["nothing"],[]]]',
        '["push",["pipeline",0,["counter"],[]]]',
        '["push",["pipeline",2,["increment"],[5]]]',
    ]
    for promise in (nothing, counter, incremented):
        promise.dispose()
    assert side.take() == ['["release",1,1]', '["release",2,1]', '["release",3,1]']


def test_a_property_is_read_when_it_is_awaited() -> None:
    side = Side()
    title = side.main(DeskStub).best.title
    assert side.take() == []
    begin(title)
    assert side.take() == ['["push",["pipeline",0,["best","title"]]]', '["pull",1]']


def test_a_promise_as_an_argument_is_a_pipeline_expression() -> None:
    side = Side()
    desk = side.main(DeskStub)
    total = desk.add(1, 2)
    promise = desk.add(total, desk.best.pages)
    assert side.take() == [
        '["push",["pipeline",0,["add"],[1,2]]]',
        '["push",["pipeline",0,["add"],[["pipeline",1],["pipeline",0,["best","pageCount"]]]]]',
    ]
    promise.dispose()
    total.dispose()
    assert side.take() == ['["release",2,1]', '["release",1,1]']


def test_capabilities_are_exported_downwards_from_minus_one_each_time_anew() -> None:
    side = Side()
    desk = side.main(DeskStub)
    counter = Counter()
    promises = [desk.keep(counter), desk.keep(counter), desk.apply(lambda n: n, 1)]
    assert side.take() == [
        '["push",["pipeline",0,["keep"],[["export",-1]]]]',
        '["push",["pipeline",0,["keep"],[["export",-2]]]]',
        '["push",["pipeline",0,["apply"],[["export",-3],1]]]',
    ]
    assert len(promises) == 3


def test_the_peers_own_capability_goes_back_by_its_id() -> None:
    side = Side()
    desk = side.main(DeskStub)
    promise = desk.counter()
    begin(promise)
    side.take()
    side.hear(["resolve", 1, ["export", -4]])
    stub = outcome(promise)
    kept = desk.keep(stub)
    assert side.take() == ['["push",["pipeline",0,["keep"],[["import",-4]]]]']
    stub.dispose()
    assert side.take() == ['["release",-4,1]']
    kept.dispose()


def test_a_release_counts_every_introduction() -> None:
    side = Side()
    desk = side.main(DeskStub)
    promises = [desk.counter(), desk.counter()]
    for promise in promises:
        begin(promise)
    side.take()
    side.hear(["resolve", 1, ["export", -4]], ["resolve", 2, ["export", -4]])
    stubs = [outcome(promise) for promise in promises]
    stubs[0].dispose()
    assert side.take() == []
    stubs[1].dispose()
    assert side.take() == ['["release",-4,2]']


def test_a_promise_among_the_arguments_that_is_not_the_peers_is_exported_and_resolved_after_the_message() -> None:
    server = Pair(None, Desk())
    side = Side()
    known = server.a.main(DeskStub).add(1, 2)
    server.wait(known)
    promise = side.main(DeskStub).add(known, 1)
    assert side.take() == ['["push",["pipeline",0,["add"],[["promise",-1],1]]]', '["resolve",-1,3]']
    promise.dispose()


def test_disposing_a_call_that_has_not_been_answered_releases_it() -> None:
    side = Side()
    promise = side.main(DeskStub).add(1, 2)
    begin(promise)
    promise.dispose()
    promise.dispose()
    assert side.take() == ['["push",["pipeline",0,["add"],[1,2]]]', '["pull",1]', '["release",1,1]']


def test_the_late_answer_to_a_disposed_call_is_ignored_and_its_capabilities_released() -> None:
    side = Side()
    promise = side.main(DeskStub).counter()
    begin(promise)
    promise.dispose()
    side.take()
    assert side.hear(["resolve", 1, [[["export", -1], ["export", -2]]]]) == ['["release",-1,1]', '["release",-2,1]']
    side.assert_empty()


def test_it_wakes_the_connection_when_the_outbox_stops_being_empty() -> None:
    side = Side()
    desk = side.main(DeskStub)
    promises = [desk.nothing(), desk.nothing()]
    assert side.wakes == 1
    side.take()
    assert side.session.take_outbox() == []
    promises.append(desk.nothing())
    assert side.wakes == 2


def test_dropped_promises_are_released_when_the_outbox_is_taken() -> None:
    side = Side()
    promise = side.main(DeskStub).add(1, 2)
    side.take()
    del promise
    assert side.host.wakes == 1
    assert side.take() == ['["release",1,1]']


def test_what_was_dropped_after_the_end_needs_nothing() -> None:
    side = Side()
    promise = side.main(DeskStub).add(1, 2)
    side.session.abort(ValueError("enough"), notify=False)
    side.take()
    del promise
    assert side.host.wakes == 0
    assert side.take() == []
