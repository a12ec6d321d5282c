"""Types that have names: enums, NewTypes, aliases."""

import enum
from ssl import VerifyMode
from typing import Literal, NewType, Protocol, TypeAlias

from pydantic import BaseModel
from typing_extensions import TypeAliasType


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"
    CRIMSON = "red"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2**60


class Kind(enum.StrEnum):
    PAPER = enum.auto()
    WEB = enum.auto()


class Access(enum.Flag):
    READ = 1
    WRITE = 2
    BOTH = 3


UserId = NewType("UserId", int)
AdminId = NewType("AdminId", UserId)
Names = NewType("Names", list[str])
Tint: TypeAlias = Colour | None
Labels = TypeAliasType("Labels", dict[str, Kind])


class User(BaseModel):
    id: UserId
    colour: Colour = Colour.BLUE
    access: Access = Access.READ
    levels: set[Level] = set()


class Painter(Protocol):
    @property
    def favourite(self) -> Colour: ...
    async def paint(self, colour: Colour = Colour.RED, level: Level = Level.HIGH, tint: Tint = None) -> Kind: ...
    async def grant(self, user: UserId, access: Access = Access.READ | Access.WRITE) -> User | None: ...
    async def admin(self, id: AdminId = AdminId(UserId(7)), names: Names | None = None) -> AdminId: ...
    async def labels(self, labels: Labels) -> Labels: ...
    async def all(self, wanted: list[Colour]) -> set[Colour]: ...
    async def either(self, value: Kind | UserId | None = Kind.WEB, other: Literal["x"] | Level = "x") -> Kind | UserId: ...
    async def verification(self, *, kinds: Literal["all"] | tuple[Kind, ...] = "all") -> VerifyMode: ...
