"""Generic interfaces and generic models within each other, between the two ends of a session, which must be empty
afterwards.
"""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator

import pytest

from capnweb_runtime import CallbackStub
from tests.gen.golden.generics_combined import expected as api
from tests.gen.golden.generics_combined.schema import Box, Missing
from tests.runtime.stream_example import Joined


class User(api.UserApiTarget):
    disposed = 0

    @property
    def name(self) -> str:
        return "Ada"

    def dispose(self) -> None:
        User.disposed += 1


class Users(api.PageUserApiTarget):
    @property
    def first(self) -> User:
        return User()

    async def get(self, index: int) -> Box[api.UserApiTarget | api.UserApiStub]:
        if index:
            raise Missing(f"no {index}", Box(item=0), [Box(item=b"\0"), Box[bytes](item=b"\1")])
        return Box(item=User())

    async def find(
        self, index: int, *, otherwise: Box[api.UserApiStub] | None = None
    ) -> api.UserApiTarget | api.UserApiStub:
        return otherwise.item.dup() if otherwise else User()


class Pages(api.PagePageUserApiTarget):
    @property
    def first(self) -> Users:
        return Users()

    async def get(self, index: int) -> Box[api.PageUserApiTarget | api.PageUserApiStub]:
        return Box(item=Users())

    async def find(
        self, index: int, *, otherwise: Box[api.PageUserApiStub] | None = None
    ) -> api.PageUserApiTarget | api.PageUserApiStub:
        return otherwise.item.dup() if otherwise else Users()


class Numbers(api.PageBoxIntTarget):
    @property
    def first(self) -> Box[int]:
        return Box(item=1)

    async def get(self, index: int) -> Box[Box[int]]:
        return Box(item=Box(item=index))

    async def find(self, index: int, *, otherwise: Box[Box[int]] | None = None) -> Box[int]:
        return otherwise.item if otherwise else Box(item=index)


class Press(api.PressIntTarget):
    async def squeeze(self, item: bytes, label: str = "") -> int:
        return len(item)


class Main(api.ApiTarget):
    def __init__(self) -> None:
        self.seen: list[object] = []

    async def users(self) -> Box[api.PageUserApiTarget | api.PageUserApiStub]:
        return Box(item=Users())

    async def pages(self) -> Pages:
        return Pages()

    async def boxes(self, page: api.PageBoxIntStub) -> api.PageBoxUserApiTarget:
        self.seen += [await page.first, await page.get(2)]
        raise RuntimeError("no boxes")

    async def watch(self, function: CallbackStub[[Box[api.UserApiTarget | api.UserApiStub]], Box[bytes]]) -> None:
        self.seen.append(await function(Box(item=User())))

    async def same(self) -> list[api.PageUserApiTarget | api.PageUserApiStub]:
        return [Users()]

    async def press(self) -> Box[api.PressIntTarget | api.PressIntStub]:
        return Box(item=Press())


@pytest.fixture
async def joined() -> AsyncIterator[Joined]:
    session = Joined(Main())
    yield session
    await session.assert_empty()


async def test_a_generic_model_of_a_generic_interface_of_a_capability(joined: Joined) -> None:
    main = joined.a.main(api.ApiStub)
    assert await main.users().item.first.name == "Ada"
    assert await main.pages().get(1).item.get(0).item.name == "Ada"


async def test_a_generic_interface_written_as_a_model_is_a_type_argument_too(joined: Joined) -> None:
    main = joined.a.main(api.ApiStub)
    assert await main.press().item.squeeze(b"123") == 3
    assert await main.same()[0].first.name == "Ada"


async def test_an_exception_with_generic_models_arrives_through_all_that_depends_on_it(joined: Joined) -> None:
    main = joined.a.main(api.ApiStub)
    for depending in (main.users().item.get(3), main.pages().first.get(3).item.name):
        with pytest.raises(Missing, match=r"^no 3\nraised by the peer") as caught:
            await depending
        assert caught.value.nearest == Box[int](item=0)
        assert caught.value.ages == [Box[bytes](item=b"\0"), Box[bytes](item=b"\1")]


async def test_a_model_made_without_type_arguments_is_one_with_them(joined: Joined) -> None:
    target = Main()
    session = Joined(target)
    main = session.a.main(api.ApiStub)
    with pytest.raises(RuntimeError, match="no boxes"):
        await main.boxes(Numbers())
    await main.watch(lambda box: Box(item=b"plain"))
    assert target.seen == [Box[int](item=1), Box[Box[int]](item=Box[int](item=2)), Box[bytes](item=b"plain")]
    with pytest.raises(TypeError, match="expected bytes, got str"):
        await main.watch(lambda box: Box(item="text"))  # type: ignore[arg-type]  # which is the point
    await session.assert_empty()


async def test_what_was_given_is_let_go_where_warnings_are_errors(joined: Joined) -> None:
    User.disposed = 0
    main = joined.a.main(api.ApiStub)
    with warnings.catch_warnings(), main.users().item as page:
        warnings.simplefilter("error")
        assert await page.get(0).item.name == "Ada"
    await joined.quiet()
    assert User.disposed == 1
