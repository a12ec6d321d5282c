"""A client that has logged in once and comes back: `python -m examples.production_patterns.client URL ada`."""

from __future__ import annotations

import asyncio
import getpass
import sys

from capnweb_runtime import connect
from examples.production_patterns.generated.production import ShopApiStub, UserApiStub
from examples.production_patterns.schemas.production import Grant


class Customer:
    """Somebody who is logged in, and stays so without asking for the password again.

    Parameters:
        shop: the server.
        grant: what logging in gave.

    Attributes:
        grant: the latest.
        renewed: how often it was renewed.
    """

    def __init__(self, shop: ShopApiStub, grant: Grant) -> None:
        self._shop = shop
        self.grant = grant
        self.renewed = 0

    async def user(self) -> UserApiStub:
        """The user's session; with a new grant, if the old one is too old.

        Raises:
            PermissionError: there is no way but to log in again.
        """
        try:
            return await self._shop.enter(self.grant.access)
        except PermissionError:
            self.grant = await self._shop.renewal(self.grant.renewal).grant()
            self.renewed += 1
            return await self._shop.enter(self.grant.access)


async def main(url: str, user: str) -> None:
    """Log in, and show what is set."""
    async with connect(url, ShopApiStub) as shop:
        customer = Customer(shop, await shop.log_in(user, getpass.getpass()))
        print(await (await customer.user()).settings())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
