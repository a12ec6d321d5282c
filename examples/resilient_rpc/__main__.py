"""`python -m examples.resilient_rpc`: cuts the line at every place, and counts what came of it."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from capnweb_runtime import StaleCapability, connect
from examples.form.report import Report
from examples.form.running import run
from examples.resilient_rpc.chaos import KINDS, TIMES, Chaos, Kind, run_chaos
from examples.resilient_rpc.client import Prices, all_sales
from examples.resilient_rpc.generated.resilient_rpc import ShopStub
from examples.resilient_rpc.ledger import PRODUCTS
from examples.resilient_rpc.line import Line
from examples.resilient_rpc.proxy import Place, Proxy
from examples.resilient_rpc.schemas.resilient_rpc import Audit, NoSuchProduct
from examples.resilient_rpc.server import SALES
from examples.resilient_rpc.shop import ShopProcess

SEED = 2026
CHANGES = 20
WHAT: dict[Kind, str] = {"price": "may be repeated", "order": "has a key", "draw": "neither"}


async def resilient_rpc(report: Report) -> None:
    """Everything that the README claims."""
    with tempfile.TemporaryDirectory() as folder:
        async with ShopProcess(Path(folder, "shop.sqlite")) as server, Proxy(server.port) as proxy:
            await chaos(report, server, proxy)
            await a_stream_breaks(report, proxy)
            await capabilities(report, proxy)
            await subscription(report, server, proxy)
            await degradation(report, server, proxy)


async def chaos(report: Report, server: ShopProcess, proxy: Proxy) -> None:
    """The table is counted from what callers got; what they were told is compared with the ledger."""
    seen: list[int] = []
    happened = await run_chaos(server, proxy, Prices(on_change=lambda change: seen.append(change.version)), SEED)
    calls = happened.outcomes.total()
    report.section(f"{calls} calls over a line that is cut at every place, in the order of seed {SEED}")
    for line in table(happened):
        report.say(line)
    report.check("sessions that it took", happened.sessions, 1 + proxy.cuts + len(KINDS) * TIMES)
    report.check("times that the server was killed, and started again", server.restarts, 3)
    async with connect(server.url, ShopStub) as shop:
        compare(report, happened, await shop.audit())
    report.check("prices that a subscriber was told once each, whatever session it had", seen, [1, 2, 3])


def table(happened: Chaos) -> list[str]:
    """How many calls were answered at once, answered when they had been repeated, or left unknown."""
    head = f"{'where the line is cut':<40}{'at once':>9}{'repeated':>10}{'unknown':>9}"
    by_place = [_row(place.value, happened, place=place) for place in Place]
    by_kind = [_row(f"{kind}: {WHAT[kind]}", happened, kind=kind) for kind in KINDS]
    rule = "-" * len(head)
    return [head, rule, *by_place, rule, *by_kind]


def _row(title: str, happened: Chaos, *, kind: Kind | None = None, place: Place | None = None) -> str:
    at_once = happened.total("answered", kind=kind, place=place)
    repeated = happened.total("repeated", kind=kind, place=place)
    unknown = happened.total("unknown", kind=kind, place=place)
    return f"{title:<40}{at_once:>9}{repeated:>10}{unknown:>9}"


def compare(report: Report, happened: Chaos, audit: Audit) -> None:
    """What callers believe, against what stands in the ledger."""
    orders, draws = happened.ordered, audit.draws
    report.check("orders that were answered", len(orders), 31)
    report.check("of them lost", len(set(orders) - audit.orders.keys()), 0)
    report.check("orders in the ledger that nobody has made", len(audit.orders.keys() - set(orders)), 0)
    report.check(
        "orders that were asked for twice, and carried out once", sum(n > 1 for n in audit.orders.values()), 11
    )
    report.check("draws that were answered, of which not carried out", len(set(happened.drawn) - draws.keys()), 0)
    report.check("draws that were carried out twice", sum(count > 1 for count in draws.values()), 0)
    known = sum(customer in draws for customer in happened.unknown)
    report.check("draws whose outcome is unknown", len(happened.unknown), 21)
    report.check("of them carried out, as only the ledger knows", known, 11)


async def a_stream_breaks(report: Report, proxy: Proxy) -> None:
    report.section("The line is cut while a stream runs")
    proxy.cut_after(frames=100, connections=3)
    before = proxy.cuts
    client = connect(proxy.url, ShopStub, reconnect=Line(Prices()).policy)
    async with client as shop:
        numbers = [sale.number async for sale in all_sales(shop)]
        report.check("times that it was cut", proxy.cuts - before, 3)
        report.check("sessions that it took", client.sessions, 4)
    report.check("lines of the report", len(numbers), SALES)
    report.check("each once, and in order", numbers == list(range(1, SALES + 1)))


async def capabilities(report: Report, proxy: Proxy) -> None:
    report.section("Capabilities, when the session is lost")
    line = Line(Prices())
    broken: list[str] = []
    restored: list[str] = []
    async with connect(proxy.url, ShopStub, reconnect=line.policy) as shop:
        account, basket = await shop.account("ada"), await shop.basket()
        account.on_broken(lambda error: broken.append("account"))
        basket.on_broken(lambda error: broken.append("basket"))
        account.on_restored(lambda: restored.append("account"))
        await basket.put("lamp")
        proxy.cut()
        await line.is_down.wait()
        report.check("the account is got again: points", await account.points(), 300)
        report.check("told that they are broken", broken, ["basket"])
        report.check("told that they can be used again", restored, ["account"])
        await report.refused("the basket, which nobody else can give", basket.put("rug"), StaleCapability)
        with await shop.basket() as another:
            report.check("products in a new one", await another.put("rug"), 1)
        account.dispose()


async def subscription(report: Report, server: ShopProcess, proxy: Proxy) -> None:
    report.section("A subscriber is cut off while prices change")
    seen: list[int] = []
    prices = Prices(on_change=lambda change: seen.append(change.version))
    line = Line(prices)
    async with connect(proxy.url, ShopStub, reconnect=line.policy), connect(server.url, ShopStub) as owner:
        for change in range(CHANGES):
            if change % 5 == 2:
                proxy.cut()
            await owner.set_price("vase", 900 + change)
        await prices.until(len(PRODUCTS) + CHANGES)
    report.check("changes that it was told, with the first price of each product", len(seen), len(PRODUCTS) + CHANGES)
    report.check("each once, and in order", seen == list(range(1, len(PRODUCTS) + CHANGES + 1)))


async def degradation(report: Report, server: ShopProcess, proxy: Proxy) -> None:
    report.section("The server is gone for a while")
    prices, stranger = Prices(patience=30), Prices()
    line = Line(prices)
    async with connect(proxy.url, ShopStub, reconnect=line.policy) as shop:
        await prices.until(len(PRODUCTS) + CHANGES)
        report.check("a price", str(await prices.quote(shop, "vase")), "9.19, live")
        await report.refused("of what there is not", prices.quote(shop, "boat"), NoSuchProduct)
        await server.kill()
        await line.is_down.wait()
        report.check("the server is killed: the price", str(await prices.quote(shop, "vase")), "9.19, last known")
        report.check("for somebody who never knew it", str(await stranger.quote(shop, "vase")), "9.99, catalogue")
        order = asyncio.ensure_future(shop.order("made meanwhile", "vase"))
        await server.start()
        report.check("an order that was made meanwhile is answered", await order > 0)
        report.check("and was asked for", (await shop.audit()).orders["made meanwhile"], 1)
        report.check("the price", str(await prices.quote(shop, "vase")), "9.19, live")


if __name__ == "__main__":
    run("resilient_rpc", resilient_rpc)
