"""What a message may cost is charged before it is done, each message for itself."""

from __future__ import annotations

import pytest

from capnweb_runtime.core.account import ENOUGH, LARGE, SLICE, Account
from capnweb_runtime.errors import LimitExceeded
from capnweb_runtime.limits import Limits


def account(work: int = 100) -> Account:
    made = Account(Limits(message_work=work))
    made.between = False
    made.messages = 1
    return made


def test_what_one_message_asks_for_adds_up_and_the_next_one_begins_anew() -> None:
    made = account()
    made.charge(60)
    made.charge(40)
    with pytest.raises(LimitExceeded, match=r"more than 100 units of work, the most that Limits\.message_work allows"):
        made.charge(1)
    made.messages += 1
    made.charge(100)
    assert made.spent == 201


def test_between_messages_each_charge_stands_for_itself() -> None:
    made = account()
    made.charge(100)
    made.between = True
    for _ in range(3):
        made.charge(100)
    with pytest.raises(LimitExceeded):
        made.charge(101)


def test_what_cannot_be_put_off_between_messages_has_the_budget_of_one() -> None:
    made = account()
    made.between = True

    def work(times: int) -> int:
        for _ in range(times):
            made.charge(40)
        return made.left

    assert made.as_one(work, 2) == 20
    assert made.left == 100
    with pytest.raises(LimitExceeded):
        made.as_one(work, 3)
    assert made.between
    made.charge(100)


def test_what_has_asked_for_too_much_has_nothing_left() -> None:
    made = account()
    assert made.left == 100
    with pytest.raises(LimitExceeded):
        made.charge(150)
    assert made.left == 0


def test_reading_a_large_message_leaves_less_for_what_it_asks_for() -> None:
    made = account()
    made.begin(b"[" + b"{}," * 60 + b"0]")
    made.charge(30)
    with pytest.raises(LimitExceeded):
        made.charge(2)


@pytest.mark.parametrize("message", [b"[{}]" * 60, "[{}]" * 60, [{}] * 120], ids=["bytes", "text", "a tree"])
def test_a_message_that_takes_too_much_to_read_is_refused(message: object) -> None:
    made = account()
    with pytest.raises(LimitExceeded, match=r"takes more than 100 units of work to read.*Limits\.message_work"):
        made.begin(message)


def test_no_message_that_may_take_too_much_to_read_is_taken_for_a_small_one() -> None:
    assert Account(Limits()).large == LARGE < Limits().message_work
    assert account(100).large == 100
    assert account(100).enough < 100


def test_structure_in_strings_is_no_work() -> None:
    account().begin(b'["' + b"[{" * 5000 + b'"]')


class TestTurns:
    def test_the_driver_is_asked_once_for_every_slice(self) -> None:
        asked: list[int] = []
        made = account(10**6)

        def ask() -> bool:
            asked.append(made.spent)
            return False

        made.has_had_turn = ask
        for _ in range(10 * SLICE):
            made.charge(1)
            if made.spent > made.look_at:
                assert not made.is_over()
        assert asked == [SLICE + 1 + number * (SLICE + 1) for number in range(len(asked))]
        assert len(asked) == 9

    def test_whoever_takes_messages_is_told_after_something_dear_and_when_the_session_has_ended(self) -> None:
        made = account(10**6)
        assert made.enough == ENOUGH
        made.charge(SLICE + 1)
        assert made.enough == -1
        assert not made.is_over()
        assert made.enough == ENOUGH
        made.end()
        assert made.enough == -1
        made.begin_turn()
        assert made.enough == -1

    def test_a_turn_that_is_over_stays_so_until_the_next_one_begins(self) -> None:
        made = account()
        made.has_had_turn = lambda: True
        assert made.is_over()
        made.has_had_turn = lambda: False
        assert made.over
        assert made.is_over()
        assert made.look_at == -1
        made.begin_turn()
        assert not made.is_over()
