"""Collectors that are down: what they cannot take is lost, and calls notice nothing of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from capnweb_runtime.telemetry.otel import Telemetry
from tests.runtime.telemetry.answering import PATIENCE, Answering, joined

QUEUED = 8
CALLS = 50


class Exporting:
    """Telemetry that goes to a collector, from threads of its own."""

    def __init__(self, url: str) -> None:
        self.tracers = TracerProvider(shutdown_on_exit=False)
        self.tracers.add_span_processor(
            BatchSpanProcessor(
                OTLPSpanExporter(f"{url}/v1/traces", timeout=0.2),
                max_queue_size=QUEUED,
                max_export_batch_size=QUEUED,
                schedule_delay_millis=1,
            )
        )
        reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{url}/v1/metrics", timeout=0.2), 3_600_000)
        self.meters = MeterProvider([reader], shutdown_on_exit=False)

    def telemetry(self) -> Telemetry:
        return Telemetry(tracer_provider=self.tracers, meter_provider=self.meters)


@asynccontextmanager
async def exporting(url: str) -> AsyncIterator[Exporting]:
    made = Exporting(url)
    try:
        yield made
    finally:
        await asyncio.gather(asyncio.to_thread(made.tracers.shutdown), asyncio.to_thread(made.meters.shutdown))


@asynccontextmanager
async def collector(answers: bytes | None) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """What listens where a collector should, and an event that somebody has come.

    Parameters:
        answers: what it says; None if that is nothing.
    """
    come = asyncio.Event()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        come.set()
        if answers is None:
            await reader.read()
        else:
            await reader.read(1)
            writer.write(answers)
        writer.transport.abort()

    listener = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with listener:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}", come


@pytest.mark.parametrize(
    "answers",
    [None, b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", b"nonsense"],
    ids=["silent", "overloaded", "no collector"],
)
async def test_one_that_does_not_take_anything(answers: bytes | None, caplog: pytest.LogCaptureFixture) -> None:
    async with asyncio.timeout(PATIENCE * 6), collector(answers) as (url, come):
        async with exporting(url) as to:
            telemetry = to.telemetry()
            async with joined(Answering(), [telemetry], [telemetry]) as search:
                assert await search.count([]) == 0
                await come.wait()
                for number in range(CALLS):  # many more than wait to be exported
                    assert await search.count([number]) == 1
        assert any(record.name.startswith("opentelemetry") for record in caplog.records)


async def test_one_that_is_not_there(caplog: pytest.LogCaptureFixture) -> None:
    async with collector(None) as (url, _):
        pass
    async with asyncio.timeout(PATIENCE * 6), exporting(url) as to:
        telemetry = to.telemetry()
        async with joined(Answering(), [telemetry], [telemetry]) as search:
            for number in range(CALLS):
                assert await search.count([number]) == 1
    assert any(record.name.startswith("opentelemetry") for record in caplog.records)
