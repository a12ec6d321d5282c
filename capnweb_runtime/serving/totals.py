"""What the sessions of a server come to. Rule: counted when somebody asks, and when a session begins or ends; no call
pays for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServerTotals:
    """What all sessions of a server hold together, and what has become of who asked for one since it was started.

    Attributes:
        imports: entries on import tables: capabilities of clients, and calls of them that have not been answered.
        exports: entries on export tables: capabilities that clients hold, and calls that they have not released.
        queued_bytes: bytes that wait to be sent to clients that do not read.
        opened: sessions that were opened, each batch over HTTP being one.
        ended_at_limits: sessions that were ended because a bound of `Limits` was passed.
        refused: sessions that were refused, by status. Connections that were refused before anything was read count in
            `Server.stats()` alone.
    """

    imports: int
    exports: int
    queued_bytes: int
    opened: int
    ended_at_limits: int
    refused: Mapping[int, int]
