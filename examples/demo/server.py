"""The server: schemas/accounts.py put into practice, by writing the methods that its generated skeletons ask for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from capnweb_runtime import CallbackStub
from generated.accounts import AuthedApiTarget, PublicApiTarget, SubscriptionTarget
from schemas.accounts import Profile

TOKEN = "secret"


class Accounts:
    """Three users, and who wants to hear when one of them changes."""

    def __init__(self) -> None:
        self.profiles = {
            1: Profile(id=1, name="Ada", tags=["analyst", "poet"]),
            2: Profile(id=2, name="Grace", tags=["compilers"]),
            3: Profile(id=3, name="Barbara"),
        }
        self.watchers: set[CallbackStub[[Profile], None]] = set()

    async def rename(self, user_id: int, name: str) -> None:
        """Change a name; return when every watcher has been told. One that fails does not keep the others from it."""
        changed = self.profiles[user_id].model_copy(update={"name": name})
        self.profiles[user_id] = changed
        await asyncio.gather(*(watcher(changed) for watcher in self.watchers), return_exceptions=True)


class Front(PublicApiTarget):
    """What anyone may do: each session gets one of these as its main."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def authenticate(self, token: str) -> AuthedApiTarget:
        if token != TOKEN:
            raise PermissionError("invalid token")
        return Authed(self._accounts, user_id=1)


class Authed(AuthedApiTarget):
    """What a signed-in user may do. Whoever holds one is signed in: no call carries a token again."""

    def __init__(self, accounts: Accounts, user_id: int) -> None:
        self._accounts = accounts
        self._user_id = user_id

    @property
    def user_name(self) -> str:
        return "Ada"

    def me(self) -> int:
        return self._user_id

    async def get_profile(self, user_id: int) -> Profile:  # `def` and `async def` both do
        if user_id not in self._accounts.profiles:
            raise LookupError(f"no user {user_id}")
        return self._accounts.profiles[user_id]

    def friends(self) -> list[int]:
        return [user_id for user_id in self._accounts.profiles if user_id != self._user_id]

    def watch(self, on_change: CallbackStub[[Profile], None]) -> SubscriptionTarget:
        return Subscription(self._accounts, on_change.dup())  # an argument is ours only until the call ends

    async def download(self, name: str) -> AsyncIterator[bytes]:  # runs as fast as it is read
        if name != "profiles.csv":
            raise LookupError(f"no file {name}")
        yield b"id,name\n"
        for profile in self._accounts.profiles.values():
            yield f"{profile.id},{profile.name}\n".encode()


class Subscription(SubscriptionTarget):
    """Someone who is told of changes until it is cancelled, or until nobody holds it any more."""

    def __init__(self, accounts: Accounts, watcher: CallbackStub[[Profile], None]) -> None:
        self._watchers = accounts.watchers
        self._watcher = watcher
        self._watchers.add(watcher)

    def cancel(self) -> None:
        if self._watcher in self._watchers:
            self._watchers.remove(self._watcher)
            self._watcher.dispose()

    def dispose(self) -> None:
        self.cancel()
