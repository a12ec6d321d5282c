"""The ways differ in round trips and in nothing else."""

from __future__ import annotations

import asyncio

import pytest

from capnweb_runtime import connect, serve
from capnweb_runtime.testing import PairFixture, Record
from examples.batch_vs_sequential.__main__ import CITIES
from examples.batch_vs_sequential.client import city_of, concurrent, mapped, one_after_the_other, pipelined
from examples.batch_vs_sequential.generated.batch_vs_sequential import ShopStub, ShopTarget
from examples.batch_vs_sequential.line import slow_line
from examples.batch_vs_sequential.measuring import Way, in_one_request, in_requests
from examples.batch_vs_sequential.schemas.batch_vs_sequential import NoSuchProduct
from examples.batch_vs_sequential.server import PRODUCTS, Shop
from examples.form.testing import as_documented


def test_it_prints_what_is_documented_and_its_numbers_are_those_of_the_readme() -> None:
    ran = as_documented("batch_vs_sequential")
    assert ran.number("one after the other, round trips") == 1 + 2 * len(PRODUCTS)
    assert ran.number("concurrent, round trips") == 3
    assert ran.number("pipelined, round trips") == 2
    assert ran.number("mapped, round trips") == 1
    assert ran.number("mapped, in one HTTP request, round trips") == 1


@pytest.mark.parametrize(
    ("way", "round_trips"), [(one_after_the_other, 21), (concurrent, 3), (pipelined, 2), (mapped, 1)]
)
@pytest.mark.capnweb(no_leaks=True)
async def test_each_way_finds_the_same_and_makes_the_same_calls(
    capnweb_pair: PairFixture, capnweb_calls: Record, way: Way, round_trips: int
) -> None:
    async with capnweb_pair(Shop(), ShopStub) as shop:
        assert await way(shop) == CITIES
        assert capnweb_calls.round_trips == round_trips
    assert len(capnweb_calls.of(ShopTarget.product)) == len(capnweb_calls.of(ShopTarget.supplier)) == len(PRODUCTS)


async def test_over_http_it_is_a_request_for_each_call_or_one_for_all() -> None:
    async with serve(lambda peer: Shop(), "127.0.0.1", 0) as server:
        one_by_one, at_once = await in_requests(server.port), await in_one_request(server.port)
    assert (one_by_one.round_trips, at_once.round_trips) == (21, 1)
    assert one_by_one.cities == at_once.cities == CITIES


@pytest.mark.parametrize("way", [one_after_the_other, concurrent, pipelined, mapped])
async def test_a_product_that_is_gone_fails_the_whole_with_its_number(capnweb_pair: PairFixture, way: Way) -> None:
    async with capnweb_pair(Shop(missing=[3]), ShopStub) as shop:
        with pytest.raises(NoSuchProduct) as caught:
            await way(shop)
        assert caught.value.number == 3
        assert await city_of(shop, 4) == CITIES[4]  # the session goes on


async def test_calls_that_stand_for_themselves_fail_for_themselves(capnweb_pair: PairFixture) -> None:
    async with capnweb_pair(Shop(missing=[3, 5]), ShopStub) as shop:
        cities = [city_of(shop, number) for number in range(len(PRODUCTS))]
        found = await asyncio.gather(*cities, return_exceptions=True)
    assert [number for number, city in enumerate(found) if isinstance(city, NoSuchProduct)] == [3, 5]
    assert [city for city in found if isinstance(city, str)] == [CITIES[n] for n in range(10) if n not in (3, 5)]


async def test_the_line_delivers_every_byte_in_order_and_not_before_its_time() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            writer.write(data)
        writer.close()

    sent = b"".join(number.to_bytes(4, "big") for number in range(50_000))
    far = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with far, slow_line(far.sockets[0].getsockname()[1], 0.03) as port, asyncio.timeout(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        writer.write(b"-")
        assert await reader.readexactly(1) == b"-"
        assert loop.time() - begun >= 0.03
        writer.write(sent)
        writer.write_eof()
        assert await reader.read() == sent
        writer.close()


async def test_the_line_passes_on_that_a_connection_has_ended() -> None:
    async with (
        serve(lambda peer: Shop(), "127.0.0.1", 0) as server,
        slow_line(server.port, 0.001) as port,
        asyncio.timeout(30),
    ):
        broken = asyncio.get_running_loop().create_future()
        shop = await connect(f"ws://127.0.0.1:{port}/", ShopStub)
        shop.on_broken(broken.set_result)
        await server.close()
        assert isinstance(await broken, ConnectionError)
