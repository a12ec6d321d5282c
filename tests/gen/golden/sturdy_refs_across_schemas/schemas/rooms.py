"""Rooms. They know users by reference alone, and users know rooms: no generated module needs the other for that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from capnweb_runtime.schema import SturdyRef

if TYPE_CHECKING:
    from tests.gen.golden.sturdy_refs_across_schemas.schemas.users import UserApi


class RoomApi(Protocol):
    async def save(self) -> SturdyRef[RoomApi]: ...

    async def owner(self) -> SturdyRef[UserApi]: ...
