"""A model of many workers on one engine, by discrete events on a clock of its own: how often the engine is read, how
long everybody takes to come back, and what is held, up to 1,000 workers and 1,000,000 subscribers.

Rule: no input or output, and no chance but a seed; what it says of few workers is what the implementation does, which
`test_simulation.py` compares. `python -m tests.scale.simulation` prints the table.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from capnweb_runtime import Reconnect
from capnweb_runtime.scale import Bounds

PAGE = 64
"""Events that are read at a time."""
CHECK = 30.0
"""Seconds after which a worker asks for the positions of all topics that it reads."""
KIB = 1024


@dataclass(frozen=True)
class Setting:
    """What is modelled.

    Attributes:
        workers: how many.
        subscribers: clients, each of one topic, spread over workers and topics by chance.
        topics: how many.
        rate: events of a topic a second.
        event_bytes: of one.
        away: seconds for which everybody was away, whose events are missed.
        reads: what the engine answers a second.
        handshakes: sessions that a worker can begin a second.
        deliveries: events that a worker can send to its subscribers a second.
        session_bytes: memory of a session with a subscription.
        engine_clients: connections that the engine accepts; a worker has two.
        worker_bytes: memory that a worker may have.
        bounds: of the backplane.
    """

    workers: int
    subscribers: int
    topics: int
    rate: float = 0.1
    event_bytes: int = 500
    away: float = 10.0
    reads: float = 10_000.0
    handshakes: float = 500.0
    deliveries: float = 20_000.0
    session_bytes: int = 40 * KIB
    engine_clients: int = 10_000
    worker_bytes: int = 1 << 30
    bounds: Bounds = field(default_factory=Bounds)


@dataclass
class Feed:
    """A topic that a worker reads, and how many of its last events it has: what it keeps answers whoever comes next."""

    known: int = 0
    opened: bool = False


@dataclass
class Storm:
    """How everybody came back.

    Attributes:
        positions: reads of a topic's last position.
        history: reads of a page of its history.
        seconds: until the last one had what it has missed.
        peak: most reads of the engine within one second.
        attempts: most connections that were tried at one worker within a tenth of a second.
    """

    positions: int = 0
    history: int = 0
    seconds: float = 0.0
    peak: int = 0
    attempts: int = 0


class Model:
    """Everybody comes back at once, as after the loss of a balancer; each after a time by chance, as `Reconnect` says.

    Attributes:
        storm: what comes of it.
        joined: worker and topic of each who came, in order.
    """

    def __init__(self, setting: Setting, seed: int = 0) -> None:
        self.setting = setting
        self.storm = Storm()
        self.joined: list[tuple[int, int]] = []
        self._chance = random.Random(seed)
        self._policy = Reconnect(random=self._chance.random)
        self._free = [0.0] * setting.workers  # when a worker has begun the sessions that it was asked for
        self._engine = 0.0  # when the engine has answered what it was asked
        self._feeds: dict[tuple[int, int], Feed] = {}
        self._read: dict[int, int] = {}
        self._tried: dict[tuple[int, int], int] = {}

    def run(self) -> Storm:
        setting, chance = self.setting, self._chance
        coming = [
            (self._policy.delay(0, ConnectionError()), client, chance.randrange(setting.workers))
            for client in range(setting.subscribers)
        ]
        heapq.heapify(coming)
        while coming:
            now, _, worker = heapq.heappop(coming)
            self._came(now, worker)
            begun = max(self._free[worker], now) + 1 / setting.handshakes
            self._free[worker] = begun
            topic = chance.randrange(setting.topics)
            self.joined.append((worker, topic))
            told = self.join(worker, topic, round(setting.rate * setting.away), begun)
            self.storm.seconds = max(self.storm.seconds, told)
        self.storm.peak = max(self._read.values(), default=0)
        self.storm.attempts = max(self._tried.values(), default=0)
        return self.storm

    def join(self, worker: int, topic: int, missed: int, now: float) -> float:
        """A subscriber who has missed so many events. Returns when it has been told them."""
        feed = self._feeds.setdefault((worker, topic), Feed())
        if not feed.opened:
            feed.opened = True
            self.storm.positions += 1
            now = self._ask(now)
        if missed > feed.known:
            pages = self.pages(missed, feed)
            self.storm.history += pages
            for _ in range(pages):
                now = self._ask(now)
        return now

    def pages(self, missed: int, feed: Feed) -> int:
        """Reads of the part of a history that a worker does not have. Of one that is longer than what the engine keeps,
        one tells as much, and nothing is learnt.
        """
        bounds = self.setting.bounds
        if missed > bounds.history_events:
            return 1
        known, feed.known = feed.known, max(feed.known, min(missed, bounds.recent_events))
        return -(-(missed - known) // PAGE)

    def _ask(self, now: float) -> float:
        self._engine = max(self._engine, now) + 1 / self.setting.reads
        second = int(self._engine)
        self._read[second] = self._read.get(second, 0) + 1
        return self._engine

    def _came(self, now: float, worker: int) -> None:
        key = worker, int(now * 10)
        self._tried[key] = self._tried.get(key, 0) + 1


def waiting(published: int, bounds: Bounds) -> tuple[int, bool]:
    """What waits for a subscriber that reads nothing while so many events are published: how many items, and whether
    the first of them is a gap. Each time the queue is full, it is replaced by one gap.
    """
    if published <= bounds.queue_events:
        return published, False
    return 1 + (published - bounds.queue_events - 1) % bounds.queue_events, True


@dataclass(frozen=True)
class Load:
    """What a setting takes, day in, day out, as a part of what there is; and how everybody comes back.

    Attributes:
        setting: which.
        pairs: of a worker and a topic that it reads.
        parts: by name, what is used of each bound; 1.0 is all of it.
        storm: everybody at once.
    """

    setting: Setting
    pairs: int
    parts: dict[str, float]
    storm: Storm

    @property
    def first(self) -> str:
        """The bound that is met first."""
        return max(self.parts, key=self.parts.__getitem__)


def load(setting: Setting, seed: int = 0) -> Load:
    """All that the model says of a setting."""
    model = Model(setting, seed)
    storm = model.run()
    pairs = len(model._feeds)
    per_worker = setting.subscribers / setting.workers
    events = setting.topics * setting.rate
    readers = pairs / setting.topics  # workers that are woken by an event of a topic
    feed_bytes = min(setting.bounds.recent_events, setting.rate * setting.bounds.history_seconds) * setting.event_bytes
    parts = {
        "positions asked for, every 30 s": pairs / CHECK / setting.reads,
        "events sent to workers": events * readers / setting.reads,
        "events published": events / setting.reads,
        "deliveries of a worker": per_worker * setting.rate / setting.deliveries,
        "memory of a worker": (per_worker * setting.session_bytes + pairs / setting.workers * feed_bytes)
        / setting.worker_bytes,
        "connections of the engine": 2 * setting.workers / setting.engine_clients,
    }
    return Load(setting, pairs, parts, storm)


def settings(of: Setting | None = None) -> Iterable[Setting]:
    """From one worker to a thousand, each with a thousand subscribers, and a hundred of these on a topic."""
    for workers in (1, 10, 100, 1_000):
        subscribers = workers * 1_000
        base = of or Setting(1, 1, 1)
        yield replace(base, workers=workers, subscribers=subscribers, topics=subscribers // 100)


def main() -> None:
    for setting in settings():
        found = load(setting)
        storm = found.storm
        print(
            f"{setting.workers} workers, {setting.subscribers} subscribers, {found.pairs} pairs: "
            f"{storm.positions} + {storm.history} reads, {storm.peak} in a second, {storm.seconds:.1f} s; "
            + ", ".join(f"{name} {part:.1%}" for name, part in found.parts.items())
        )


if __name__ == "__main__":
    main()
