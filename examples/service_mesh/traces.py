"""What each service of the mesh does to be traced. Rule: a span is published as soon as it ends, on a topic where a
collector would stand in production.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import asynccontextmanager

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from pydantic import BaseModel

from capnweb_runtime.scale import Backplane, Topic
from capnweb_runtime.telemetry.otel import Telemetry


class Span(BaseModel):
    """What is published of a span.

    Attributes:
        trace: id of its trace.
        own: its id.
        parent: that of its parent; None if it has none.
        service: who has recorded it.
        title: kind and name.
        began: when, to be compared only.
        error: the type of the error that it has ended with; "" if it has not.
    """

    trace: str
    own: str
    parent: str | None
    service: str
    title: str
    began: int
    error: str = ""


class Publishing(SpanProcessor):
    """Publishes the spans of a service."""

    def __init__(self, service: str, backplane: Backplane) -> None:
        self.under_way: set[asyncio.Task[str]] = set()
        self._service = service
        self._topic = spans(backplane)

    def on_end(self, span: ReadableSpan) -> None:
        context, parent = span.get_span_context(), span.parent
        assert context is not None
        told = Span(
            trace=f"{context.trace_id:x}",
            own=f"{context.span_id:x}",
            parent=None if parent is None else f"{parent.span_id:x}",
            service=self._service,
            title=f"{span.kind.name} {span.name}",
            began=span.start_time or 0,
            error=str((span.attributes or {}).get("error.type", "")),
        )
        task = asyncio.get_running_loop().create_task(self._topic.publish(told))
        self.under_way.add(task)
        task.add_done_callback(self.under_way.discard)


def spans(backplane: Backplane) -> Topic[Span]:
    """The topic that all services publish to."""
    return Topic(backplane, "spans", Span)


@asynccontextmanager
async def traced(service: str, backplane: Backplane) -> AsyncGenerator[tuple[Telemetry, TracerProvider]]:
    """An interceptor that records the calls of a service, and what makes its spans, which are published."""
    provider, publishing = TracerProvider(), Publishing(service, backplane)
    provider.add_span_processor(publishing)
    yield Telemetry(tracer_provider=provider), provider
    await asyncio.gather(*publishing.under_way, return_exceptions=True)


def tree(spans: Iterable[Span]) -> list[str]:
    """One trace as lines, each span below its parent."""
    held = sorted(spans, key=lambda span: span.began)
    own = {span.own for span in held}

    def below(parent: str | None, depth: int) -> Iterator[str]:
        for span in held:
            if span.parent == parent:
                error = f" ({span.error})" if span.error else ""
                yield f"{'  ' * depth}{span.service}: {span.title}{error}"
                yield from below(span.own, depth + 1)

    assert all(span.parent is None or span.parent in own for span in held), "a parent is missing"
    return list(below(None, 0))
