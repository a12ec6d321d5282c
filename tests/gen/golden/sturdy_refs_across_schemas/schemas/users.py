from dataclasses import dataclass
from typing import Protocol

from capnweb_runtime.schema import SturdyRef
from tests.gen.golden.sturdy_refs_across_schemas.schemas.rooms import RoomApi


@dataclass
class Visit:
    room: SturdyRef[RoomApi]


class UserApi(Protocol):
    async def restore(self, ref: SturdyRef[RoomApi]) -> RoomApi: ...

    async def visits(self) -> list[Visit]: ...
