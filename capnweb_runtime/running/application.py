"""The application that is named on the command line, in a worker with a backplane. Rule: an engine that does not answer
is waited for, for a bounded time that is announced, and then told in one line; a password never is.

Only imported where a backplane is asked for.
"""

from __future__ import annotations

import asyncio
import inspect
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import urlsplit

from capnweb_runtime.errors import BackplaneUnavailable
from capnweb_runtime.health import Check
from capnweb_runtime.observe import printable
from capnweb_runtime.running.failures import Failed
from capnweb_runtime.running.loading import load_application, service_made
from capnweb_runtime.scale.contract import Backplane
from capnweb_runtime.scale.opening import open_backplane
from capnweb_runtime.scale.waiting import pause
from capnweb_runtime.serving.peer import logger
from capnweb_runtime.serving.service import Service
from capnweb_runtime.worker import Worker

if TYPE_CHECKING:
    from capnweb_runtime.scale.cluster.cluster import Cluster

Join: TypeAlias = "Callable[[Backplane], AbstractAsyncContextManager[Cluster]]"

PATIENCE: Final = 10.0
"""Seconds for which an engine is waited for: machines start what they run in any order."""


@asynccontextmanager
async def opened(
    named: str, url: str, name: str, join: Join | None = None, *, patience: float = PATIENCE
) -> AsyncIterator[tuple[Service, Worker]]:
    """An application, set up for as long as the block lasts.

    Parameters:
        named: module and name in it.
        url: of the backplane.
        name: of what is kept there.
        join: has the worker take part in a cluster; None if there is none.
        patience: seconds for which the engine is waited for.

    Returns:
        What is to be served, and the worker.

    Raises:
        Failed: there is no such application, it cannot be set up, or the engine does not answer.
    """
    application = load_application(named)
    async with _connected(url, name, patience) as backplane, AsyncExitStack() as held:
        cluster = None if join is None else await held.enter_async_context(join(backplane))
        worker = Worker(backplane, cluster)
        try:
            made: Any = application(worker)
            entered = made if isinstance(made, AbstractAsyncContextManager) else _without_end(made)
            given = await held.enter_async_context(entered)
        except Exception as error:
            logger.debug("%s could not be set up", named, exc_info=error)
            raise Failed(f"{named} cannot be set up: {type(error).__name__}: {printable(str(error))}") from None
        yield service_made(named, given), worker


@asynccontextmanager
async def _without_end(made: Any) -> AsyncIterator[Any]:
    """What an application has returned that has nothing to end."""
    yield await made if inspect.isawaitable(made) else made


@asynccontextmanager
async def _connected(url: str, name: str, patience: float) -> AsyncIterator[Backplane]:
    backplane = await _answering(url, name, patience)
    try:
        yield backplane
    finally:
        await backplane.close()


async def _answering(url: str, name: str, patience: float) -> Backplane:
    """A backplane that is connected. One that could not be is of no more use; so each attempt opens another."""
    loop = asyncio.get_running_loop()
    until = loop.time() + patience
    for attempt in count(1):
        try:
            return await open_backplane(url, name=name).__aenter__()
        except (ImportError, ValueError) as error:
            raise Failed(f"--backplane cannot be {place_of(url)}: {error}", code=2) from None
        except BackplaneUnavailable as error:
            if loop.time() >= until:
                raise Failed(f"the backplane at {place_of(url)} does not answer: {error}") from None
            if attempt == 1:
                logger.warning("waiting up to %g s for the backplane at %s: %s", patience, place_of(url), error)
        await asyncio.sleep(min(pause(attempt, random.random), max(until - loop.time(), 0.0)))
    raise AssertionError("it is tried again for as long as there is time")


def ready_with(backplane: Backplane) -> Check:
    """What makes a server ready only while its engine answers."""

    async def backplane_answers() -> None:
        await backplane.get("capnweb/ready")

    return Check("backplane", backplane_answers)


def place_of(url: str) -> str:
    """A URL without what nobody else is to know."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
