"""Both doors of the gateway: REST, as a browser uses it, and Cap'n Web."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession

from capnweb_runtime import connect
from examples.microservices.generated.storefront import StorefrontStub


@dataclass(frozen=True)
class Answer:
    """What REST has answered.

    Attributes:
        status: of the answer.
        body: JSON, parsed.
        retry_after: seconds after which to ask again; None if nothing is said of it.
    """

    status: int
    body: Any
    retry_after: int | None


async def rest(http: ClientSession, method: str, url: str, json: object = None) -> Answer:
    """Ask as a browser does."""
    async with http.request(method, url, json=json) as response:
        again = response.headers.get("Retry-After")
        return Answer(response.status, await response.json(), None if again is None else int(again))


async def main(url: str, word: str) -> None:
    """Search through both doors."""
    async with ClientSession() as http:
        print((await rest(http, "GET", f"{url}/products?word={word}")).body)
    async with connect(f"{url}/rpc", StorefrontStub) as shop:  # a batch; with ws:// a session
        print(await shop.offers(word))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
