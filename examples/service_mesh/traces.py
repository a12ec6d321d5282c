"""What each service of the mesh does to be traced. Rule: a span is written as soon as it ends, one line of JSON each,
to a file where a collector's address would stand in production.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

from capnweb_runtime.telemetry.otel import Telemetry


@contextmanager
def traced(service: str, spans: Path) -> Generator[tuple[Telemetry, TracerProvider]]:
    """An interceptor that records the calls of a service, and what makes its spans, which are appended to a file."""
    with spans.open("a", encoding="utf-8") as out:
        provider = TracerProvider(resource=Resource({SERVICE_NAME: service}))
        provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=out, formatter=_line)))
        yield Telemetry(tracer_provider=provider), provider


def _line(span: ReadableSpan) -> str:
    return f"{span.to_json(indent=None)}\n"


@dataclass(frozen=True)
class Span:
    """What was written of a span.

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
    began: str
    error: str


def read(folder: Path) -> list[Span]:
    """The spans of all services."""
    lines = (line for path in sorted(folder.glob("*.spans")) for line in path.read_text("utf-8").splitlines())
    return [_span(line) for line in lines]


def _span(line: str) -> Span:
    read = json.loads(line)
    context = read["context"]
    return Span(
        context["trace_id"],
        context["span_id"],
        read["parent_id"],
        read["resource"]["attributes"][SERVICE_NAME],
        f"{read['kind'].removeprefix('SpanKind.')} {read['name']}",
        read["start_time"],
        read["attributes"].get("error.type", ""),
    )


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
