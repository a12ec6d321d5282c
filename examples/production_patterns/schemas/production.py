"""A shop that people log in to, and the rates of exchange that it asks somebody else for."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

from annotated_types import MaxLen
from pydantic import BaseModel

from capnweb_runtime.schema import SturdyRef, idempotent, raises


class Settings(BaseModel):
    """What a user has set."""

    theme: Literal["dark", "light"] = "light"
    language: str = "en"


class Price(BaseModel):
    """A price. `basis` says what the rate of exchange was when it was made: one of now, an old one, or none at all."""

    amount: float
    currency: str
    basis: Literal["current", "stale", "none"]


class Grant(BaseModel):
    """What a login gives.

    Attributes:
        access: opens the user's session, for a quarter of an hour.
        renewal: gives another grant, once, within a week.
    """

    access: SturdyRef[UserApi]
    renewal: SturdyRef[RenewalApi]


class NoRoom(Exception):
    """The user has as many notes as a user may have."""

    room: int

    def __init__(self, room: int) -> None:
        super().__init__(f"there is room for {room} notes")
        self.room = room


class UserApi(Protocol):
    """What a user can do who is logged in."""

    @idempotent
    async def settings(self) -> Settings: ...

    @idempotent
    async def save(self, settings: Settings) -> None:
        """Keep settings. Once this is answered they are on the disk."""
        ...

    @raises(NoRoom)
    async def note(self, text: Annotated[str, MaxLen(200)]) -> int:
        """Add a note, and say how many there are."""
        ...

    @idempotent
    async def price(self, item: str, currency: str) -> Price: ...


class RenewalApi(Protocol):
    """The right to a new grant, once."""

    @raises(PermissionError)
    async def grant(self) -> Grant: ...


class ShopApi(Protocol):
    """What anybody can do."""

    @raises(PermissionError)
    async def log_in(self, user: str, password: str) -> Grant: ...

    @idempotent
    @raises(PermissionError)
    async def enter(self, access: SturdyRef[UserApi]) -> UserApi: ...

    @raises(PermissionError)
    async def renewal(self, renewal: SturdyRef[RenewalApi]) -> RenewalApi: ...

    @raises(PermissionError)
    async def log_out(self, access: SturdyRef[UserApi]) -> None: ...


class Rates(Protocol):
    """Rates of exchange, which somebody else serves, and not always."""

    @idempotent
    async def rate(self, currency: str) -> float: ...
