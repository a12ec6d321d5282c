"""Fakes at work, as generated: what they answer, what they keep, and how they fail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date

import pytest

from capnweb_runtime import RpcError
from capnweb_runtime.testing import UnexpectedCall, pair, verify
from tests.gen.golden.fakes.expected.library import LibraryStub
from tests.gen.golden.fakes.expected.library_fakes import (
    LibraryFake,
    LibrarySearchCall,
    LibraryWatchCall,
    ReaderFake,
    ShelfFake,
)
from tests.gen.golden.fakes.expected.people import ClerkStub, PersonStub
from tests.gen.golden.fakes.expected.people_fakes import ClerkFake, PersonFake
from tests.gen.golden.fakes.schemas.library import Book, NoSuchBook

SEA = Book(title="The Sea", year=2005)


async def test_what_is_set_is_given_and_what_was_asked_is_kept() -> None:
    fake = LibraryFake()
    fake.search.returns([0, 2])
    fake.opened.returns(True)
    async with pair(fake, LibraryStub) as library:
        assert await library.search("Sea", 5, order="year") == [0, 2]
        assert await library.search("Wolf") == [0, 2]
        assert await library.opened is True
    assert fake.search.calls == [
        LibrarySearchCall(word="Sea", limit=5, order="year"),
        LibrarySearchCall(word="Wolf", limit=10, order="title"),
    ]
    assert fake.search.calls[0].word == "Sea"
    assert fake.opened.reads == 1


async def test_answers_come_in_order_and_the_last_stays() -> None:
    fake = LibraryFake()
    fake.book.returns(SEA, times=2)
    fake.book.raises(NoSuchBook(3))
    async with pair(fake, LibraryStub) as library:
        assert [await library.book(1), await library.book(2)] == [SEA, SEA]
        for _ in range(2):
            with pytest.raises(NoSuchBook) as caught:
                await library.book(3)
            assert caught.value.number == 3


async def test_arguments_may_have_answers_of_their_own() -> None:
    fake = LibraryFake()
    fake.search.returns([])
    fake.search.when("Sea").returns([1], times=1)
    fake.search.when("Sea", order="year").returns([2])
    async with pair(fake, LibraryStub) as library:
        assert await library.search("Sea", order="year") == [2]
        assert [await library.search("Sea"), await library.search("Sea")] == [[1], []]
        assert await library.search("Wolf") == []


async def test_a_function_answers_with_the_arguments() -> None:
    fake = LibraryFake()
    fake.search.does(lambda word, limit=10, *, order="title": [len(word), limit])

    async def book(number: int) -> Book:
        return Book(title=str(number), year=number)

    fake.book.does(book)
    async with pair(fake, LibraryStub) as library:
        assert await library.search("Sea") == [3, 10]
        assert await library.book(5) == Book(title="5", year=5)


async def test_a_stream_is_given_again_to_each_call() -> None:
    fake = LibraryFake()
    fake.pages.yields("one", "two")

    async def none(number: int) -> AsyncIterator[str]:
        for _ in range(0):
            yield "never"

    async with pair(fake, LibraryStub) as library:
        for _ in range(2):
            assert [page async for page in library.pages(1)] == ["one", "two"]
        fake.pages.does(none)
        assert [page async for page in library.pages(1)] == []


async def test_fakes_give_fakes_which_are_verified_with_them() -> None:
    fake, shelf = LibraryFake(), ShelfFake()
    fake.shelf.returns(shelf)
    shelf.put.returns(2)
    async with pair(fake, LibraryStub, no_leaks=True) as library, await library.shelf() as held:
        assert await held.put(1, 2) == 2
    assert shelf.put.calls[0].numbers == (1, 2)
    unasked = LibraryFake()
    unasked.shelves.returns({"mine": ShelfFake()})
    inner = ShelfFake()
    inner.put.returns(1)
    unasked.shelf.returns(inner)
    with pytest.raises(AssertionError) as caught:
        unasked.verify()
    assert [line.partition(",")[0] for line in str(caught.value).splitlines()] == [
        "LibraryFake was not asked for what is set",
        "LibraryFake was not asked for what is set",
        "ShelfFake was not asked for what is set",
    ]


async def test_stubs_among_the_arguments_are_kept_to_be_called() -> None:
    fake = LibraryFake()
    fake.watch.returns(ShelfFake())
    books: list[Book] = []
    async with pair(fake, LibraryStub) as library, await library.watch(books.append):
        (call,) = fake.watch.calls
        assert isinstance(call, LibraryWatchCall)
        await call.on_book(SEA)
    assert books == [SEA]


async def test_what_was_kept_is_no_leak_once_verified() -> None:
    fake = LibraryFake()
    fake.watch.returns(ShelfFake())
    async with pair(fake, LibraryStub, no_leaks=True) as library:
        (await library.watch(print)).dispose()


def test_an_unexpected_call_says_what_was_expected() -> None:
    fake = LibraryFake()
    fake.search.when("Sea").returns([1], times=1)
    with pytest.raises(UnexpectedCall) as caught:
        fake.search("Wolf")
    assert str(caught.value) == (
        "LibraryFake was not expected to be asked for search(word='Wolf', limit=10, order='title'); set are:\n"
        "  search.when(word='Sea', limit=10, order='title'): returns [1] (given 0 of 1 times)"
    )
    with pytest.raises(AssertionError) as verified:
        fake.verify()
    assert len(str(verified.value).splitlines()) == 2


async def test_a_property_that_nothing_is_set_for_fails_as_a_call_does() -> None:
    joined = pair(LibraryFake(), LibraryStub)
    library = await joined.__aenter__()
    with pytest.raises(RpcError, match=r"use opened\.returns"):
        await library.opened
    with pytest.raises(AssertionError, match="LibraryFake was asked for opened, which nothing is set for"):
        await joined.__aexit__(None, None, None)


def test_more_calls_than_were_set_fail() -> None:
    fake = LibraryFake()
    fake.search.returns([], times=1)
    assert fake.search("a") == []
    with pytest.raises(UnexpectedCall, match=r"returns \[\] \(given 1 of 1 times\)"):
        fake.search("b")


def test_a_fake_is_a_context_that_verifies_unless_the_block_fails() -> None:
    with pytest.raises(AssertionError, match="was not asked for"), LibraryFake() as fake:
        fake.search.returns([])
    failed = LibraryFake()
    failed.search.returns([])
    failed.__exit__(KeyError, KeyError(), None)


def test_each_fake_has_answers_of_its_own() -> None:
    first, second = LibraryFake(), LibraryFake()
    first.search.returns([1])
    assert first.search("a") == [1]
    with pytest.raises(UnexpectedCall):
        second.search("a")
    assert second.search.calls == [LibrarySearchCall(word="a", limit=10, order="title")]


def test_no_calls_is_no_number_of_calls() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        LibraryFake().search.returns([], times=0)


async def test_members_of_base_interfaces_are_set_as_their_own() -> None:
    reader, person = ReaderFake(), PersonFake()
    reader.name.returns("Ada")
    reader.greet.returns("hello")
    reader.employer.returns(None)
    reader.borrow.when(1, until=date(2030, 1, 1)).returns(SEA)
    async with pair(reader, PersonStub) as somebody:
        assert await somebody.name == "Ada"
        assert await somebody.employer is None
        assert await somebody.greet(person) == "hello"
        assert reader.borrow(1, date(2030, 1, 1)) == SEA


async def test_an_interface_with_a_member_called_verify_is_verified_by_the_function() -> None:
    clerk = ClerkFake()
    clerk.verify.returns(True)
    clerk.greet.returns("hello")
    with pytest.raises(AssertionError, match="ClerkFake was not asked for what is set, verify"):
        verify(clerk)
    async with pair(clerk, ClerkStub) as stub:
        assert await stub.verify(PersonFake(), "clerk") is True
        assert await stub.greet(PersonFake()) == "hello"
    (call,) = clerk.verify.calls
    assert call.type == "clerk"
    assert clerk.greet.calls[0].politely is False
