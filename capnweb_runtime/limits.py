"""Every bound that a session enforces, and a server, with its reason. Rule: passing a bound of a session ends the call
where that is possible, the session otherwise, never more; at a bound of the server new work is refused.
docs/security.md says what each is for, and what to set among trusted peers.

Limits are local: the protocol has no negotiation, so the defaults are far above what an honest peer sends and low
enough for the open internet.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one session.

    Attributes:
        message_size: longest incoming message, in bytes of UTF-8. Default 32 MiB, the reference's figure: bounds the
            work of one parse.
        depth: deepest nesting of a message, the leaf counting. Default 256, the reference's figure: bounds recursion.
        bigint_digits: longest text of a bigint, in characters. Default 16,384, the reference's figure: parsing is
            superlinear in it.
        exports: capabilities and unreleased calls that the peer may hold in this session. Default 100,000: some 100 MB
            at worst.
        imports: capabilities and unfinished calls of the peer's that this side may hold. Default 100,000: as many as
            the other way round.
        map_steps: elements × instructions that the maps of one message may expand to, nested maps included; an
            instruction with a literal in it counts for as many as there are lists and objects in that. Default 100,000:
            a second or so of work.
        plan_calls: calls that one plan may make; those of maps in it are bounded by `map_steps`, from which its own
            instructions are taken as well. Default 1,000: what a client would otherwise make by as many round trips.
        plan_turns: turns that a loop of a plan may ask for. Default 1,000.
        plan_depth: how deep blocks of a plan may be nested. Default 16: deeper than anybody writes by hand.
        outbox_bytes: bytes that may wait to be sent; beyond them calls are refused, and answers and streams wait. Also
            of the answers to one HTTP batch. Default 64 MiB: two of the longest messages, since what is larger travels
            as a stream.
        stream_bytes: bytes of one stream that may wait to be read. Default 64 MiB: a sender that minds
            acknowledgements has less on its way, on any but the longest and fastest lines.
        blob_bytes: bytes of one blob that comes in, since it is delivered whole. Default 64 MiB.
        message_work: units of work that one message may cost, in reading it and in what it asks for: values that are
            copied, put together from earlier results or encoded. Default 50,000, some 50 ms: a list or an object is a
            unit, a string half of one, any other leaf an eighth, and every KiB a unit. Some 9,000 models of five fields
            are within it, 300,000 numbers, or 32 MiB of text; for more at a time raise it at both ends, or send a
            stream.
        held_bytes: bytes of memory that one session may make this side hold: in calls, their arguments and results, as
            long as they run or have not been released; in what waits for results; in streams that have not been read,
            messages that have not come whole, and answers that have not been sent. Default 128 MiB: they are counted
            within a factor of two, so that one client takes 256 MB at most; several blobs and streams at a time.
        calls: calls of the peer's that may run at a time. Default 10,000: each is a task of some kilobytes, and a
            client that wants more at a time wants a stream or a `map()`.
        cost: what the peer's calls may cost in a window of time, those of maps and plans among them, by `@cost` of the
            schema; a call that says nothing costs 1, and so does reading a property. Default None: nothing is counted.
        cost_window: how long such a window is, in seconds. It begins with the first call after the last one has ended.
            Default 60.
    """

    message_size: int = 32 * 1024 * 1024
    depth: int = 256
    bigint_digits: int = 16_384
    exports: int = 100_000
    imports: int = 100_000
    map_steps: int = 100_000
    plan_calls: int = 1_000
    plan_turns: int = 1_000
    plan_depth: int = 16
    outbox_bytes: int = 64 * 1024 * 1024
    stream_bytes: int = 64 * 1024 * 1024
    blob_bytes: int = 64 * 1024 * 1024
    calls: int = 10_000
    message_work: int = 50_000
    held_bytes: int = 128 * 1024 * 1024
    cost: int | None = None
    cost_window: float = 60.0


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """Bounds of a server as a whole, over all of its sessions and of those who have none yet. Where one is reached, new
    work is refused, with 503 and a Retry-After over HTTP, and what is being served goes on; what is held and has to
    shrink begins with whoever has the most of it.

    Attributes:
        connections: connections that are open. Default None: as many as the system's limit of open files leaves beside
            `reserved_files`, and 20,000 at most, some 350 MB of idle sessions.
        connections_per_address: of them, those of one address, an IPv6 network of 64 bits being one. Default None: a
            quarter of `connections`, or 100 if that is more, since whole offices share an address; and only addresses
            of the public internet are counted, since behind a proxy or in a container all clients have one private
            address. A number of your own counts every address.
        sessions: sessions that are open or being opened, each batch over HTTP being one, and those whose disposers have
            not ended. Default 20,000: as many as connections.
        calls: calls that run, also those of sessions that have ended meanwhile; and async disposers. Default 20,000:
            one that waits in each session, or two sessions at their own bound; some 100 MB of tasks, and a quarter of a
            second for Python's garbage collector. An eighth of them is kept for sessions in which few run.
        unfinished_bytes: bytes of messages, attachments, heads and bodies that have begun and not ended. Default None:
            eight of the longest messages, `Limits.message_size`, which are 256 MiB, and not a server's memory. The
            connection that has the most is the first to go.
        unfinished_seconds: for how long what has begun may stay unfinished, and longer only if in every such time it
            grows by as much as `unfinished_rate` asks for. Default 30: a pause that mobile lines make.
        unfinished_rate: bytes a second. Default 4,096, a line of 32 kbit/s: 32 MiB may take two hours over it, and who
            sends little and stops has 30 seconds.
        held_bytes: bytes that all sessions together may make this side hold; what is held for one, `Limits.held_bytes`
            bounds. Default 512 MiB: four sessions at their own bound, and, since what is counted is within a factor of
            two of the truth, 1 GiB of memory at worst. The session that holds the most is the first to go.
        reserved_files: open files that are left for the application, for its database, its logs, its own connections.
            Default 128, and a quarter of the system's limit where that is less.
    """

    connections: int | None = None
    connections_per_address: int | None = None
    sessions: int = 20_000
    calls: int = 20_000
    unfinished_bytes: int | None = None
    unfinished_seconds: float = 30.0
    unfinished_rate: int = 4096
    held_bytes: int = 512 * 1024 * 1024
    reserved_files: int = 128


DEFAULT_LIMITS = Limits()
DEFAULT_SERVER_LIMITS = ServerLimits()
