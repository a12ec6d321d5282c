"""Accounts: signing in, reading profiles, and being told when one changes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Protocol

from pydantic import BaseModel


class Profile(BaseModel):
    """What others can see of a user."""

    id: int
    name: str
    tags: list[str] = []


class Subscription(Protocol):
    """Holding one keeps the callback registered; cancelling or disposing of it ends that."""

    async def cancel(self) -> None:
        """Stop calling back. Cancelling twice is fine."""
        ...


class AuthedApi(Protocol):
    """What a signed-in user may do."""

    @property
    def user_name(self) -> str:
        """The name this user signed in with."""
        ...

    async def me(self) -> int:
        """The id of this user."""
        ...

    async def get_profile(self, user_id: int) -> Profile:
        """The profile of a user. Fails if there is no such user."""
        ...

    async def friends(self) -> list[int]:
        """The ids of this user's friends."""
        ...

    async def watch(self, on_change: Callable[[Profile], None]) -> Subscription:
        """Call `on_change` with the new profile whenever a profile changes, until the subscription ends."""
        ...

    async def download(self, name: str) -> AsyncIterator[bytes]:
        """The content of a file, in pieces. Fails if there is no such file."""
        ...


class PublicApi(Protocol):
    """What anyone who can connect may do."""

    async def authenticate(self, token: str) -> AuthedApi:
        """Sign in. A token that is not valid is refused with an error."""
        ...
