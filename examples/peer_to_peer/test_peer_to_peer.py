"""The peers do what their README claims."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from capnweb_runtime import serve
from capnweb_runtime.testing import Faults, PairFixture, assert_no_leaks
from examples.form.testing import as_documented
from examples.peer_to_peer.client import introduce
from examples.peer_to_peer.generated.peer_to_peer import NotebookStub, PeerStub
from examples.peer_to_peer.peer import Face, Loan, Node, Notebook, joined
from examples.peer_to_peer.schemas.peer_to_peer import Gone, NoSuchFriend, Note, Revoked


@pytest_asyncio.fixture
async def url() -> AsyncIterator[str]:
    """Where a peer called bob listens."""
    bob = Node("bob")
    async with serve(lambda peer: Face(bob, peer.main(PeerStub)), "127.0.0.1", 0) as server:
        yield server.url


def test_it_prints_what_is_documented_and_its_numbers_are_those_of_the_readme() -> None:
    ran = as_documented("peer_to_peer")
    assert ran.number("100 such calls at once, answers") == 100
    assert ran.claims["Bob writes again, once Ada has taken it back"] == "Revoked"
    assert ran.claims["he is asked, and says nothing"] == "ConnectionLost"


async def test_each_end_calls_the_other(url: str) -> None:
    async with joined(Node("ada"), url) as bob:
        assert await bob.name() == "bob"
        assert await bob.sees() == "ada"


@pytest.mark.capnweb(no_leaks=True)
async def test_an_introduction_leaves_nothing_once_it_is_forgotten(capnweb_pair: PairFixture) -> None:
    bob, carol = Node("bob"), Node("carol")
    async with capnweb_pair(Face(bob), PeerStub) as at_bob, capnweb_pair(Face(carol), PeerStub) as at_carol:
        await introduce(at_bob, at_carol, name="carol")
        assert await at_bob.write_to("carol", "hello") == 1
        assert carol.notebook.notes() == [Note(author="bob", text="hello")]
        bob.forget("carol")
        with pytest.raises(NoSuchFriend):
            await at_bob.write_to("carol", "hello")


async def test_what_was_taken_back_holds_nothing_of_the_owner_and_is_refused_whoever_has_it(
    capnweb_pair: PairFixture,
) -> None:
    bob, carol = Node("bob"), Node("carol")
    joined_to_carol = capnweb_pair(Face(carol), PeerStub)
    async with capnweb_pair(Face(bob), PeerStub) as at_bob, joined_to_carol as at_carol:
        loan = await introduce(at_bob, at_carol, name="carol")
        loan.take_back()
        loan.take_back()
        await assert_no_leaks(joined_to_carol)
        with pytest.raises(Revoked):
            await at_bob.write_to("carol", "hello")
        with pytest.raises(Revoked):
            await bob.friends["carol"].notes()
        assert carol.notebook.notes() == []


async def test_an_owner_who_is_lost_is_gone_for_whoever_was_lent_something(capnweb_pair: PairFixture) -> None:
    faults = Faults()
    async with capnweb_pair(Notebook(), NotebookStub) as other:
        assert await other.notes() == []
        async with capnweb_pair(Notebook(), NotebookStub, faults=faults) as notebook:
            loan = Loan(notebook.dup())
            assert await loan.notes() == []
            faults.cut()
            with pytest.raises(Gone):
                await loan.write(Note(author="bob", text="hello"))


async def test_a_friend_is_forgotten_when_whoever_has_introduced_them_is_lost(capnweb_pair: PairFixture) -> None:
    bob = Node("bob")
    async with capnweb_pair(Face(bob), PeerStub) as at_bob:
        await at_bob.meet("carol", Notebook())
        assert await at_bob.friends() == ["carol"]
    assert bob.friends == {}


async def test_a_friend_who_was_introduced_anew_stays_when_the_first_introducer_is_lost(
    capnweb_pair: PairFixture,
) -> None:
    bob, second = Node("bob"), Notebook()
    async with capnweb_pair(Face(bob), PeerStub) as at_bob_now:
        async with capnweb_pair(Face(bob), PeerStub) as at_bob:
            await at_bob.meet("carol", Notebook())
            await at_bob_now.meet("carol", second)
        assert await at_bob_now.write_to("carol", "hello") == 1
    assert bob.friends == {}
