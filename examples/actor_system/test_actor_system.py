"""The actors do what their README claims."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from capnweb_runtime.testing import Faults, PairFixture
from examples.actor_system.generated.actor_system import AccountStub, WorkerStub
from examples.actor_system.journal import FileJournal, NoJournal
from examples.actor_system.mailbox import Mailbox
from examples.actor_system.schemas.actor_system import Crashed, MailboxFull
from examples.actor_system.server import Ref, placed
from examples.actor_system.supervisor import Bound, Escalated, Slot
from examples.actor_system.worker import Account, Worker
from examples.form.testing import as_documented


def test_it_prints_what_is_documented_and_its_numbers_are_those_of_the_readme() -> None:
    ran = as_documented("actor_system")
    assert ran.number("together") == 200
    assert ran.number("alice, each message counted once") == 270
    assert ran.number("lost, as he has no journal: all that carl had") == 0
    assert ran.claims["starts of both"] == "[2, 2]"


class TestBound:
    def test_so_many_restarts_pass_and_the_next_one_escalates(self) -> None:
        bound = Bound(2, within=10.0, clock=lambda: 0.0)
        bound.restart()
        bound.restart()
        with pytest.raises(Escalated, match="more than 2 restarts within 10 s"):
            bound.restart()

    def test_those_that_are_long_ago_do_not_count(self) -> None:
        now = iter([0.0, 5.0, 10.0, 14.0])
        bound = Bound(2, within=10.0, clock=lambda: next(now))
        for _ in range(3):
            bound.restart()  # the first is forgotten at 10
        with pytest.raises(Escalated):
            bound.restart()


class TestMailbox:
    async def test_one_message_is_processed_at_a_time_in_the_order_in_which_they_came(self) -> None:
        mailbox, log = Mailbox(), list[str]()

        async def message(name: str) -> None:
            async with mailbox.turn():
                log.append(f"{name} begins")
                await asyncio.sleep(0)
                log.append(f"{name} ends")

        await asyncio.gather(*(message(name) for name in "abc"))
        assert log == [f"{name} {what}" for name in "abc" for what in ("begins", "ends")]

    async def test_a_message_for_which_there_is_no_room_is_refused_and_others_are_not(self) -> None:
        mailbox, may_end = Mailbox(room=2), asyncio.Event()

        async def message() -> None:
            async with mailbox.turn():
                await may_end.wait()

        waiting = [asyncio.create_task(message()) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(MailboxFull):
            await message()
        may_end.set()
        await asyncio.gather(*waiting)
        await message()


class TestAccount:
    async def test_a_message_that_is_sent_twice_counts_once(self) -> None:
        account = Account(NoJournal(), Mailbox())
        assert [await account.deposit("a", 5), await account.deposit("a", 5), await account.deposit("b", 1)] == [
            5,
            5,
            6,
        ]

    @pytest.mark.parametrize("kept", [True, False])
    async def test_what_is_there_when_it_is_started_again_is_what_is_in_its_journal(
        self, tmp_path: Path, kept: bool
    ) -> None:
        def started() -> Account:
            return Account(FileJournal(tmp_path / "a") if kept else NoJournal(), Mailbox())

        await started().deposit("first", 5)
        again = started()
        assert (await again.balance(), await again.processed()) == ((5, ["first"]) if kept else (0, []))
        await again.deposit("first", 5)
        await again.deposit("second", 2)
        assert await again.balance() == 7

    async def test_two_that_give_to_each_other_do_not_wait_for_each_other(self, capnweb_pair: PairFixture) -> None:
        one, other = Account(NoJournal(), Mailbox()), Account(NoJournal(), Mailbox())
        async with capnweb_pair(one, AccountStub) as to_one, capnweb_pair(other, AccountStub) as to_other:
            async with asyncio.timeout(10):
                await asyncio.gather(to_one.transfer("a", to_other, 3), to_other.transfer("b", to_one, 5))
            assert [await to_one.balance(), await to_other.balance()] == [2, -2]


class TestRef:
    async def test_calls_wait_for_an_actor_that_does_not_run_and_keep_their_order(
        self, capnweb_pair: PairFixture
    ) -> None:
        slot = Slot(None)
        async with (
            capnweb_pair(Ref(slot), AccountStub) as ref,
            capnweb_pair(Account(NoJournal(), Mailbox()), AccountStub) as account,
        ):
            sent = asyncio.gather(*(ref.deposit(str(number), 1) for number in range(5)))
            await asyncio.sleep(0)
            slot.begin(account.dup())
            assert await sent == [1, 2, 3, 4, 5]
            assert await ref.processed() == ["0", "1", "2", "3", "4"]
            assert slot.account is not None
            slot.account.dispose()

    async def test_a_call_that_was_lost_with_its_worker_is_told_so(self, capnweb_pair: PairFixture) -> None:
        slot, faults = Slot(None), Faults()
        async with (
            capnweb_pair(Ref(slot), AccountStub) as ref,
            capnweb_pair(Account(NoJournal(), Mailbox()), AccountStub, faults=faults) as account,
        ):
            slot.begin(account)
            assert await ref.balance() == 0
            faults.cut()
            with pytest.raises(Crashed):
                await ref.deposit("a", 1)


def test_actors_are_spread_over_workers_by_turns_and_some_remember(tmp_path: Path) -> None:
    spread = placed(tmp_path, 2)
    assert {worker: list(actors) for worker, actors in spread.items()} == {
        "worker 0": ["alice", "carl"],
        "worker 1": ["bob"],
    }
    assert spread["worker 0"]["carl"].journal is None
    assert spread["worker 1"]["bob"].journal == tmp_path / "bob.sqlite"


async def test_a_worker_is_told_when_its_supervisor_is_gone(capnweb_pair: PairFixture) -> None:
    orphaned = asyncio.Event()
    async with capnweb_pair(Worker(orphaned), WorkerStub) as worker, await worker.start("a", None) as account:
        assert await account.balance() == 0
        assert not orphaned.is_set()
    async with asyncio.timeout(10):
        await orphaned.wait()
