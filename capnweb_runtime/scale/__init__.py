"""What processes share: topics that can be resumed, leases with fences, small values. The first floor of scaling beyond
one process; see docs/scale.md.

`open_backplane` opens one: `memory:` for one process, `redis://` and `nats://` with the extras `redis` and `nats`. Its
contract is `Backplane`, and every engine keeps all of it. `Topic` gives what is published to one a type; `follow` reads
it at a client. `Presence` knows who is in a room.
"""

from capnweb_runtime.errors import BackplaneUnavailable
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

__all__ = [
    "Backplane",
    "BackplaneUnavailable",
    "Bounds",
    "Cursor",
    "Event",
    "Events",
    "Following",
    "Gap",
    "GapReason",
    "Holder",
    "Lease",
    "Membership",
    "MemoryBackplane",
    "MemoryStore",
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
