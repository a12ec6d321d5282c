"""What processes share: topics that can be resumed, leases with fences, small values. The first floor of scaling beyond
one process; see docs/scale.md.

`open_backplane` opens one: `memory:` for one process, `redis://` and `nats://` with the extras `redis` and `nats`. Its
contract is `Backplane`, and every engine keeps all of it. `Topic` gives what is published to one a type; `follow` reads
it at a client. `Presence` knows who is in a room.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from capnweb_runtime.errors import BackplaneUnavailable, LeaseLost
from capnweb_runtime.scale.contract import (
    Backplane,
    Bounds,
    Cursor,
    Event,
    Gap,
    GapReason,
    Holder,
    Lease,
    Subscription,
    Value,
)
from capnweb_runtime.scale.following import Following, follow
from capnweb_runtime.scale.memory import MemoryBackplane, MemoryStore
from capnweb_runtime.scale.opening import open_backplane
from capnweb_runtime.scale.presence import Membership, Presence
from capnweb_runtime.scale.schema import Events, PresenceChange, TopicBatch, TopicEvent, TopicGap, TopicUnavailable
from capnweb_runtime.scale.topics import Topic, TopicSubscription

if TYPE_CHECKING:
    from capnweb_runtime.scale.cluster.cluster import Cluster, ClusterStats
    from capnweb_runtime.scale.cluster.fenced import FencedStore
    from capnweb_runtime.scale.cluster.objects import Ownership

__all__ = [
    "Backplane",
    "BackplaneUnavailable",
    "Bounds",
    "Cluster",
    "ClusterStats",
    "Cursor",
    "Event",
    "Events",
    "FencedStore",
    "Following",
    "Gap",
    "GapReason",
    "Holder",
    "Lease",
    "LeaseLost",
    "Membership",
    "MemoryBackplane",
    "MemoryStore",
    "Ownership",
    "Presence",
    "PresenceChange",
    "Subscription",
    "Topic",
    "TopicBatch",
    "TopicEvent",
    "TopicGap",
    "TopicSubscription",
    "TopicUnavailable",
    "Value",
    "follow",
    "open_backplane",
]

# What needs clients and servers is loaded when it is asked for: a program that only publishes has no use for it.
_HOMES = {
    "Cluster": "cluster.cluster",
    "ClusterStats": "cluster.cluster",
    "FencedStore": "cluster.fenced",
    "Ownership": "cluster.objects",
}

if not TYPE_CHECKING:  # else they would believe that every name is here

    def __getattr__(name: str) -> object:
        if name in _HOMES:
            return globals().setdefault(name, getattr(import_module(f"{__name__}.{_HOMES[name]}"), name))
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
