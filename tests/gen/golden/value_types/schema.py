"""Values that are texts with rules, any JSON, and some members of an enum."""

from enum import Enum, IntEnum
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address
from pathlib import Path, PurePosixPath
from typing import Literal, Protocol

from pydantic import AnyUrl, BaseModel, HttpUrl, JsonValue, PostgresDsn


class Kind(str, Enum):
    """Cards of another spelling are cards, too."""

    CARD = "card"
    CASH = "cash"

    @classmethod
    def _missing_(cls, value: object) -> "Kind | None":
        return next((kind for kind in cls if kind.value == str(value).lower()), None)


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class OwnUrl(AnyUrl):
    """A URL of ours."""


class Card(BaseModel):
    kind: Literal[Kind.CARD] = Kind.CARD
    number: str


class Cash(BaseModel):
    kind: Literal[Kind.CASH] = Kind.CASH


class Site(BaseModel):
    home: HttpUrl
    own: OwnUrl | None = None
    hosts: set[IPv4Address] = set()
    root: Path = Path("/")
    settings: JsonValue = None


class Registry(Protocol):
    @property
    def database(self) -> PostgresDsn: ...
    async def site(self, address: IPv4Address | None, network: IPv4Network) -> Site: ...
    async def save(self, site: Site) -> Site: ...
    async def interfaces(self, of: IPv6Address) -> list[IPv4Interface]: ...
    async def paths(self, below: Path) -> dict[str, PurePosixPath]: ...
    async def pay(self, by: Card | Cash) -> Card | Cash: ...
    async def kind(self, kind: Kind | int) -> Kind | int: ...
    async def only(self, kind: Literal[Kind.CARD] = Kind.CARD, level: Literal[Level.LOW, Level.HIGH, None] = None) -> Literal[Kind.CASH]: ...
    async def put(self, value: JsonValue) -> list[JsonValue]: ...
