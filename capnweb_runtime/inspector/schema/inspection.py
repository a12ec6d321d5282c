"""What the inspector's page may ask of a server. Rule: nothing here changes anything; what may be long is asked for in
parts.

Times are milliseconds: of the day (since 1970) where something happened, of a clock of its own where something took.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass
class About:
    """The server."""

    url: str
    path: str | None
    calls: bool
    pid: int
    python: str
    version: str
    started: float
    now: float
    interval: float


@dataclass
class Rates:
    """What there was at a moment: counts since the server was started, and what there is now."""

    at: float
    sessions: int
    calls: int
    running: int
    received: int
    sent: int
    queued: int


@dataclass
class Bound:
    """How near the server is to one of its bounds."""

    name: str
    now: int
    most: int
    refused: int


@dataclass
class Overview:
    """The server at a glance; the newest moment last."""

    rates: list[Rates]
    bounds: list[Bound]


@dataclass
class SessionRow:
    """A session."""

    id: int
    peer: str
    transport: str
    main: str
    since: float
    received: int
    made: int
    running: int
    imports: int
    exports: int
    queued: int
    round_trip: float | None


@dataclass
class Sessions:
    """Some of the sessions, and how many there are."""

    total: int
    matching: int
    rows: list[SessionRow]


@dataclass
class Capability:
    """An entry on a session's tables."""

    direction: str
    id: int
    kind: str
    name: str
    member: str
    references: int
    age: float | None
    place: str


@dataclass
class Tables:
    """What both sides of a session hold; `session` is None once it has ended."""

    session: SessionRow | None
    rows: list[Capability]
    left_out: int


@dataclass
class Call:
    """A call, as far as it has come. `parent` is the call whose result it is made of; `uses` are those that it gets
    results of as arguments. `state` is "not awaited" (its result is used, and nobody waits for it), "running", "done",
    "failed", "released" (nobody ever waited for it), "given up", "cut off" (the session has ended), or "end not seen".
    """

    key: str
    changed: int
    session: int
    served: bool
    id: int
    parent: str | None
    uses: list[int]
    kind: str
    name: str
    arguments: str
    began: float
    took: float | None
    state: str
    outcome: str


@dataclass
class Calls:
    """Calls that have changed since they were last asked for; `skipped` messages were not looked at meanwhile."""

    at: int
    calls: list[Call]
    skipped: int


@dataclass
class Frame:
    """A message, in words."""

    number: int
    session: int
    at: float
    received: bool
    kind: str
    id: int | None
    text: str
    size: int


@dataclass
class Frames:
    """Messages since they were last asked for, the oldest first; `skipped` others were not looked at meanwhile."""

    at: int
    frames: list[Frame]
    skipped: int


@dataclass
class SchemaText:
    """The IR of what is served, as JSON; empty, with a reason, where it is not known. `module` is the generated one."""

    text: str
    why: str
    module: str


class Inspection(Protocol):
    """A server, to be looked at."""

    async def about(self) -> About:
        """What is inspected, and how."""
        ...

    async def overview(self) -> Overview:
        """Rates and bounds."""
        ...

    async def sessions(self, text: str, order: str, offset: int, most: int) -> Sessions:
        """Sessions in whose peer or main object the text occurs. `order` is "newest", "busiest" or "largest"."""
        ...

    async def tables(self, session: int) -> Tables:
        """What a session holds."""
        ...

    async def calls(self, after: int, session: int | None) -> Calls:
        """Calls that have changed since `after`, of one session or of all. Asking is what has them watched."""
        ...

    async def frames(self, after: int, session: int | None) -> Frames:
        """Messages behind the number `after`, of one session or of all. Asking is what has them watched."""
        ...

    async def schema(self) -> SchemaText:
        """What is served, in the format of docs/ir.md."""
        ...


class Door(Protocol):
    """What whoever can connect may do."""

    async def authenticate(self, token: str) -> Inspection:
        """Shows the token of the server's log. A wrong one is answered late, and with a PermissionError."""
        ...
