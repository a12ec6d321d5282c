"""The window arithmetic, on numbers that the reference's formula gives."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capnweb_runtime.core.flow import INITIAL_WINDOW, MAX_WINDOW, MIN_WINDOW, FlowWindow, Token

KIB = 1024

# What the reference's flow controller says after each acknowledgement: the window, and whether it is in startup.
LINK_OF_10_MS = [
    *[(262144, True)], *[(524288, True)] * 5, (546133.333, True), (561737.143, True), (573440, True),
    *[(582542.222, True)] * 3, *[(655360, True)] * 11, (655360, False), *[(589824, False)] * 10,
    *[(530841.6, False)] * 6,
]  # fmt: skip
LINK_OF_2_MS = [
    (262144, True), (524288, True), (524288, True), (524288, True), (524288, True), (524288, True), (642756.923, True),
    (756755.321, True), (866531.556, True), (972315.927, True), (972315.927, True), (972315.927, True),
    (1048576, True), (1048576, True), (1048576, True), (1156962.462, True), (1261258.868, True), (1261258.868, True),
    (1361692.444, True), (1458473.891, True), (1458473.891, True), (1551798.857, True), (1641849.263, True),
]  # fmt: skip
SLOWING_LINE = [
    (262144, True), (524288, True), (471859.2, True), (424673.28, True), (382205.952, False), (343985.357, False),
    (309586.821, False), (278628.139, False), (250765.325, False), (225688.793, False), (203119.913, False),
    (182807.922, False), (164527.13, False), (148074.417, False), (133266.975, False), (119940.278, False),
    (107946.25, False), (97151.625, False), (87436.462, False), (78692.816, False), (70823.535, False),
    (65536, False), (65536, False),
]  # fmt: skip


def state(flow: FlowWindow) -> tuple[float, bool]:
    return round(flow.window, 3), flow.starting


def round_trip(flow: FlowWindow, at: float, rtt: float, size: int | None = None) -> float:
    """Sends one message, of the size of the window unless told, gets it acknowledged, and returns the time."""
    token = flow.sent(math.ceil(flow.window) if size is None else size, at)
    flow.acknowledged(token, at + rtt)
    return at + rtt


def over_a_link(per_message: float, delay: float, size: int, count: int) -> Sequence[tuple[float, bool]]:
    """The states after each acknowledgement for a sender that always has more to send, over a link that takes
    `per_message` for each message and then `delay`.
    """
    flow = FlowWindow()
    on_its_way: deque[tuple[float, Token]] = deque()
    now = link_free = 1000.0
    states: list[tuple[float, bool]] = []
    while len(states) < count:
        while flow.open:
            link_free = max(link_free, now) + per_message
            on_its_way.append((link_free + delay, flow.sent(size, now)))
        now, token = on_its_way.popleft()
        flow.acknowledged(token, now)
        states.append(state(flow))
    return states


@pytest.mark.parametrize(
    ("per_message", "delay", "expected"),
    [
        pytest.param(10, 40, LINK_OF_10_MS, id="a link that is found to be full"),
        pytest.param(2, 100, LINK_OF_2_MS, id="a link that has room"),
    ],
)
def test_over_a_link_the_window_moves_as_the_references_does(
    per_message: float, delay: float, expected: Sequence[tuple[float, bool]]
) -> None:
    assert over_a_link(per_message, delay, 64 * KIB, len(expected)) == expected


def test_the_unit_of_time_does_not_matter() -> None:
    in_seconds = over_a_link(0.010, 0.040, 64 * KIB, 20)
    assert [starting for _, starting in in_seconds] == [starting for _, starting in LINK_OF_10_MS[:20]]
    assert [window for window, _ in in_seconds] == pytest.approx([window for window, _ in LINK_OF_10_MS[:20]])


def test_the_first_acknowledgement_says_nothing_and_then_the_window_doubles_per_round_trip_up_to_a_gibibyte() -> None:
    flow, now = FlowWindow(), 1000.0
    windows = []
    for _ in range(16):
        now = round_trip(flow, now, 100)
        windows.append(flow.window)
    doubled = [INITIAL_WINDOW * 2**power for power in range(13)]
    assert windows == [*doubled, *[MAX_WINDOW] * 3]
    assert doubled[-1] == MAX_WINDOW == 2**30


def test_startup_ends_after_three_rounds_without_growth_by_more_than_a_quarter() -> None:
    flow, now = FlowWindow(), 1000.0
    seen = []
    for _ in range(6):
        now = round_trip(flow, now, 50, size=1000)
        seen.append(state(flow))
    # The first acknowledgement gives no rate, the second one is a first round: it always counts as growth.
    assert seen == [(262144, True)] * 4 + [(262144, False)] * 2


def test_a_round_with_growth_starts_the_count_afresh() -> None:
    flow, now = FlowWindow(), 1000.0
    for size in (1000, 1000, 1000, 1000):
        now = round_trip(flow, now, 50, size=size)
    now = round_trip(flow, now, 50)  # it doubles: the third round without growth does not come
    assert state(flow) == (524288, True)
    now = round_trip(flow, now, 50, size=1000)
    now = round_trip(flow, now, 50, size=1000)
    assert flow.starting
    round_trip(flow, now, 50, size=1000)
    assert not flow.starting


def test_messages_of_a_round_that_has_been_counted_do_not_count_again() -> None:
    flow = FlowWindow()
    round_trip(flow, 0, 10, size=10)
    tokens = [flow.sent(10, 20) for _ in range(10)]
    for token in tokens:
        flow.acknowledged(token, 30)
    assert flow.starting  # one round, whatever the number of its messages


def test_in_the_steady_phase_the_window_grows_by_a_quarter_per_round_trip() -> None:
    flow, now = FlowWindow(), 1000.0
    for _ in range(5):
        now = round_trip(flow, now, 50, size=1000)
    assert state(flow) == (262144, False)
    windows = []
    for _ in range(4):
        now = round_trip(flow, now, 50, size=4 * 262144)
        windows.append(flow.window)
    assert windows == [262144 * 1.25**power for power in (1, 2, 3, 4)]


def test_a_line_that_slows_down_shrinks_the_window_by_a_tenth_per_round_trip_down_to_64_kib() -> None:
    flow, now = FlowWindow(), 1000.0
    seen = []
    for index in range(len(SLOWING_LINE)):
        now = round_trip(flow, now, 10 if index < 2 else 200)
        seen.append(state(flow))
    assert seen == SLOWING_LINE
    assert seen[-1][0] == MIN_WINDOW


def test_the_window_never_shrinks_for_a_sender_that_did_not_fill_it() -> None:
    flow, now = FlowWindow(), 1000.0
    now = round_trip(flow, now, 10)
    now = round_trip(flow, now, 10)
    before = flow.window
    for _ in range(20):
        now = round_trip(flow, now, 500, size=100)
    assert flow.window == before


def test_a_message_that_did_not_fill_the_window_does_not_undo_a_shrinkage() -> None:
    flow = FlowWindow()
    round_trip(flow, 0, 10)
    round_trip(flow, 10, 10)
    small = flow.sent(100, 20)  # knows the window before it shrinks
    full = flow.sent(math.ceil(flow.window), 20)
    flow.acknowledged(full, 500)
    shrunk = flow.window
    assert shrunk < small.window
    flow.acknowledged(small, 900)
    assert flow.window == shrunk


def test_what_was_sent_before_the_first_acknowledgement_is_measured_from_it() -> None:
    flow = FlowWindow()
    tokens = [flow.sent(64 * KIB, 1000) for _ in range(4)]
    seen = []
    for at, token in zip((1025, 1050, 1075, 1100), tokens, strict=True):
        flow.acknowledged(token, at)
        seen.append(state(flow))
    assert seen == [(262144, True), (262144, True), (262144, True), (235929.6, True)]


def test_acknowledgements_within_one_tick_allow_the_full_step() -> None:
    flow = FlowWindow()
    tokens = [flow.sent(64 * KIB, 1000) for _ in range(4)]
    seen = []
    for token in tokens:
        flow.acknowledged(token, 1010)
        seen.append(state(flow))
    assert seen == [(262144, True), (524288, True), (524288, True), (524288, True)]


def test_a_round_trip_time_of_zero_does_not_stall_the_stream() -> None:
    flow = FlowWindow()
    for _ in range(20):
        round_trip(flow, 5.0, 0)
        assert flow.open
    assert flow.window == MAX_WINDOW
    round_trip(flow, 5.0, 1.0)  # the clock moves on, the shortest round trip stays 0
    assert flow.open
    assert math.isfinite(flow.window)


def test_the_message_that_fills_the_window_is_sent_and_then_no_other_until_there_is_room() -> None:
    flow = FlowWindow()
    first = flow.sent(INITIAL_WINDOW - 1, 0)
    assert (first.full, flow.open) == (False, True)
    second = flow.sent(10_000_000, 0)
    assert (second.full, flow.open) == (True, False)
    flow.acknowledged(second, 1)
    assert flow.open
    assert flow.in_flight == first.size


def test_a_message_that_failed_makes_room_and_measures_nothing() -> None:
    flow = FlowWindow()
    token = flow.sent(INITIAL_WINDOW, 0)
    flow.failed(token)
    assert (flow.in_flight, flow.window, flow.open) == (0, INITIAL_WINDOW, True)
    round_trip(flow, 10, 10)
    assert flow.window == INITIAL_WINDOW  # that was the first acknowledgement


@given(st.lists(st.tuples(st.integers(1, 2**22), st.sampled_from([0.0, 1e-9, 0.001, 0.5, 3600.0])), max_size=60))
def test_the_window_stays_a_number_within_its_bounds(messages: list[tuple[int, float]]) -> None:
    flow, now = FlowWindow(), 0.0
    waiting: deque[Token] = deque()
    for size, passed in messages:
        waiting.append(flow.sent(size, now))
        now += passed
        while waiting and not flow.open:
            flow.acknowledged(waiting.popleft(), now)
        assert MIN_WINDOW <= flow.window <= MAX_WINDOW
    for token in waiting:
        flow.acknowledged(token, now)
    assert flow.in_flight == 0
    assert flow.open
