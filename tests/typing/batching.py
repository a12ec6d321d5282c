"""Read by type checkers, never run: what `@batched` makes of a function of lists, and what it refuses."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from typing import assert_type

from capnweb_runtime import RpcTarget, batched, in_thread
from generated.accounts import AuthedApiTarget
from schemas.accounts import Profile


class ShopTarget(RpcTarget):
    """Methods of all forms, declared as generated code does."""

    @abstractmethod
    def customer(self, number: int) -> str | Awaitable[str | None] | None: ...

    @abstractmethod
    def price(self, sku: str, count: int = 1) -> int | Awaitable[int]: ...

    @abstractmethod
    def total(self, skus: list[str], country: str, coupon: bytes) -> int | Awaitable[int]: ...

    @abstractmethod
    def place(self, shelf: tuple[int, int]) -> Sequence[int] | Awaitable[Sequence[int]]: ...

    @abstractmethod
    def save(self, a: int, b: int, c: int, d: str) -> Awaitable[None] | None: ...

    @abstractmethod
    def count(self) -> int | Awaitable[int]: ...


class Shop(ShopTarget):
    @batched(ShopTarget.customer)
    async def customer(self, numbers: list[int]) -> list[str | Exception | None]:
        return [str(numbers[0]), None, LookupError("no such customer")]

    @batched(ShopTarget.price, most=100)
    async def price(self, wanted: list[tuple[str, int]]) -> list[int]:
        return [count for _, count in wanted]

    @batched(ShopTarget.total)
    async def total(self, wanted: Sequence[tuple[list[str], str, bytes]]) -> tuple[int, ...]:
        return tuple(len(skus) for skus, _, _ in wanted)

    @batched(ShopTarget.place)
    async def place(self, shelves: list[tuple[int, int]]) -> list[tuple[int, int]]:
        return shelves

    @batched(ShopTarget.save)
    @in_thread
    def save(self, wanted: list[tuple[int, int, int, str]]) -> list[None]:
        return [None for _ in wanted]

    async def count(self) -> int:
        return 1


class Profiles(AuthedApiTarget):
    """Fills in what is generated."""

    @batched(AuthedApiTarget.get_profile)
    async def get_profile(self, user_ids: list[int]) -> list[Profile]:
        return [Profile(id=user_id, name="alice") for user_id in user_ids]


async def of_its_own_program(shop: Shop, profiles: Profiles) -> None:
    assert_type(await shop.customer(number=1), str | None)
    assert_type(await shop.price("A1"), int)
    assert_type(await shop.price("A1", count=2), int)
    assert_type(await shop.place((1, 2)), tuple[int, int])
    made: Callable[[int], Awaitable[Profile]] = profiles.get_profile
    assert_type(await made(1), Profile)
    await shop.customer("1")  # type: ignore[arg-type]  # a number is an int


# ---- refused: each comment is needed; without the error that it expects, the checkers report the comment


class WrongResult(Shop):
    @batched(ShopTarget.price)
    async def price(self, wanted: list[tuple[str, int]]) -> list[str]:  # type: ignore[override]  # a price is an int
        return [sku for sku, _ in wanted]


class WrongElements(Shop):
    @batched(ShopTarget.customer)  # type: ignore[arg-type]  # its argument is an int
    async def customer(self, numbers: list[bytes]) -> list[str | None]:
        return [None for _ in numbers]


class NotTuples(Shop):
    @batched(ShopTarget.total)  # type: ignore[arg-type]  # of several parameters there are tuples
    async def total(self, wanted: list[str]) -> list[int]:
        return [len(wanted)]


class OneResult(Shop):
    @batched(ShopTarget.customer)  # type: ignore[arg-type]  # there is a result for each
    async def customer(self, numbers: list[int]) -> int:
        return len(numbers)


class NotAsync(Shop):
    @batched(ShopTarget.customer)  # type: ignore[arg-type]  # what is batched is awaited
    def customer(self, numbers: list[int]) -> list[str | None]:
        return [None for _ in numbers]
