"""Limits of how often something is called, counted over all processes. Rule: a call is counted before it runs, and one
that is refused has not run.

`capnweb_runtime.limits.Limits` bounds what one session may do to one process; this bounds what somebody may do within a
time, however many sessions and processes they use.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, Self
from urllib.parse import urlsplit

from capnweb_runtime.driving.interceptors import CallInfo, Proceed
from capnweb_runtime.errors import BackplaneUnavailable, RateLimited
from capnweb_runtime.observe import logger_named
from capnweb_runtime.scale.hub import check_application

try:
    from capnweb_runtime.scale.rate_rules import Count, Per, Principal, RateLimit, Rule, address_of
    from capnweb_runtime.scale.windows import MemoryWindows, Windows
except ModuleNotFoundError as missing:
    if missing.name != "limits":
        raise
    raise ImportError("scale.rate_limits needs limits: pip install 'capnweb-gen[limits]'") from missing

__all__ = ["Per", "RateLimit", "RateLimitStats", "RateLimits", "address_of"]

_AFTERWARDS: Final = 1.0
"""Seconds for which an engine that has not answered is not asked again."""

logger = logger_named("capnweb_runtime.scale")


@dataclass(frozen=True, slots=True)
class RateLimitStats:
    """What has become of calls.

    Attributes:
        admitted: calls that were let in, those among them that no rule is about.
        refused: calls that were refused.
        uncounted: calls that rules were about, and that the engine did not count since it did not answer.
    """

    admitted: int
    refused: int
    uncounted: int


class RateLimits:
    """An interceptor, for `serve`, that counts the calls which are served and refuses those that are too many with a
    `RateLimited`. Those of a map, and what is pipelined, count one by one. As an async context manager it begins with
    an engine that answers, and ends with its connections.

    Parameters:
        rules: all that are about a call have to let it in.
        url: where is counted: `memory:` in this process alone; `redis://host:6379/0` with all that have the same one.
        principal: whose call it is; those of whom it gives None have one count together. By default the address of the
            peer, and for IPv6 the network that a subscriber has.
        name: separates what applications keep in one engine: letters, digits, `_` and `-`.
        clock: monotonic seconds, for `memory:` and for pauses.

    Raises:
        ValueError: nothing is counted at such a URL, the name is none, or two rules would count together.
        ImportError: the library of that engine is not installed.
    """

    def __init__(
        self,
        rules: Collection[RateLimit],
        url: str = "memory:",
        *,
        principal: Principal = address_of,
        name: str = "capnweb",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rules = [Rule(rule) for rule in rules]
        if len({rule.counts for rule in self._rules}) < len(self._rules):
            raise ValueError("two rules are of the same rate and methods, per the same: say one of another time")
        self._principal = principal
        self._clock = clock
        self._windows = _windows_at(url, f"{check_application(name)}:rate", clock)
        self._silent_until = -math.inf
        self._is_silent = False
        self._admitted = self._refused = self._uncounted = 0

    async def __call__(self, call: CallInfo, proceed: Proceed) -> Any:
        """See `Interceptor`."""
        if call.served:
            await self._admit(call)
        return await proceed(call)

    def stats(self) -> RateLimitStats:
        """What this process has made of calls so far."""
        return RateLimitStats(self._admitted, self._refused, self._uncounted)

    async def close(self) -> None:
        """Ends the connections to the engine. What is counted there stays."""
        await self._windows.close()

    async def __aenter__(self) -> Self:
        try:
            await self._windows.ready()
        except BackplaneUnavailable:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _admit(self, call: CallInfo) -> None:
        """Counts a call. Raises RateLimited if it is one too many."""
        counts = [count for rule in self._rules if (count := rule.count(call, self._principal)) is not None]
        refusals = self._known(counts)
        if counts and not refusals:
            refusals = await self._asked(counts)
        if refusals:
            self._refused += 1
            raise max(refusals, key=lambda one: math.inf if one.retry_after is None else one.retry_after)
        self._admitted += 1

    def _known(self, counts: Sequence[Count]) -> list[RateLimited]:
        """What is refused, as far as is known here."""
        found = (_refusal(count, self._windows.full.wait(count.wanted.key, count.wanted.amount)) for count in counts)
        return [refusal for refusal in found if refusal is not None]

    async def _asked(self, counts: Sequence[Count]) -> list[RateLimited]:
        """What is refused by the engine, which is asked once for all."""
        try:
            if self._clock() < self._silent_until:
                return self._uncountable(counts)
            is_admitted = await self._windows.acquire_entries([count.wanted for count in counts])
        except BackplaneUnavailable as unavailable:
            self._silent_until = self._clock() + _AFTERWARDS
            if not self._is_silent:
                logger.warning("calls are not counted: %s", unavailable)
            self._is_silent = True
            return self._uncountable(counts)
        if self._is_silent:
            self._is_silent = False
            logger.info("calls are counted again")
        if is_admitted:
            return []
        return self._known(counts) or [RateLimited("one too many: call again", 0.0)]  # there is room by now

    def _uncountable(self, counts: Sequence[Count]) -> list[RateLimited]:
        self._uncounted += 1
        if all(count.rule.unavailable == "admit" for count in counts):
            return []
        return [RateLimited(f"calls cannot be counted now: call again in {_AFTERWARDS:g} s", _AFTERWARDS)]


def _refusal(count: Count, wait: float) -> RateLimited | None:
    """Why a call is not let in for some seconds, or ever; None if that is not so."""
    rate, wanted = count.rule.rate, count.wanted
    if wanted.amount > wanted.limit:
        return RateLimited(f"the call counts for {wanted.amount}, and no more than {rate} are let in: ask for less")
    if wait <= 0:
        return None
    wait = math.ceil(wait * 1000) / 1000
    return RateLimited(f"more than {rate}: call again in {wait:.1f} s", wait)


def _windows_at(url: str, prefix: str, clock: Callable[[], float]) -> Windows:
    scheme = urlsplit(url).scheme
    if scheme == "memory":
        return MemoryWindows(clock)
    if scheme in ("nats", "tls"):
        raise ValueError(
            "calls are not counted in NATS, as each is a read and a compare-and-set which all processes contend "
            "for, and no count ever expires: have a Redis for it, or memory: for each process by itself"
        )
    if scheme not in ("redis", "rediss"):
        raise ValueError(f"nothing is counted at {scheme or url[:20]!r}: memory: or redis://")
    try:
        engine = import_module("capnweb_runtime.scale.redis_windows")
    except ModuleNotFoundError as missing:
        if missing.name != "redis":
            raise
        raise ImportError(f"to count at {scheme}:// needs redis: pip install 'capnweb-gen[redis]'") from missing
    windows: Windows = engine.RedisWindows(url, prefix)
    return windows
