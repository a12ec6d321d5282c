"""The service users: `python -m examples.service_mesh.users`."""

from __future__ import annotations

import asyncio

from examples.form import shared
from examples.service_mesh import services
from examples.service_mesh.generated.users import UsersTarget, WalletTarget
from examples.service_mesh.schemas.users import WrongToken

OWNERS = {"token-of-ada": "Ada", "token-of-bob": "Bob"}
NEVER_ANSWERS = "Bob"
"""Whose bank does not answer."""


class Wallet(WalletTarget):
    """The money of one customer, as far as this example goes."""

    def __init__(self, owner: str) -> None:
        self._owner = owner

    def owner(self) -> str:
        return self._owner

    async def pay(self, key: str, cents: int) -> str:
        if self._owner == NEVER_ANSWERS:
            await asyncio.get_running_loop().create_future()  # cancelled once the caller has given up
        return f"{self._owner} paid {cents} for {key}"


class Users(UsersTarget):
    """Finds wallets."""

    def wallet(self, token: str) -> Wallet:
        if token not in OWNERS:
            raise WrongToken("nobody signs in with this token")
        return Wallet(OWNERS[token])


PARSER = shared.options("examples.service_mesh.users", __doc__)
serving = services.service("users", lambda backplane: Users())

if __name__ == "__main__":
    shared.main(PARSER, serving)
