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
    """What the peer of one session may make this side do and hold: give it to `serve(limits=...)` or
    `connect(limits=...)`.

    Passing a bound ends the call where that is possible, and otherwise the session; the error names the bound.
    `docs/security.md` has what happens at each.

    Attributes:
        message_size: longest incoming message, in bytes of UTF-8. Default 32 MiB, as in the npm package: it bounds the
            time that parsing one message takes.
        depth: how deep the values in a message may be nested, the innermost one counting as a level. Default 256, as in
            the npm package: it bounds recursion.
        bigint_digits: longest text of a bigint, in characters. Default 16,384, as in the npm package: the time to read
            one grows with the square of its length.
        exports: objects and functions of this side that the peer may hold, and calls of the peer whose results it has
            not released, together. Default 100,000: some 100 MB at worst.
        imports: objects and functions of the peer that this side may hold, and calls of this side that have no answer
            yet, together. Default 100,000, as for `exports`.
        map_steps: steps that the maps of one message may take: for each map, items of the list × instructions recorded
            for one item, nested maps included. An instruction with literal values in it counts once for each list and
            object in them. Default 100,000: about a second of work.
        plan_calls: calls that one plan may make, those of maps in it excepted: `map_steps` bounds those, and the
            instructions of the plan itself as well. Default 1,000: otherwise a client would need as many round trips.
        plan_turns: turns that one loop of a plan may ask for. Default 1,000.
        plan_depth: how deep the branches, loops and filters of a plan may be nested. Default 16: more than anybody
            writes by hand.
        outbox_bytes: bytes that may wait to be sent, or that the answers to one HTTP batch may have together. Beyond
            them new calls are refused, and answers and streams wait. Default 64 MiB: two of the longest messages; what
            is longer should travel as a stream.
        stream_bytes: bytes of one incoming stream that may wait to be read. Default 64 MiB: a sender that heeds
            acknowledgements has less under way, except on very long and fast lines.
        blob_bytes: bytes of one incoming blob, which is delivered as a whole. Default 64 MiB.
        message_work: units of work that reading one message may take, and doing what it asks for: copying values,
            putting them together from earlier results, encoding them. A list or an object is one unit, a string half of
            one, any other value an eighth, and each KiB of text one. Default 50,000, about 50 ms: enough for some 9,000
            models of five fields, 300,000 numbers, or 32 MiB of text. To send more at a time raise it at both ends, or
            send a stream.
        held_bytes: bytes of memory that one session may make this side hold: calls with their arguments and results, as
            long as they run or are not released; whatever waits for a result; streams that are not read; messages that
            have not come in whole; answers that have not been sent. Default 128 MiB: the count is within a factor of
            two of the truth, so that one client takes 256 MiB at most.
        calls: calls of the peer that may run at a time. Default 10,000: each is a task of some kilobytes, and a client
            that wants more at a time should use a stream or `map()`.
        cost: units that the peer's calls, maps and plans may cost in a window of time, as `@cost` in the schema
            declares; any other call costs 1, and so does reading a property. Default None: costs are not counted.
        cost_window: length of that window in seconds. One begins with the first call after the last one has ended.
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
    """What all clients of a server together may make it do and hold, those without a session included: give it to
    `serve(server_limits=...)`.

    Where a bound is reached, the server refuses new work (over HTTP with status 503 and a Retry-After header) and goes
    on with what it is doing. Only what is unfinished or held can be ended: first the connection, or the session, that
    has the most of it. `Server.stats` tells how near each bound is.

    Attributes:
        connections: connections that are open. Default None: as many as the system's limit of open files leaves beside
            `reserved_files`, and at most 20,000, which are some 350 MB of idle sessions.
        connections_per_address: connections that one IP address may have open; an IPv6 network of 64 bits counts as
            one address. Default None: a quarter of `connections`, or 100 if that is more, since whole offices share an
            address. Then only addresses of the public internet are counted, since behind a proxy or in a container all
            clients have the same private one; a number of your own counts every address.
        sessions: sessions that are open or being opened, each HTTP batch being one, and ended sessions whose targets
            are still being disposed. Default 20,000: as many as connections.
        calls: calls that run, those of ended sessions included, and async `dispose` methods. Default 20,000: one call
            in each session, or two sessions at their own bound; they are some 100 MB of tasks. An eighth of the calls
            is kept for sessions that have few running.
        unfinished_bytes: bytes of messages, attachments, and heads and bodies of requests that have come in in part.
            Default None: eight times `Limits.message_size`, 256 MiB unless you change that. The connection that has the
            most of them is the first to be ended.
        unfinished_seconds: seconds in which a message or request that has begun has to end, or else to grow as fast as
            `unfinished_rate` says; then it has as many seconds again. Default 30: mobile lines make such pauses.
        unfinished_rate: bytes a second by which it has to grow. Default 4,096, a line of 32 kbit/s, over which 32 MiB
            take two hours.
        held_bytes: bytes of memory that all sessions together may make the server hold; `Limits.held_bytes` bounds one
            session. Default 512 MiB: four sessions at their own bound. The count is within a factor of two of the
            truth, so that it is 1 GiB at worst. The session that holds the most is the first to be ended.
        reserved_files: open files that are left for the application: its database, its logs, its own connections.
            Default 128, or a quarter of the system's limit where that is less.
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
