"""Logins: who may have a user's session, for how long, and how that is taken back.

Rule: an access token is short-lived and asks no password; the renewal token gives the next pair, once. If it is used a
second time, somebody else has it too, and the whole login ends.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import scrypt

from capnweb_runtime.schema import SturdyRef
from capnweb_runtime.sturdy import BearerRestorer, MemoryRevocations, SturdyRefs, TokenCodec, TokenKey
from examples.production_patterns.generated.production import RenewalApiTarget, UserApiTarget
from examples.production_patterns.schemas.production import Grant, RenewalApi, UserApi
from examples.production_patterns.store import Store

ACCESS = timedelta(minutes=15)
RENEWAL = timedelta(days=7)
REFUSED = "this is no user, or not their password"


@dataclass(frozen=True)
class Turn:
    """What a renewal token stands for: a login, and which of its grants comes next."""

    user: str
    login: str
    number: int


@dataclass(frozen=True)
class Access:
    """What an access token stands for."""

    user: str
    login: str


def hashed(password: str, salt: bytes) -> bytes:
    """What is kept of a password."""
    return scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)


class Logins:
    """Gives grants, and opens sessions for them.

    Parameters:
        key: signs tokens; all processes of the service share it.
        store: keeps which logins have not ended.
        passwords: salt and hash for each user.
        open_user: makes the object of a user who is logged in.
        clock: the time in seconds since 1970.
    """

    def __init__(
        self,
        key: bytes,
        store: Store,
        passwords: Mapping[str, tuple[bytes, bytes]],
        open_user: Callable[[str], UserApiTarget],
        clock: Callable[[], float],
    ) -> None:
        codec = TokenCodec([TokenKey("1", key)], issuer="https://shop.example", audience="shop")
        self._refs = SturdyRefs(codec, MemoryRevocations(clock=clock), clock=clock)
        self._store = store
        self._passwords = passwords
        self._open_user = open_user
        self._users = BearerRestorer[UserApi, Access, UserApiTarget]("user", Access, self._enter)
        self._renewals = BearerRestorer[RenewalApi, Turn, Renewal]("renewal", Turn, self._renewal)

    async def log_in(self, user: str, password: str) -> Grant:
        """The first grant of a login. Raises PermissionError."""
        salt, expected = self._passwords.get(user, (b"nobody's", b""))  # as slow for users who do not exist
        given = await asyncio.to_thread(hashed, password, salt)
        if not hmac.compare_digest(given, expected):
            raise PermissionError(REFUSED)
        login = secrets.token_urlsafe(12)
        await asyncio.to_thread(self._store.begin_login, login, user)
        return self.grant(Turn(user, login, 0))

    def grant(self, turn: Turn) -> Grant:
        """Tokens for a login whose turn it is."""
        access = Access(turn.user, turn.login)
        return Grant(
            access=self._refs.mint(self._users, access, principal=None, lifetime=ACCESS),
            renewal=self._refs.mint(self._renewals, turn, principal=None, lifetime=RENEWAL),
        )

    async def enter(self, access: SturdyRef[UserApi]) -> UserApiTarget:
        """The session of a user. Raises PermissionError if the token has expired, or the login has ended."""
        return await self._refs.restore(access, self._users, principal=None)

    async def renewal(self, renewal: SturdyRef[RenewalApi]) -> Renewal:
        """The right to another grant. Raises PermissionError likewise."""
        return await self._refs.restore(renewal, self._renewals, principal=None)

    async def renew(self, turn: Turn) -> Grant:
        """Another grant, once for each turn. Raises PermissionError, and ends the login, the second time."""
        if not await asyncio.to_thread(self._store.take_turn, turn.login, turn.number):
            await asyncio.to_thread(self._store.end_login, turn.login)
            raise PermissionError("this was used before: log in again")
        return self.grant(Turn(turn.user, turn.login, turn.number + 1))

    async def log_out(self, access: SturdyRef[UserApi]) -> None:
        """Take an access token back. What it has opened already lives on until its session ends."""
        await self._refs.revoke(access, principal=None)

    async def _enter(self, access: Access, _: str | None) -> UserApiTarget:
        if not await asyncio.to_thread(self._store.is_logged_in, access.login):
            raise PermissionError(f"the login {access.login} has ended")
        return self._open_user(access.user)

    async def _renewal(self, turn: Turn, _: str | None) -> Renewal:
        if not await asyncio.to_thread(self._store.is_logged_in, turn.login):
            raise PermissionError(f"the login {turn.login} has ended")
        return Renewal(self, turn)


class Renewal(RenewalApiTarget):
    """The right to one more grant."""

    def __init__(self, logins: Logins, turn: Turn) -> None:
        self._logins = logins
        self._turn = turn

    async def grant(self) -> Grant:
        return await self._logins.renew(self._turn)
