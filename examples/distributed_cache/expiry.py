"""Values that were loaded at the same moment, and when they are loaded again. The clock is put forward by hand."""

from __future__ import annotations

import random
from collections import Counter

from examples.distributed_cache.cache import Cache, Settings
from examples.form.report import Report

VALUES = 1_000
SECONDS = 140


async def expire(report: Report) -> None:
    """With jitter, the origin is asked for some values every second; without it, for all of them in one."""
    report.section(f"{VALUES:,} values are loaded at the same moment, to be kept for 100 s")
    without, with_jitter = await loads(jitter=0.0), await loads(jitter=0.2)
    report.check("loads 100 s later, without jitter", without[100], VALUES)
    report.check("most loads in any second, with a jitter of 20 %", max(with_jitter.values()), 39)
    report.check("first and last of them, in seconds", (min(with_jitter), max(with_jitter)), (81, 120))
    report.check("as many loads in all", without.total() == with_jitter.total() == VALUES)


async def loads(jitter: float) -> Counter[int]:
    """How many values are loaded again in each second, if everybody reads all of them all the time."""
    now = 0.0
    again: Counter[int] = Counter()

    async def load(key: str) -> str:
        if now:
            again[int(now)] += 1
        return key

    chance = random.Random(2026)
    cache = Cache(load, Settings(ttl=100, jitter=jitter), lambda: now, chance.random)
    for second in range(SECONDS):
        now = float(second)
        for number in range(VALUES):
            await cache.get(str(number))
    return again
