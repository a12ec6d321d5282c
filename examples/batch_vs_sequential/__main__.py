"""`python -m examples.batch_vs_sequential [--round-trip MILLISECONDS]`: measures what a round trip costs."""

from __future__ import annotations

import argparse
import asyncio
from functools import partial

from capnweb_runtime import connect
from examples.batch_vs_sequential.client import (
    city_of,
    concurrent,
    mapped,
    one_after_the_other,
    pipelined,
)
from examples.batch_vs_sequential.generated.batch_vs_sequential import ShopStub
from examples.batch_vs_sequential.line import slow_line
from examples.batch_vs_sequential.measuring import Measured, in_one_request, in_requests, in_session
from examples.batch_vs_sequential.schemas.batch_vs_sequential import NoSuchProduct
from examples.batch_vs_sequential.server import PRODUCTS, SUPPLIERS
from examples.form.processes import started
from examples.form.report import Report, approximately
from examples.form.running import run

SERVER = "examples.batch_vs_sequential.server"
CITIES = [SUPPLIERS[product.supplier].city for product in PRODUCTS]


async def batch_vs_sequential(milliseconds: float, report: Report) -> None:
    """Everything that the README claims."""
    seconds = milliseconds / 1000
    async with started(SERVER, "--port", "0") as server, slow_line(server.port, seconds) as port:
        ways = await comparison(report, port, milliseconds)
    async with started(SERVER, "--port", "0", "--missing", "3") as server, slow_line(server.port, seconds) as port:
        await missing(report, port)
    table(report, ways)


async def comparison(report: Report, port: int, milliseconds: float) -> list[tuple[str, Measured]]:
    """The same work in six ways, and what each took."""
    await in_one_request(port)  # what HTTP needs is imported now, and its connection open
    report.section(f"Where {len(PRODUCTS)} products come from, over a line of {milliseconds:g} ms")
    ways: list[tuple[str, int, Measured]] = [
        ("an HTTP request for each call", 21, await in_requests(port)),
        ("one after the other", 21, await in_session(port, one_after_the_other)),
        ("concurrent", 3, await in_session(port, concurrent)),
        ("pipelined", 2, await in_session(port, pipelined)),
        ("mapped", 1, await in_session(port, mapped)),
        ("mapped, in one HTTP request", 1, await in_one_request(port)),
    ]
    for how, expected, measured in ways:
        report.check(f"{how}, round trips", measured.round_trips, expected)
    report.check("each found the same", all(measured.cities == CITIES for _, _, measured in ways))
    shortest = [measured.round_trips * milliseconds for _, _, measured in ways]
    enough = all(measured.milliseconds >= least for (_, _, measured), least in zip(ways, shortest, strict=True))
    report.check("none took less time than its round trips do", enough)
    return [(how, measured) for how, _, measured in ways]


async def missing(report: Report, port: int) -> None:
    """One product of ten is gone."""
    report.section("Product 3 is gone")
    async with connect(f"ws://127.0.0.1:{port}/", ShopStub) as shop:
        for how, way in (("one after the other", one_after_the_other), ("concurrent", concurrent), ("mapped", mapped)):
            error = await report.refused(f"{how}, nothing is found", way(shop), NoSuchProduct)
            report.check("the product that is gone", error.number, 3)
        cities = [city_of(shop, number) for number in await shop.numbers()]
        found = await asyncio.gather(*cities, return_exceptions=True)
        told = [number for number, city in enumerate(found) if isinstance(city, NoSuchProduct)]
        report.check("pipelined, with each answer for itself, all are found but", told, [3])
    async with connect(f"http://127.0.0.1:{port}/", ShopStub) as shop:
        cities = [city_of(shop, number) for number in range(len(PRODUCTS))]
        found = await asyncio.gather(*cities, return_exceptions=True)
        told = [number for number, city in enumerate(found) if isinstance(city, NoSuchProduct)]
        report.check("in one HTTP request, which does not fail, all are found but", told, [3])


def table(report: Report, ways: list[tuple[str, Measured]]) -> None:
    """What each way took, side by side."""
    report.section("  way                              round trips   time")
    for how, measured in ways:
        report.say(f"{how:<31}{measured.round_trips:>13}   {approximately(round(measured.milliseconds), 'ms')}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.batch_vs_sequential", description=__doc__)
    parser.add_argument("--round-trip", type=float, default=20, help="milliseconds (default: %(default)s)")
    run("batch_vs_sequential", partial(batch_vs_sequential, parser.parse_args().round_trip))
