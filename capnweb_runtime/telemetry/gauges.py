"""What servers, clients and pools hold, as families of metrics. Rule: read when somebody scrapes, of those that are
still there; what labels them are names that the program gives, bounds of `ServerLimits`, and statuses of HTTP.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Final, Generic, Protocol, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from capnweb_runtime.connecting.pool import PoolStats
from capnweb_runtime.core.session import SessionStats
from capnweb_runtime.serving.bounds import ServerStats
from capnweb_runtime.serving.refusals import Usage
from capnweb_runtime.serving.totals import ServerTotals


class Server(Protocol):
    """A server, or a mount of one, which raises RuntimeError as long as it serves nowhere."""

    def stats(self) -> ServerStats:
        """How near each bound is."""
        ...

    def totals(self) -> ServerTotals:
        """What all sessions hold together."""
        ...


class Client(Protocol):
    """What `connect` has returned."""

    @property
    def sessions(self) -> int:
        """How many there have been."""
        ...

    def stats(self) -> SessionStats:
        """Of the current session."""
        ...


class Pool(Protocol):
    """A pool of sessions."""

    def stats(self) -> PoolStats:
        """What it holds and has done."""
        ...


S = TypeVar("S")
Sample: TypeAlias = tuple[Mapping[str, object], float]
"""A value, and what labels it beside the name of its source."""
Read: TypeAlias = Callable[[Any], float | list[Sample]]
Families: TypeAlias = Mapping[str, tuple[str, Read]]
"""Name of a metric → what it is, and what reads it."""


class _Watched(ABC, Generic[S]):
    """Sources of one kind.

    Attributes:
        kind: what labels their metrics, and begins the names of these.
        gauges: what goes up and down.
        counters: what only grows.
    """

    kind: ClassVar[str]
    gauges: ClassVar[Families]
    counters: ClassVar[Families]

    def __init__(self) -> None:
        self._names: WeakKeyDictionary[Any, str] = WeakKeyDictionary()

    def add(self, source: S, name: str) -> None:
        """Watches a source. Raises ValueError if another one has the name."""
        if any(known == name and other is not source for other, known in self._names.items()):
            raise ValueError(f"a {self.kind} is watched by the name {name!r} already: give each a name of its own")
        self._names[source] = name

    def collect(self) -> Iterator[Metric]:
        """The families of all that are still there."""
        read = [(name, state) for source, name in [*self._names.items()] if (state := self.read(source)) is not None]
        if read:
            yield from self._families(GaugeMetricFamily, self.gauges, read)
            yield from self._families(CounterMetricFamily, self.counters, read)

    @abstractmethod
    def read(self, source: S) -> Any:
        """The statistics of a source; None while there are none."""

    def _families(
        self,
        family: type[GaugeMetricFamily] | type[CounterMetricFamily],
        families: Families,
        read: list[tuple[str, Any]],
    ) -> Iterator[Metric]:
        for metric, (text, values) in families.items():
            made = [(name, sample) for name, state in read for sample in _samples(values(state))]
            labels = [*made[0][1][0]] if made else []
            filled = family(f"capnweb_{self.kind}_{metric}", text, labels=[self.kind, *labels])
            for name, (labelled, value) in made:
                filled.add_metric([name, *map(str, labelled.values())], value)
            yield filled


def _samples(values: float | list[Sample]) -> list[Sample]:
    return values if isinstance(values, list) else [({}, values)]


_Serving: TypeAlias = tuple[ServerStats, ServerTotals]
_BOUNDS: Final = tuple(ServerStats.__slots__)


def _each_bound(value: Callable[[Usage], int]) -> Read:
    return lambda state: [({"bound": bound}, value(getattr(state[0], bound))) for bound in _BOUNDS]


def _now(bound: str) -> Read:
    return lambda state: getattr(state[0], bound).now


def _total(name: str) -> Read:
    return lambda state: getattr(state[1], name)


def _refused(state: _Serving) -> list[Sample]:
    return [({"status": int(status)}, count) for status, count in sorted(state[1].refused.items())]


class Servers(_Watched[Server]):
    """Servers that are watched."""

    kind = "server"
    gauges: ClassVar[Families] = {
        "sessions": ("Sessions that are open or being opened", _now("sessions")),
        "connections": ("Connections that are open", _now("connections")),
        "calls_in_progress": ("Calls that run", _now("calls")),
        "imports": ("Capabilities of clients, and calls of them that are not answered", _total("imports")),
        "exports": ("Capabilities that clients hold, and calls that they have not released", _total("exports")),
        "queued_bytes": ("Bytes that wait for clients that do not read", _total("queued_bytes")),
        "held_bytes": ("Bytes that sessions make the server hold", _now("held_bytes")),
        "bound": ("What each bound of ServerLimits is", _each_bound(lambda usage: usage.most)),
    }
    counters: ClassVar[Families] = {
        "sessions_opened": ("Sessions that were opened", _total("opened")),
        "sessions_refused": ("Sessions that were refused, by status", _refused),
        "sessions_ended_at_limits": ("Sessions that ended at a bound of Limits", _total("ended_at_limits")),
        "bound_passed": ("How often a bound of ServerLimits was not enough", _each_bound(lambda usage: usage.refused)),
    }

    def read(self, source: Server) -> _Serving | None:
        """See `_Watched.read`."""
        try:
            return source.stats(), source.totals()
        except RuntimeError:
            return None


class Clients(_Watched[Client]):
    """Clients that are watched."""

    kind = "client"
    gauges: ClassVar[Families] = {
        "imports": ("Capabilities of the server, and calls that are not answered", lambda state: state[1].imports),
        "exports": ("Capabilities that the server holds, and calls that it makes", lambda state: state[1].exports),
    }
    counters: ClassVar[Families] = {
        "reconnects": ("Sessions that took the place of one that was lost", lambda state: max(state[0] - 1, 0)),
    }

    def read(self, source: Client) -> tuple[int, SessionStats] | None:
        """See `_Watched.read`."""
        return (source.sessions, source.stats()) if source.sessions else None


class Pools(_Watched[Pool]):
    """Pools that are watched."""

    kind = "pool"
    gauges: ClassVar[Families] = {
        "sessions": ("Sessions, those included that are being opened", lambda state: state.sessions),
        "sessions_ready": ("Sessions that are open", lambda state: state.ready),
        "sessions_leased": ("Sessions that are leased", lambda state: state.leased),
        "calls_in_progress": ("Calls in progress, or waiting for a session", lambda state: state.calls),
        "leases_waiting": ("Leases that wait for a session", lambda state: state.waiting),
    }
    counters: ClassVar[Families] = {
        "sessions_opened": ("Sessions that were opened", lambda state: state.opened),
        "sessions_replaced": ("Sessions that were too old, or failed a check", lambda state: state.replaced),
    }

    def read(self, source: Pool) -> PoolStats:
        """See `_Watched.read`."""
        return source.stats()
