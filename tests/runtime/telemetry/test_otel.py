"""Spans and durations of calls, as the SDK of OpenTelemetry records them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from opentelemetry import baggage, context, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode

from capnweb_runtime import AnyStub, CallInfo, Proceed, RpcError, connect, connect_blocking, in_thread, serve
from capnweb_runtime.telemetry.calls import SECONDS
from capnweb_runtime.telemetry.otel import Telemetry, headers
from examples.demo.server import Accounts, Front
from generated.accounts import PublicApiStub
from tests.chaos.generated.bank import BankBlockingStub
from tests.chaos.server import Bank, State
from tests.project.sources import ROOT
from tests.runtime.telemetry.answering import PATIENCE, Answering, SearchStub, TooBroad, joined, until

SAMPLED = trace.TraceFlags(trace.TraceFlags.SAMPLED)
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE = 0x0AF7651916CD43DD8448EB211C80319C


class Recorded:
    """What has been recorded."""

    def __init__(self, **options: Any) -> None:
        self.exporter = InMemorySpanExporter()
        self.tracer_provider = TracerProvider(shutdown_on_exit=False, **options)
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.meter_provider = MeterProvider([self.reader], shutdown_on_exit=False)
        self.tracer = self.tracer_provider.get_tracer("test")

    def telemetry(self, **options: Any) -> Telemetry:
        return Telemetry(tracer_provider=self.tracer_provider, meter_provider=self.meter_provider, **options)

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        return self.exporter.get_finished_spans()

    @property
    def statuses(self) -> list[StatusCode]:
        return [span.status.status_code for span in self.spans]

    def of(self, kind: SpanKind) -> list[ReadableSpan]:
        return [span for span in self.spans if span.kind is kind]

    def durations(self, name: str) -> list[HistogramDataPoint]:
        data = self.reader.get_metrics_data()
        metrics = [] if data is None else data.resource_metrics[0].scope_metrics[0].metrics
        return [point for metric in metrics if metric.name == name for point in metric.data.data_points]  # type: ignore[misc]

    def counts(self, name: str) -> dict[Any, int]:
        """How many calls were measured, by method."""
        return {dict(point.attributes or {})["rpc.method"]: point.count for point in self.durations(name)}

    def close(self) -> None:
        self.tracer_provider.shutdown()
        self.meter_provider.shutdown()


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    made = Recorded()
    yield made
    made.close()


def parent_of(span: ReadableSpan) -> int:
    return 0 if span.parent is None else span.parent.span_id


def id_of(span: ReadableSpan) -> int:
    return context_of(span).span_id


def trace_of(span: ReadableSpan) -> int:
    return context_of(span).trace_id


def context_of(span: ReadableSpan) -> trace.SpanContext:
    found: trace.SpanContext | None = span.get_span_context()
    assert found is not None
    return found


def attributes_of(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


async def until_recorded(recorded: Recorded, count: int) -> None:
    await until(lambda: len(recorded.spans) >= count)


class TestSpans:
    async def test_a_call_has_one_at_each_end_in_one_trace(self, recorded: Recorded) -> None:
        telemetry = recorded.telemetry()
        with recorded.tracer.start_as_current_span("work") as work:
            async with joined(Answering(), [telemetry], [telemetry]) as search:
                await search.count([1])
        (client,), (server,) = recorded.of(SpanKind.CLIENT), recorded.of(SpanKind.SERVER)
        assert client.name == server.name == "Search/count"
        assert parent_of(client) == work.get_span_context().span_id
        assert parent_of(server) == id_of(client)
        assert trace_of(server) == trace_of(client) == work.get_span_context().trace_id
        shared = {"rpc.system.name": "capnweb", "rpc.method": "Search/count", "server.address": "127.0.0.1"}
        for span in (client, server):
            assert shared.items() <= attributes_of(span).items()
            assert isinstance(attributes_of(span)["server.port"], int)
            assert span.status.status_code is StatusCode.UNSET
        assert attributes_of(server)["network.peer.address"] == "127.0.0.1"
        assert attributes_of(server)["network.peer.port"] > 0

    async def test_a_chain_takes_one_round_trip_still(self, recorded: Recorded) -> None:
        telemetry = recorded.telemetry()
        accounts = Accounts()
        async with (
            serve(lambda peer: Front(accounts), "127.0.0.1", 0, interceptors=[telemetry]) as server,
        ):
            connecting = connect(server.url, PublicApiStub, interceptors=[telemetry])
            async with connecting as api:
                authed = api.authenticate("secret")
                assert (await authed.get_profile(authed.me())).name == "Ada"
                assert connecting.stats().round_trips == 1
                names = await authed.friends().map(lambda number: authed.get_profile(number).name)
                assert len(names) == 2
                assert await authed.user_name == "Ada"
                await until_recorded(recorded, 9)
        made = {span.name: attributes_of(span) for span in recorded.of(SpanKind.CLIENT)}
        assert made.keys() >= {"AuthedApi/get_profile", "AuthedApi/user_name", "map"}
        assert made["AuthedApi/get_profile"]["capnweb.pipelined"] is True
        mapped = [span for span in recorded.of(SpanKind.SERVER) if attributes_of(span).get("capnweb.mapped")]
        assert [span.name for span in mapped] == ["AuthedApi/get_profile"] * 2

    async def test_what_methods_do_is_below_theirs(self, recorded: Recorded) -> None:
        class Threaded(Answering):
            @in_thread
            def find(self, word: str, limit: int = 10) -> list[int]:
                self.seen.append(self.look())
                return []

        target = Threaded(lambda: trace.get_current_span().get_span_context().span_id)
        async with joined(target, serving=[recorded.telemetry()]) as search:
            await search.count([])
            await search.find("x")
            assert [number async for number in await search.follow("x")] == [0, 1]
            await until_recorded(recorded, 3)
        count, find, follow = (id_of(span) for span in recorded.spans)
        assert target.seen == [count, count, find, follow, follow, follow]

    async def test_a_trace_goes_on_behind_a_server_that_is_a_client(self, recorded: Recorded) -> None:
        telemetry = recorded.telemetry()
        async with joined(Answering(), [telemetry], [telemetry]) as behind:

            class Between(Answering):
                async def count(self, numbers: list[int]) -> int:
                    return await behind.count(numbers)

            async with joined(Between(), [telemetry], [telemetry]) as search:
                await search.count([1])
        spans = {id_of(span): span for span in recorded.spans}
        assert len(spans) == 4
        assert len({trace_of(span) for span in spans.values()}) == 1
        innermost, depth = recorded.spans[0], 0
        while parent_of(innermost):
            innermost, depth = spans[parent_of(innermost)], depth + 1
        assert depth == 3

    async def test_a_script_without_a_loop_is_in_it_too(self, recorded: Recorded) -> None:
        telemetry = recorded.telemetry()

        def script(url: str) -> int:
            with (
                recorded.tracer.start_as_current_span("work"),
                connect_blocking(url, BankBlockingStub, timeout=PATIENCE, interceptors=[telemetry]) as bank,
            ):
                return bank.get("four")

        async with serve(lambda peer: Bank(State()), "127.0.0.1", 0, interceptors=[telemetry]) as server:
            assert await asyncio.to_thread(script, server.url) == 4
        server_side, client_side, work = recorded.spans
        assert [parent_of(server_side), parent_of(client_side)] == [id_of(client_side), id_of(work)]

    async def test_callbacks_are_of_the_trace_that_calls_them(self, recorded: Recorded) -> None:
        telemetry = recorded.telemetry()
        async with joined(Answering(), [telemetry], [telemetry]) as search:
            await search.each("x", lambda number, *, last=False: True)
        assert len({trace_of(span) for span in recorded.spans}) == 1
        assert sorted(span.name for span in recorded.spans) == ["Search/each", "Search/each", "callback", "callback"]

    async def test_a_stream_ends_with_its_last_chunk(self, recorded: Recorded) -> None:
        target = Answering()
        target.may_go_on.clear()
        async with joined(target, serving=[recorded.telemetry()]) as search:
            chunks = await search.follow("x")
            assert await anext(chunks) == 0
            assert recorded.spans == ()
            target.may_go_on.set()
            assert [number async for number in chunks] == [1]
            await until_recorded(recorded, 1)
            given_up = await search.follow("x")
            await anext(given_up)
            await given_up.cancel()
            await until_recorded(recorded, 2)
            with pytest.raises(RpcError):
                async for _ in await search.follow("trouble"):
                    pass
        assert recorded.statuses == [StatusCode.UNSET, StatusCode.UNSET, StatusCode.ERROR]

    async def test_a_call_that_is_made_for_what_hangs_on_it_is_none_that_failed(self, recorded: Recorded) -> None:
        async with joined(Answering(), [recorded.telemetry()]) as search:
            assert await search.inside("x").count([]) == 0
        await until_recorded(recorded, 2)
        assert recorded.statuses == [StatusCode.UNSET] * 2
        assert recorded.counts("rpc.client.call.duration") == {"Search/count": 1}


class TestErrors:
    async def test_what_is_not_declared_is_an_error_with_its_traceback_where_it_happened(
        self, recorded: Recorded
    ) -> None:
        telemetry = recorded.telemetry()
        async with joined(Answering(), [telemetry], [telemetry]) as search:
            with pytest.raises(RpcError, match="reference"):
                await search.find("trouble")
        (client,), (server,) = recorded.of(SpanKind.CLIENT), recorded.of(SpanKind.SERVER)
        assert (attributes_of(client)["error.type"], attributes_of(server)["error.type"]) == ("RpcError", "KeyError")
        assert client.status.status_code is server.status.status_code is StatusCode.ERROR
        assert client.events == ()
        (event,) = server.events
        said = dict(event.attributes or {})
        assert said["exception.type"] == "KeyError"
        assert str(said["exception.message"]).isprintable()
        assert all(line.startswith("    ") for line in str(said["exception.stacktrace"]).split("\n"))

    async def test_what_is_declared_is_an_answer_to_the_server_and_an_error_to_the_client(
        self, recorded: Recorded
    ) -> None:
        telemetry = recorded.telemetry()
        async with joined(Answering(), [telemetry], [telemetry]) as search:
            with pytest.raises(TooBroad):
                await search.find("everything")
        (client,), (server,) = recorded.of(SpanKind.CLIENT), recorded.of(SpanKind.SERVER)
        assert attributes_of(client)["error.type"] == attributes_of(server)["error.type"] == "TooBroad"
        assert (client.status.status_code, server.status.status_code) == (StatusCode.ERROR, StatusCode.UNSET)
        assert server.events == ()

    @pytest.mark.parametrize("name", ["nonsense", "a\nERROR:root:forged", "\x1b[2K", "x" * 10_000])
    async def test_what_is_not_there_is_other_and_its_name_stands_in_an_attribute(
        self, recorded: Recorded, name: str
    ) -> None:
        async with joined(Answering(), serving=[recorded.telemetry()]) as search:
            with pytest.raises(TypeError):
                await AnyStub(search._hook.dup()).call(name)
        (span,) = recorded.spans
        assert (span.name, attributes_of(span)["rpc.method"]) == ("capnweb", "_OTHER")
        original = attributes_of(span)["rpc.method_original"]
        assert original.isprintable()
        assert original[:1] in (name[:1], "\\")
        assert len(original) <= 201
        (point,) = recorded.durations("rpc.server.call.duration")
        assert point.attributes == {"rpc.system.name": "capnweb", "rpc.method": "_OTHER", "error.type": "TypeError"}

    async def test_ten_thousand_names_are_one_series(self, recorded: Recorded) -> None:
        async with joined(Answering(), serving=[recorded.telemetry()]) as search:
            anything = AnyStub(search._hook.dup())
            for begin in range(0, 10_000, 100):
                names = range(begin, begin + 100)
                await asyncio.gather(*(anything.call(f"n{name}") for name in names), return_exceptions=True)
            await search.count([])
        assert recorded.counts("rpc.server.call.duration") == {"_OTHER": 10_000, "Search/count": 1}

    async def test_a_client_without_a_schema_calls_others(self, recorded: Recorded) -> None:
        async with joined(Answering(), [recorded.telemetry()]) as search:
            assert await AnyStub(search._hook.dup()).call("count", []) == 0
        assert [(span.name, attributes_of(span)["rpc.method_original"]) for span in recorded.spans] == [
            ("capnweb", "count")
        ]

    async def test_arguments_that_do_not_fit_are_an_error_of_the_method(self, recorded: Recorded) -> None:
        async with joined(Answering(), serving=[recorded.telemetry()]) as search:
            with pytest.raises(TypeError):
                await AnyStub(search._hook.dup()).call("count", "x")
        (span,) = recorded.spans
        assert span.name == "Search/count"
        assert attributes_of(span)["error.type"] == "TypeError"


class TestDurations:
    async def test_they_have_the_names_the_unit_and_the_bounds_of_the_conventions(self, recorded: Recorded) -> None:
        telemetry = recorded.telemetry()
        async with joined(Answering(), [telemetry], [telemetry]) as search:
            await search.count([])
            await search.count([])
        data = recorded.reader.get_metrics_data()
        assert data is not None
        ((metrics,),) = ([scope.metrics for scope in resource.scope_metrics] for resource in data.resource_metrics)
        assert {metric.name: metric.unit for metric in metrics} == {
            "rpc.client.call.duration": "s",
            "rpc.server.call.duration": "s",
        }
        for metric in metrics:
            (point,) = metric.data.data_points
            assert isinstance(point, HistogramDataPoint)
            assert point.count == 2
            assert tuple(point.explicit_bounds) == SECONDS
            assert {"rpc.system.name": "capnweb", "rpc.method": "Search/count"}.items() <= dict(
                point.attributes or {}
            ).items()
            assert ("server.address" in (point.attributes or {})) == (metric.name == "rpc.client.call.duration")

    async def test_they_are_measured_of_calls_that_are_not_sampled(self) -> None:
        recorded = Recorded(sampler=ALWAYS_OFF)
        async with joined(Answering(), serving=[recorded.telemetry()]) as search:
            await search.count([])
            with pytest.raises(RpcError):
                await search.find("trouble")
        assert recorded.spans == ()
        assert sorted(point.count for point in recorded.durations("rpc.server.call.duration")) == [1, 1]
        recorded.close()


class TestFromOutside:
    async def test_headers_of_the_request_are_the_parents_of_calls_that_bring_none(self, recorded: Recorded) -> None:
        async with joined(Answering(), serving=[recorded.telemetry()], headers={"traceparent": PARENT}) as search:
            await search.count([])
        (span,) = recorded.spans
        assert (trace_of(span), parent_of(span)) == (TRACE, 0xB7AD6B7169203331)

    async def test_a_peer_that_has_not_agreed_on_metadata_sends_them(self, recorded: Recorded) -> None:
        telemetry = recorded.telemetry()
        with recorded.tracer.start_as_current_span("work") as work:
            given = headers({"Sec-WebSocket-Protocol": ""})
        assert given.keys() == {"Sec-WebSocket-Protocol", "traceparent"}
        async with joined(Answering(), [telemetry], [telemetry], headers=given) as search:
            await search.count([])
        (server,) = recorded.of(SpanKind.SERVER)
        assert parent_of(server) == work.get_span_context().span_id

    async def test_so_does_a_batch_with_several_calls(self, recorded: Recorded) -> None:
        telemetry = recorded.telemetry()
        async with serve(lambda peer: Answering(), "127.0.0.1", 0, interceptors=[telemetry]) as server:
            with recorded.tracer.start_as_current_span("work") as work:
                async with connect(server.http_url, SearchStub, headers=headers(), interceptors=[telemetry]) as search:
                    await asyncio.gather(search.count([]), search.find("x"))
            assert {parent_of(span) for span in recorded.of(SpanKind.SERVER)} == {work.get_span_context().span_id}
            async with connect(server.http_url, SearchStub, interceptors=[telemetry]) as search:
                await search.count([])
        client, last = recorded.of(SpanKind.CLIENT)[-1], recorded.of(SpanKind.SERVER)[-1]
        assert parent_of(last) == id_of(client)

    async def test_a_span_that_is_current_around_the_session_is_nearer_than_its_headers(
        self, recorded: Recorded
    ) -> None:
        """As that of an application's own instrumentation, which has read the same headers."""

        def main(peer: Any) -> Answering:
            span = recorded.tracer.start_span("request", trace.set_span_in_context(remote()))
            context.attach(trace.set_span_in_context(span))
            return Answering()

        def remote() -> trace.Span:
            return trace.NonRecordingSpan(trace.SpanContext(TRACE, 0xB7AD6B7169203331, True, SAMPLED))

        async with (
            serve(main, "127.0.0.1", 0, interceptors=[recorded.telemetry()]) as server,
            connect(server.url, SearchStub, headers={"traceparent": PARENT}) as search,
        ):
            await search.count([])
        (span,) = recorded.spans
        assert trace_of(span) == TRACE
        assert parent_of(span) not in (0, 0xB7AD6B7169203331)

    @pytest.mark.parametrize(
        "value", ["", "nonsense", "00-" + "0" * 32 + "-b7ad6b7169203331-01", "x" * 5000, "ff" + PARENT[2:]]
    )
    async def test_what_is_none_begins_a_trace(self, recorded: Recorded, value: str) -> None:
        async with joined(Answering(), serving=[recorded.telemetry()], headers={"traceparent": value}) as search:
            await search.count([])
        (span,) = recorded.spans
        assert span.parent is None

    async def test_strangers_are_linked_to_and_nothing_of_theirs_goes_on(self, recorded: Recorded) -> None:
        target = Answering(baggage.get_all)
        sent = {"traceparent": PARENT, "baggage": "user=Ada"}
        async with joined(target, serving=[recorded.telemetry(public=True)], headers=sent) as search:
            await search.count([])
        carrying = TestFromOutside.with_baggage
        async with joined(target, [carrying], [recorded.telemetry(public=True)]) as search:
            await search.count([])
        linked, alone = recorded.spans
        assert linked.parent is None
        assert [link.context.trace_id for link in linked.links] == [TRACE]
        assert (alone.parent, alone.links) == (None, ())
        assert target.seen == [{}] * 4
        async with joined(target, serving=[recorded.telemetry()], headers={"baggage": "user=Ada"}) as search:
            await search.count([])
        async with joined(target, [carrying], [recorded.telemetry()]) as search:
            await search.count([])
        assert target.seen[4:] == [{"user": "Ada"}] * 4

    @staticmethod
    async def with_baggage(call: CallInfo, proceed: Proceed) -> Any:
        call.metadata["baggage"] = "user=Ada"
        return await proceed(call)


async def test_without_an_sdk_nothing_is_recorded_and_traces_pass_through() -> None:
    telemetry = Telemetry()
    passed: list[dict[str, str]] = []

    async def look(call: Any, proceed: Any) -> Any:
        passed.append(dict(call.metadata))
        return await proceed(call)

    async with joined(Answering(), [telemetry], [look]) as behind:

        class Between(Answering):
            async def count(self, numbers: list[int]) -> int:
                return await behind.count(numbers)

        async with joined(Between(), serving=[telemetry], headers={"traceparent": PARENT}) as search:
            assert await search.count([1]) == 1
    assert passed == [{"traceparent": PARENT}]


@pytest.mark.parametrize(
    ("module", "library", "extra"),
    [("otel", "opentelemetry", "otel"), ("prometheus", "prometheus_client", "prometheus")],
)
def test_what_is_missing_is_said_with_how_to_install_it(module: str, library: str, extra: str) -> None:
    program = f"import sys; sys.modules['{library}'] = None; import capnweb_runtime.telemetry.{module}"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert f"pip install 'capnweb-gen[{extra}]'" in done.stderr.splitlines()[-1]
