"""What the sessions of a server come to. Rule: counted when somebody asks, and when a session begins or ends; no call
pays for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServerTotals:
    """What all sessions of a server hold together, and how many were opened and refused since it was started.

    Attributes:
        imports: entries on the import tables of all sessions: objects and functions of clients that the server holds,
            and calls to them without an answer.
        exports: entries on the export tables of all sessions: objects and functions that clients hold, and calls whose
            results they have not released.
        queued_bytes: bytes that wait to be sent to clients that do not read.
        opened: sessions that were opened, each HTTP batch being one.
        ended_at_limits: sessions that were ended because a bound of `Limits` was passed.
        refused: number of sessions that were refused, by HTTP status. Connections that were refused before anything was
            read count in `Server.stats()` alone.
    """

    imports: int
    exports: int
    queued_bytes: int
    opened: int
    ended_at_limits: int
    refused: Mapping[int, int]
