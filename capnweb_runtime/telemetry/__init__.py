"""What a program tells of its calls to those who run it: traces, metrics, and what log lines carry.

`otel` has spans and durations for OpenTelemetry, `prometheus` metrics for Prometheus, `logs` the ids that go with every
line of a log. Each is an interceptor, and costs nothing unless it is given to `serve` or `connect`; see
docs/operations.md. `otel` needs the extra `otel`, `prometheus` the extra of that name, `logs` nothing.
"""
