"""The gateway does what its README claims."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, nullcontext

import pytest
import pytest_asyncio
import uvicorn
from aiohttp import ClientSession

from capnweb_runtime import connect
from capnweb_runtime.testing import Faults, PairFixture
from examples.form.testing import as_documented
from examples.microservices.app import application
from examples.microservices.client import rest
from examples.microservices.generated.catalogue import CatalogueStub
from examples.microservices.generated.catalogue_fakes import CatalogueFake
from examples.microservices.generated.stock import StockStub
from examples.microservices.generated.stock_fakes import StockFake
from examples.microservices.generated.storefront import StorefrontStub
from examples.microservices.schemas.catalogue import NoSuchProduct, Product
from examples.microservices.schemas.stock import SoldOut
from examples.microservices.schemas.storefront import Unavailable
from examples.microservices.storefront import Services, Storefront

TEA = Product(number=7, name="Tea", cents=300)


class Injected:
    """The services that a test gives to the gateway: fakes, each behind a line that can be cut."""

    def __init__(self, services: Services, catalogue: CatalogueFake, stock: StockFake, cut: Faults) -> None:
        self.services = services
        self.catalogue = catalogue
        self.stock = stock
        self.line_to_stock = cut


@pytest_asyncio.fixture
async def injected(capnweb_pair: PairFixture) -> AsyncIterator[Injected]:
    """The services of a test."""
    catalogue, stock, faults = CatalogueFake(), StockFake(), Faults()
    async with (
        capnweb_pair(catalogue, CatalogueStub) as of_catalogue,
        capnweb_pair(stock, StockStub, faults=faults) as of_stock,
    ):
        yield Injected(Services(of_catalogue, of_stock), catalogue, stock, faults)


@asynccontextmanager
async def served(services: Services, patience: float = 10.0) -> AsyncGenerator[str]:
    """The application under uvicorn, at a URL."""
    listening = socket.create_server(("127.0.0.1", 0))
    app = application(lambda: nullcontext(services), patience=patience)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


def test_it_prints_what_is_documented_and_its_numbers_are_those_of_the_readme() -> None:
    ran = as_documented("microservices")
    assert ran.number("round trips of the program") == 2
    assert ran.claims["offers, which need it: status, and Retry-After"] == "(503, 1)"
    assert ran.number("a product, which does not") == 200


async def test_offers_are_put_together_of_one_call_to_each_service(injected: Injected) -> None:
    injected.catalogue.search.returns([TEA])
    injected.stock.levels.returns([3])
    async with served(injected.services) as url, ClientSession() as http:
        answer = await rest(http, "GET", f"{url}/products?word=tea")
    assert answer.body == [{"product": TEA.model_dump(), "left": 3}]
    assert [call.word for call in injected.catalogue.search.calls] == ["tea"]
    assert [list(call.numbers) for call in injected.stock.levels.calls] == [[7]]


async def test_what_services_refuse_is_a_status_of_its_own_with_their_text(injected: Injected) -> None:
    injected.catalogue.product.when(99).raises(NoSuchProduct("there is no product 99"))
    injected.catalogue.product.when(7).returns(TEA)
    injected.stock.reserve.raises(SoldOut(2))
    async with served(injected.services) as url, ClientSession() as http:
        missing = await rest(http, "GET", f"{url}/products/99")
        sold_out = await rest(http, "POST", f"{url}/products/7/reservations", {"count": 3})
    assert (missing.status, missing.body["detail"]) == (404, "there is no product 99")
    assert (sold_out.status, sold_out.body["detail"]) == (409, "there are 2 left")


@pytest.mark.parametrize("body", [{}, {"count": 0}, {"count": "many"}, []])
async def test_a_malformed_request_reaches_no_service(injected: Injected, body: object) -> None:
    async with served(injected.services) as url, ClientSession() as http:
        assert (await rest(http, "POST", f"{url}/products/7/reservations", body)).status == 422
    assert injected.catalogue.product.calls == []


async def test_a_service_that_is_lost_is_503_with_retry_after_where_it_is_needed(injected: Injected) -> None:
    injected.catalogue.product.returns(TEA)
    injected.catalogue.search.returns([])
    async with served(injected.services) as url, ClientSession() as http:
        injected.line_to_stock.cut()
        needed = await rest(http, "POST", f"{url}/products/7/reservations", {"count": 1})
        ready = await rest(http, "GET", f"{url}/readyz")
        assert (needed.status, needed.retry_after) == (503, 1)
        assert (await rest(http, "GET", f"{url}/products/7")).status == 200
        assert (ready.status, ready.body["checks"]["catalogue"]["state"]) == (503, "ok")
        async with http.get(f"{url}/healthz") as alive:
            assert alive.status == 200
        async with connect(f"{url}/rpc", StorefrontStub) as shop:
            with pytest.raises(Unavailable) as caught:
                await shop.reserve(7, 1)
    assert caught.value.retry_after == 1


async def test_a_service_that_takes_too_long_is_504_and_its_call_is_cancelled(injected: Injected) -> None:
    cancelled = asyncio.Event()

    async def slowly(numbers: object) -> list[int]:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return []

    injected.catalogue.search.returns([TEA])
    injected.stock.levels.does(slowly)
    async with served(injected.services, patience=0.05) as url, ClientSession() as http:
        assert (await rest(http, "GET", f"{url}/products")).status == 504
        async with asyncio.timeout(10):
            await cancelled.wait()


async def test_the_storefront_needs_no_web_framework(injected: Injected) -> None:
    injected.catalogue.product.returns(TEA)
    injected.stock.reserve.returns("r1")
    made = await Storefront(injected.services).reserve(7, 2)
    assert (made.reservation, made.product, made.count) == ("r1", TEA, 2)
