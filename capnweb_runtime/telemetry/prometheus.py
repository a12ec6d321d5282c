"""Metrics for Prometheus: durations of calls, and what servers and clients hold. Rule: a call pays for its duration
alone; what servers and clients hold is read from their statistics when somebody scrapes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

try:
    from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
    from prometheus_client.core import Metric
    from prometheus_client.registry import Collector
except ImportError as missing:
    raise ImportError(
        "telemetry.prometheus needs prometheus-client: pip install 'capnweb-gen[prometheus]'"
    ) from missing

from capnweb_runtime.driving.interceptors import CallInfo, Proceed
from capnweb_runtime.errors import LimitExceeded
from capnweb_runtime.observe import Observer
from capnweb_runtime.telemetry.calls import SECONDS, followed, method_of, type_of, was_forgotten
from capnweb_runtime.telemetry.gauges import Client, Clients, Pool, Pools, Server, Servers

__all__ = ["Metrics", "exposition"]

_LABELS = ("rpc_method", "error_type")


class Metrics(Collector):
    """An interceptor for clients and servers that counts calls and their durations for Prometheus, by method and error;
    and a collector of what servers, clients and pools hold. Make one for each registry.

    Parameters:
        registry: registry of `prometheus_client` for the metrics; by default that of the process.

    Raises:
        ValueError: the registry has these metrics already.
    """

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._made, self._served = (
            Histogram(f"rpc_{side}_call_duration_seconds", text, _LABELS, buckets=SECONDS, registry=registry)
            for side, text in (("client", "Duration of outgoing calls"), ("server", "Duration of incoming calls"))
        )
        self._limits = Counter(
            "capnweb_limits_passed",
            "Errors that peers were sent because a bound of Limits was passed",
            registry=registry,
        )
        self._kept: dict[tuple[bool, str, str], Histogram] = {}  # to look one up takes longer than to count
        self._servers, self._clients, self._pools = Servers(), Clients(), Pools()
        registry.register(self)

    async def __call__(self, call: CallInfo, proceed: Proceed) -> Any:
        """See `Interceptor`."""
        began = time.perf_counter()

        def end(error: BaseException | None) -> None:
            if not was_forgotten(call, error):
                self._count(call, error, time.perf_counter() - began)

        return await followed(call, proceed, end)

    def refused(self, call: CallInfo, error: BaseException) -> None:
        """See `SeesRefused`."""
        self._count(call, error, 0.0)

    def watch_server(self, server: Server, name: str = "") -> None:
        """Adds metrics of what a server holds and has refused, for as long as the server exists.

        Parameters:
            server: a `Server`, or a mount for ASGI or aiohttp.
            name: value of the label `server` in its metrics.

        Raises:
            ValueError: another server is watched under this name.
        """
        self._servers.add(server, name)

    def watch_client(self, client: Client, name: str = "") -> None:
        """Adds metrics of what the session of a client holds and, with `reconnect`, how often it has connected again,
        for as long as the client exists.

        Parameters:
            client: what `connect` has returned, not the stub.
            name: value of the label `client` in its metrics.

        Raises:
            ValueError: another client is watched under this name.
        """
        self._clients.add(client, name)

    def watch_pool(self, pool: Pool, name: str = "") -> None:
        """Adds metrics of what a `Pool` holds, and how often it has opened and replaced sessions.

        Parameters:
            pool: the pool.
            name: value of the label `pool` in its metrics.

        Raises:
            ValueError: another pool is watched under this name.
        """
        self._pools.add(pool, name)

    def observer(self, inner: Observer | None = None) -> Observer:
        """Makes an observer, for `serve(observer=...)` and `connect(observer=...)`, that counts the errors which are
        sent to peers because a bound of `Limits` was passed.

        Parameters:
            inner: observer that does everything else; None means the default `Observer`.

        Returns:
            The observer.
        """
        return _Counting(self._limits, inner or Observer())

    def collect(self) -> Iterator[Metric]:
        """Gives the metrics of what is watched. For the registry, which calls it at each scrape."""
        yield from self._servers.collect()
        yield from self._clients.collect()
        yield from self._pools.collect()

    def describe(self) -> list[Metric]:
        """Gives nothing. For the registry, which would otherwise collect before anything is watched."""
        return []

    def _count(self, call: CallInfo, error: BaseException | None, seconds: float) -> None:
        key = (call.served, method_of(call), "" if error is None else type_of(error))
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = (self._served if call.served else self._made).labels(*key[1:])
        found.observe(seconds)


class _Counting(Observer):
    """Counts, and passes everything on."""

    def __init__(self, limits: Counter, inner: Observer) -> None:
        self._limits = limits
        self._inner = inner

    def target_failed(self, where: str, error: BaseException) -> None:
        """See `Observer`."""
        self._inner.target_failed(where, error)

    def session_ended(self, reason: BaseException) -> None:
        """See `Observer`."""
        self._inner.session_ended(reason)

    def sending_error(self, error: BaseException) -> BaseException | None:
        """See `Observer`."""
        if isinstance(error, LimitExceeded):
            self._limits.inc()
        return self._inner.sending_error(error)


def exposition(registry: CollectorRegistry | None = None) -> tuple[bytes, str]:
    """Writes all metrics of a registry in Prometheus' text format: for `Health(metrics="/metrics",
    exposition=exposition)`.

    Parameters:
        registry: registry of `prometheus_client`; None means that of the process.

    Returns:
        The text as bytes, and its content type.
    """
    return generate_latest(REGISTRY if registry is None else registry), CONTENT_TYPE_LATEST
