"""References to what cannot be restored, and places where they cannot stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from pydantic import BaseModel

from capnweb_runtime.schema import Stub, SturdyRef

T_co = TypeVar("T_co", covariant=True)


class OnItem(Protocol):
    def __call__(self, item: str, *, last: bool = False) -> None: ...


class Page(Protocol[T_co]):
    async def first(self) -> T_co: ...


class Named(BaseModel):
    rooms: dict[SturdyRef[RoomApi], str]
    number: SturdyRef[int]


class RoomApi(Protocol):
    async def bare(self) -> SturdyRef: ...  # type: ignore[type-arg]

    async def value(self) -> SturdyRef[str]: ...

    async def unknown(self) -> SturdyRef[Nobody]: ...  # type: ignore[name-defined]

    async def generic(self) -> SturdyRef[Page[int]]: ...

    async def unsaid(self) -> SturdyRef[Page]: ...  # type: ignore[type-arg]

    async def function(self) -> SturdyRef[Callable[[], None]]: ...

    async def callback(self) -> SturdyRef[OnItem]: ...

    async def any_stub(self, ref: SturdyRef[Stub]) -> None: ...

    async def keyed(self) -> dict[SturdyRef[RoomApi], int]: ...

    async def text(self, ref: SturdyRef[RoomApi] | str) -> None: ...

    async def defaulted(self, ref: SturdyRef[RoomApi] = "token") -> None: ...  # type: ignore[assignment]
