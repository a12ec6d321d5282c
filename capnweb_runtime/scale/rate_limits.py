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
    """What this process has done with calls so far; see `RateLimits.stats`.

    Attributes:
        admitted: calls that were let in, including those that no rule applies to.
        refused: calls that were refused.
        uncounted: calls that a rule applies to and that could not be counted, since the engine did not answer; they are
            also among those admitted or refused.
    """

    admitted: int
    refused: int
    uncounted: int


class RateLimits:
    """An interceptor for `serve(interceptors=[...])` that counts the calls which are served, and refuses with a
    `RateLimited` those that are too many. Calls of a `map()` and pipelined calls count one by one.

    Entering it with `async with` makes sure that the engine answers; leaving it closes the connections to the engine.

    Parameters:
        rules: the rules. A call is let in if all rules that apply to it let it in.
        url: where calls are counted: "memory:" in this process alone; "redis://host:6379/0" for all processes with the
            same Redis.
        principal: function of the call that tells whose call it is, as a text; calls for which it gives None are
            counted together. By default the IP address of the peer; see `address_of`.
        name: name of the application, which keeps its counts apart from those of others in one engine: letters, digits,
            `_` and `-`.
        clock: function that gives seconds on a clock that never goes back, for "memory:" and for pauses.

    Raises:
        ValueError: calls cannot be counted at such a URL, `name` has other characters, or two rules are the same in
            rate, methods and `per`, and would share their counts.
        ImportError: a library that this needs is not installed; the message says what to install.
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
            raise ValueError("two rules have the same rate, methods and per=, and would count together: leave one out")
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
        """Counts what this process has done with calls so far."""
        return RateLimitStats(self._admitted, self._refused, self._uncounted)

    async def close(self) -> None:
        """Closes the connections to the engine. The counts stay there."""
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
        raise ValueError(f"calls cannot be counted at {scheme or url[:20]!r}: use memory: or redis://")
    try:
        engine = import_module("capnweb_runtime.scale.redis_windows")
    except ModuleNotFoundError as missing:
        if missing.name != "redis":
            raise
        raise ImportError(f"counting at {scheme}:// needs redis: pip install 'capnweb-gen[redis]'") from missing
    windows: Windows = engine.RedisWindows(url, prefix)
    return windows
