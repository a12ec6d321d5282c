"""`python -m examples.service_mesh`: starts the services, orders, replaces instances of one, and takes them away.

All of them are in this process, or with `--backplane redis://...` in processes of their own.
"""

from __future__ import annotations

import argparse
import asyncio
from functools import partial

from capnweb_runtime import AnyStub, ConnectionRefused, DeadlineExceeded, connect
from examples.form.report import Report
from examples.form.running import run
from examples.service_mesh.breaker import Breaker
from examples.service_mesh.client import PATIENCE, PAUSE, buy, keep_buying
from examples.service_mesh.generated.gateway import AccountStub, ShopStub
from examples.service_mesh.mesh import Mesh, running
from examples.service_mesh.schemas.orders import Order, Unavailable
from examples.service_mesh.schemas.users import WrongToken
from examples.service_mesh.traces import traced, tree

CUSTOMERS = ("one", "two")
"""Who orders while instances are replaced."""
SPANS = 9
"""Of a trace that goes through all services."""
ORDERS = 20
"""How many are placed at least while each instance is replaced."""


async def service_mesh(report: Report, backplane: str) -> None:
    """Everything that the README claims."""
    async with running(backplane, patience=0.5, rest=0.2) as mesh:
        for part in (strangers, through_all, too_late, restarts, outage):
            await part(report, mesh)
    await bounds(report)


async def strangers(report: Report, mesh: Mesh) -> None:
    """Wrong credentials, at the gateway and behind it."""
    report.section("Who is let in")
    async with connect(mesh.gateway.url, ShopStub) as shop:
        await report.refused("a customer with a wrong token", shop.sign_in("guessed"), WrongToken)
    wrong = {"Authorization": "Bearer guessed"}
    orders = connect(mesh.orders[0].url, AnyStub, headers=wrong)
    error = await report.refused("somebody with a wrong key, at the service orders", orders, ConnectionRefused)
    report.check("its status", error.status, 401)


async def through_all(report: Report, mesh: Mesh) -> None:
    """One order, and the trace that it leaves in four services, the client among them."""
    report.section("One order through all services")
    session = connect(mesh.gateway.url, ShopStub)
    async with session as shop, await shop.sign_in("token-of-ada") as account:
        before = session.stats().round_trips
        order = await buy(account, "first", "tea")
        report.check("the receipt of the order", order.receipt, "Ada paid 350 for first")
        report.check("round trips of the client", session.stats().round_trips - before, 1)
    async with (
        traced("client", mesh.backplane) as (telemetry, provider),
        connect(mesh.gateway.url, ShopStub, interceptors=[telemetry]) as shop,
        await shop.sign_in("token-of-ada") as account,
        await account.book() as book,
        await account.wallet() as wallet,
    ):
        with provider.get_tracer("examples").start_as_current_span("buy tea"):
            await book.place("second", "tea", wallet)
    spans = await mesh.trace("INTERNAL buy tea", SPANS)
    for line in tree(spans):
        report.say(line)
    report.check("spans in that trace, each below the one that caused it", len(spans), SPANS)
    report.check("services that recorded them, with the client", len({span.service for span in spans}), 4)


async def too_late(report: Report, mesh: Mesh) -> None:
    """A deadline that passes in the third service."""
    report.section("A bank that does not answer, behind the third service")
    async with (
        traced("client", mesh.backplane) as (telemetry, provider),
        connect(mesh.gateway.url, ShopStub, interceptors=[telemetry]) as shop,
        await shop.sign_in("token-of-bob") as account,
    ):
        with provider.get_tracer("examples").start_as_current_span("too late"):
            await report.refused("an order with a deadline", buy(account, "late", "tea", 0.2), DeadlineExceeded)
        report.check("orders that came of it", len((await account.overview()).orders), 0)
    spans = await mesh.trace("INTERNAL too late", SPANS + 4)  # book and wallet are got in it, each with two spans
    ended = {span.service: span.error for span in spans if "Wallet/pay" in span.title}
    report.check("the payment was cancelled in the service users", ended["users"], "CancelledError")


async def restarts(report: Report, mesh: Mesh) -> None:
    """Both instances of a service are replaced, one after the other, while customers order."""
    report.section("Both instances of orders are replaced while customers order")
    async with connect(mesh.gateway.url, ShopStub) as shop, await shop.sign_in("token-of-ada") as account:
        before = len((await account.overview()).orders)
        async with await account.book() as book, await account.wallet() as wallet:
            answered, done = list[Order](), asyncio.Event()
            buying = asyncio.gather(
                *(keep_buying(name, book, wallet, answered, done) for name in CUSTOMERS), return_exceptions=True
            )
            for number in range(2):
                await mesh.replace_orders(number)
                while len(answered) < ORDERS * (number + 1) and not buying.done():
                    await asyncio.wait([buying], timeout=PAUSE)
            done.set()
            failed = [error for error in await buying if error is not None]
        kept = (await account.overview()).orders[before:]
    report.at_least("orders sent meanwhile", len(answered) + len(failed), 2 * ORDERS)
    report.check("each of them was answered, and none failed", not failed)
    report.check("each of them was kept, once", sorted(kept, key=str) == sorted(answered, key=str))


async def outage(report: Report, mesh: Mesh) -> None:
    """All instances of a service are gone, and one comes back."""
    report.section("All instances of orders are down")
    async with connect(mesh.gateway.url, ShopStub) as shop, await shop.sign_in("token-of-ada") as account:
        known = await account.overview()
        report.check("the overview, before, is fresh", known.fresh)
        for instance in mesh.orders:
            await instance.kill()
        for number in range(3):
            await report.refused(f"order {number + 1}", buy(account, "third", "tea"), Unavailable)
        report.check("the breaker", (await shop.status()).breaker, "open")
        before = (await shop.status()).refused
        await report.refused("order 4", buy(account, "third", "tea"), Unavailable)
        report.check("it was refused without waiting for anybody", (await shop.status()).refused - before, 1)
        degraded = await account.overview()
        report.check("the overview has the orders that were known last", degraded.orders == known.orders)
        report.check("and says that they are not fresh", not degraded.fresh)
        mesh.orders[0] = await mesh.start("orders", port=mesh.orders[0].port)
        report.say("an instance is back")
        order = await patiently(account, "third")
        report.check("order 5, made again when the error says", order.receipt, "Ada paid 350 for third")
        report.check("the breaker", (await shop.status()).breaker, "closed")


async def patiently(account: AccountStub, key: str) -> Order:
    """Order until it is taken, as often as the shop says."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await buy(account, key, "tea")
            except Unavailable as error:
                await asyncio.sleep(error.retry_after)


async def bounds(report: Report) -> None:
    """The breaker alone, on a clock of ours."""
    report.section("The bounds of the breaker: 3 failures, 10 seconds")
    now, asked = 0.0, 0
    breaker = Breaker(failures=3, rest=10.0, clock=lambda: now)

    async def service(answers: bool) -> str:
        nonlocal asked
        asked += 1
        if not answers:
            raise ConnectionError("nobody there")
        return "answer"

    async def call(answers: bool) -> str:
        try:
            return await breaker.guard(lambda: service(answers))
        except Unavailable as error:
            return f"unavailable, again in {error.retry_after:g} s"

    for at, answers in ((0, False), (1, False), (2, False), (3, True), (11, True), (12, False), (22, True), (22, True)):
        now = float(at)
        before, state, asked = asked, breaker.state, 0
        result = await call(answers)
        report.say(f"at {at} s: {state}, {'asks' if asked else 'does not ask'}: {result}; then {breaker.state}")
        asked += before
    report.check("calls that reached the service, of 8", asked, 6)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.service_mesh", description=__doc__)
    parser.add_argument("--backplane", default="memory:", help="what services share (default: %(default)s)")
    run("service_mesh", partial(service_mesh, backplane=parser.parse_args().backplane))
