"""`python -m examples.microservices`: the services and the gateway as processes, asked through both doors."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from aiohttp import ClientSession

from capnweb_runtime import connect
from examples.form.processes import Program, started
from examples.form.report import Report
from examples.form.running import run
from examples.microservices.client import rest
from examples.microservices.generated.storefront import StorefrontStub
from examples.microservices.schemas.stock import SoldOut
from examples.microservices.schemas.storefront import Unavailable


async def microservices(report: Report) -> None:
    """Everything that the README claims."""
    with tempfile.TemporaryDirectory() as folder:
        async with (
            started("examples.microservices.catalogue") as catalogue,
            started("examples.microservices.stock") as stock,
            gateway_of(catalogue, stock, Path(folder) / "log") as gateway,
            ClientSession() as http,
        ):
            await doors(report, http, gateway.url)
            await mistakes(report, http, gateway.url)
            await down(report, http, gateway.url, stock)


def gateway_of(catalogue: Program, stock: Program, log: Path) -> AbstractAsyncContextManager[Program]:
    """Starts the gateway, with little patience."""
    urls = ("--catalogue", catalogue.url, "--stock", stock.url)
    return started("examples.microservices.gateway", *urls, "--wait", "0.2", "--patience", "0.5", "--log", str(log))


async def doors(report: Report, http: ClientSession, url: str) -> None:
    """The same through REST and Cap'n Web."""
    report.section("Two doors to the same")
    answer = await rest(http, "GET", f"{url}/products?word=tea")
    for offer in answer.body:
        report.say(f"GET: {offer}")
    session = connect(f"ws{url.removeprefix('http')}/rpc", StorefrontStub)
    async with session as shop:
        offers = await shop.offers("tea")
        report.check("a program gets the same, as models", [offer.model_dump() for offer in offers] == answer.body)
        reserved = await asyncio.gather(shop.reserve(1, 1), shop.reserve(3, 1))
        report.check("two reservations of a program", [one.reservation for one in reserved], ["r1", "r2"])
        report.check("round trips of the program", session.stats().round_trips, 2)
    made = await rest(http, "POST", f"{url}/products/1/reservations", {"count": 2})
    report.check("a reservation of a browser", (made.status, made.body["reservation"]), (201, "r3"))


async def mistakes(report: Report, http: ClientSession, url: str) -> None:
    """What bad requests get."""
    report.section("What bad requests get")
    for claim, method, path, json, status in (
        ("a number that is none", "GET", "/products/abc", None, 422),
        ("a product that there is not", "GET", "/products/99", None, 404),
        ("nothing, put aside", "POST", "/products/1/reservations", {"count": 0}, 422),
        ("more than there is, put aside", "POST", "/products/1/reservations", {"count": 10}, 409),
        ("a service that does not answer in time", "GET", "/products?word=coffee", None, 504),
    ):
        report.check(claim, (await rest(http, method, url + path, json)).status, status)
    async with connect(f"{url}/rpc", StorefrontStub) as shop:
        error = await report.refused("the same over Cap'n Web, with its attribute", shop.reserve(1, 10), SoldOut)
        report.check("left", error.left, 2)


async def down(report: Report, http: ClientSession, url: str, stock: Program) -> None:
    """A service is stopped, and comes back."""
    report.section("A service is down")
    report.check("ready, before", (await rest(http, "GET", f"{url}/readyz")).body["status"], "ready")
    await stock.stop()
    answer = await rest(http, "GET", f"{url}/products?word=tea")
    report.check("offers, which need it: status, and Retry-After", (answer.status, answer.retry_after), (503, 1))
    report.check("what the answer says", answer.body["detail"], "a service is down")
    report.check("a product, which does not", (await rest(http, "GET", f"{url}/products/1")).status, 200)
    ready = await rest(http, "GET", f"{url}/readyz")
    report.check("ready", (ready.status, ready.body["checks"]["stock"]["state"]), (503, "failed"))
    async with connect(f"ws{url.removeprefix('http')}/rpc", StorefrontStub) as shop:
        error = await report.refused("offers over Cap'n Web", shop.offers("tea"), Unavailable)
        report.check("seconds after which to ask again, as an attribute", error.retry_after, 1)
    async with started("examples.microservices.stock", "--port", str(stock.port)):
        report.say("it is back")
        await until_ready(http, url)
        report.check("offers", (await rest(http, "GET", f"{url}/products?word=tea")).status, 200)


async def until_ready(http: ClientSession, url: str, every: float = 0.05) -> None:
    """Ask again and again, as a load balancer does."""
    async with asyncio.timeout(10):
        while True:
            if (await rest(http, "GET", f"{url}/readyz")).status == 200:
                return
            await asyncio.sleep(every)


if __name__ == "__main__":
    run("microservices", microservices)
