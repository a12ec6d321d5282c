"""Answers to those who look after a server. Rule: a report has names and states; what a check failed with is the log's.

Only imported where `Health` is asked for.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from http import HTTPStatus
from typing import Final, NamedTuple

import orjson

from capnweb_runtime.health import Check, Health
from capnweb_runtime.observe import logger_named, printable
from capnweb_runtime.serving.pages import Page, Pages
from capnweb_runtime.serving.peer import Peer
from capnweb_runtime.serving.replies import Reply

logger: Final = logger_named("capnweb_runtime.health")
_TEXT: Final = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}
_JSON: Final = {"Content-Type": "application/json", "Cache-Control": "no-store"}


def add_health(pages: Pages, health: Health, draining: Callable[[], bool]) -> None:
    """Adds what is asked for to the pages of a server.

    Parameters:
        pages: of the server.
        health: what is asked for, and where.
        draining: whether the server lets nobody in any more.

    Raises:
        ValueError: something else is served at one of the paths.
    """
    if health.alive is not None:
        pages.add(health.alive, _alive)
    if health.ready is not None:
        pages.add(health.ready, _Readiness(health, draining).page)
    if health.metrics is not None and health.exposition is not None:
        pages.add(health.metrics, _metrics(health.exposition))


async def _alive(_: Peer) -> Reply:
    return Reply(HTTPStatus.OK, _TEXT, b"alive\n")


def _metrics(exposition: Callable[[], tuple[bytes, str]]) -> Page:
    async def page(_: Peer) -> Reply:
        body, kind = exposition()
        return Reply(HTTPStatus.OK, {"Content-Type": kind, "Cache-Control": "no-store"}, body)

    return page


class _Result(NamedTuple):
    """What became of a check."""

    state: str
    seconds: float
    why: str = ""


class _Readiness:
    """Whether a server should get traffic."""

    def __init__(self, health: Health, draining: Callable[[], bool]) -> None:
        self._checks = health.checks
        self._max_age = health.max_age
        self._draining = draining
        self._asking: asyncio.Future[dict[str, _Result]] | None = None  # also what was found, for as long as it is good
        self._good_until = 0.0
        self._failed: frozenset[str] = frozenset()  # what the log has last been told of

    async def page(self, _: Peer) -> Reply:
        """The report; see `Health`."""
        results = await self._results()
        failed = {check for check in self._checks if results[check.name].state != "ok"}
        if self._draining():
            status = "draining"
        elif any(check.required for check in failed):
            status = "not ready"
        else:
            status = "degraded" if failed else "ready"
        checks = {
            check.name: {
                "state": results[check.name].state,
                "required": check.required,
                "seconds": round(results[check.name].seconds, 6),
            }
            for check in self._checks
        }
        ready = HTTPStatus.OK if status in {"ready", "degraded"} else HTTPStatus.SERVICE_UNAVAILABLE
        return Reply(ready, _JSON, orjson.dumps({"status": status, "checks": checks}) + b"\n")

    async def _results(self) -> dict[str, _Result]:
        loop = asyncio.get_running_loop()
        if self._asking is None or (self._asking.done() and loop.time() >= self._good_until):
            self._asking = asyncio.ensure_future(self._ask())
        # Whoever asks may go away; the others wait for the same.
        return await asyncio.shield(self._asking)

    async def _ask(self) -> dict[str, _Result]:
        results = await asyncio.gather(*map(_run, self._checks))
        self._good_until = asyncio.get_running_loop().time() + self._max_age
        found = {check.name: result for check, result in zip(self._checks, results, strict=True)}
        self._log(found)
        return found

    def _log(self, found: dict[str, _Result]) -> None:
        """Says what has changed: probes come every few seconds, and a line for each would hide everything else."""
        failed = frozenset(name for name, result in found.items() if result.state != "ok")
        for name in sorted(failed - self._failed):
            result = found[name]
            logger.warning("the check %s %s after %.3f s%s", name, result.state, result.seconds, result.why)
        for name in sorted(self._failed - failed):
            logger.info("the check %s is ok again", name)
        self._failed = failed


async def _run(check: Check) -> _Result:
    loop = asyncio.get_running_loop()
    began = loop.time()
    bound = asyncio.timeout(check.timeout)
    try:
        async with bound:
            succeeded = await _outcome(check)
    except Exception as error:
        if bound.expired():
            return _Result("timed out", loop.time() - began)
        return _Result("failed", loop.time() - began, f": {type(error).__name__}: {printable(str(error))}")
    return _Result("failed" if succeeded is False else "ok", loop.time() - began)


async def _outcome(check: Check) -> object:
    if inspect.iscoroutinefunction(check.run):
        return await check.run()
    outcome = await asyncio.to_thread(check.run)
    return await outcome if inspect.isawaitable(outcome) else outcome
