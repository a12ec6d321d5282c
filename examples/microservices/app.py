"""The web application. Rule: what it needs of services is injected; what it answers when they fail is said once.

GET  /products?word=tea                    offers, with what is left of each
GET  /products/1                           a product
POST /products/1/reservations {"count": 2} puts something aside
/rpc                                       the same over Cap'n Web, as WebSocket or batch
/healthz, /readyz                          whether it lives, and whether it should get traffic
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, PositiveInt

from capnweb_runtime import DeadlineExceeded, Peer, deadline
from capnweb_runtime.health import Check, Health
from capnweb_runtime.mounts.asgi import CapnwebASGI
from examples.microservices.schemas.catalogue import NoSuchProduct, Product
from examples.microservices.schemas.stock import SoldOut
from examples.microservices.schemas.storefront import Offer, Reservation, Unavailable
from examples.microservices.storefront import Services, Storefront

STATUS: dict[type[Exception], int] = {NoSuchProduct: 404, SoldOut: 409, Unavailable: 503, DeadlineExceeded: 504}
"""What requests are answered, by the error that a call has failed with."""

Opened = Callable[[], AbstractAsyncContextManager[Services]]


class Wanted(BaseModel):
    """How much is to be put aside."""

    count: PositiveInt


def services_of(request: Request) -> Services:
    """The services, for whatever depends on them."""
    services: Services = request.app.state.services
    return services


def storefront(services: Annotated[Services, Depends(services_of)]) -> Storefront:
    """What answers a request."""
    return Storefront(services)


async def in_time(request: Request) -> AsyncGenerator[None]:
    """Everything that a request asks of services has to be answered in this time, all together."""
    with deadline(request.app.state.patience):
        yield


Shop = Annotated[Storefront, Depends(storefront)]
routes = APIRouter(dependencies=[Depends(in_time)])


@routes.get("/products")
async def offers(shop: Shop, word: Annotated[str, Query(max_length=100)] = "") -> list[Offer]:
    return await shop.offers(word)


@routes.get("/products/{number}")
async def product(shop: Shop, number: int) -> Product:
    return await shop.product(number)


@routes.post("/products/{number}/reservations", status_code=201)
async def reserve(shop: Shop, number: int, wanted: Wanted) -> Reservation:
    return await shop.reserve(number, wanted.count)


def application(opened: Opened, *, patience: float = 2.0) -> FastAPI:
    """The application.

    Parameters:
        opened: gives the services while the application runs.
        patience: seconds that a request may take.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with opened() as services, rpc.lifespan():
            app.state.services = services
            yield

    def main(peer: Peer) -> Storefront:
        return Storefront(app.state.services)

    app = FastAPI(lifespan=lifespan)
    app.state.patience = patience
    app.include_router(routes)
    for error in STATUS:
        app.add_exception_handler(error, failed)
    rpc = CapnwebASGI(main, path="/rpc", health=health(app), call_timeout=patience)
    app.mount("/", rpc)
    return app


def failed(request: Request, error: Exception) -> JSONResponse:
    """What a request is answered that has failed in a way that is known."""
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, Unavailable) else None
    return JSONResponse({"detail": str(error)}, STATUS[type(error)], headers)


def health(app: FastAPI) -> Health:
    """Whether the services answer; the application is not ready without any of them."""

    async def catalogue() -> None:
        await app.state.services.catalogue.search("")

    async def stock() -> None:
        await app.state.services.stock.levels([])

    return Health(
        alive="/healthz", ready="/readyz", checks=[Check("catalogue", catalogue), Check("stock", stock)], max_age=0.1
    )
