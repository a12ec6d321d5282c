"""What a log says of a server that is full."""

from __future__ import annotations

import asyncio
import logging

import pytest

from capnweb_runtime.serving import refusals
from capnweb_runtime.serving.refusals import Busy, Refusals


@pytest.fixture(autouse=True)
def log_of_what_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "capnweb_runtime.server")


async def test_a_thousand_refusals_are_two_lines(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "QUIET", 0.0)
    some = Refusals("connections", 2000, "new ones are refused")
    for _ in range(1000):
        some.add()
    assert [line.getMessage() for line in caplog.records] == [
        "at the bound of ServerLimits.connections, 2,000: new ones are refused"
    ]
    async with asyncio.timeout(60):
        for _ in iter(lambda: len(caplog.records), 2):
            await asyncio.sleep(0)
    assert caplog.records[1].getMessage() == (
        "no longer at the bound of ServerLimits.connections, which was passed 1,000 times"
    )
    assert some.usage(7, 2000) == refusals.Usage(now=7, most=2000, refused=1000)


async def test_it_is_over_only_when_nothing_more_was_refused(caplog: pytest.LogCaptureFixture) -> None:
    some = Refusals("calls", 1, "rejected")
    some.add()
    some._look_later()  # as if the time had passed:
    some.add()
    some._look()
    assert len(caplog.records) == 1
    some._look()
    assert "2 times" in caplog.records[1].getMessage()
    some.add()
    assert len(caplog.records) == 3
    some.close()
    assert "passed once" in caplog.records[3].getMessage()


async def test_nothing_is_said_at_the_end_where_nothing_was_refused(caplog: pytest.LogCaptureFixture) -> None:
    Refusals("calls", 1, "rejected").close()
    assert not caplog.records


def test_who_is_refused_is_told_when_to_come_again() -> None:
    busy = Busy()
    assert (busy.status, busy.headers) == (503, {"Retry-After": "10"})
