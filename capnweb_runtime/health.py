"""What a server is to say of its health, at which paths. Rule: nothing is said anywhere until its path is named.

health = Health(alive="/healthz", ready="/readyz", checks=[Check("database", ping)])
serving = serve(main, port=8080, health=health)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

__all__ = ["Check", "Health"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that a server needs.

    Parameters:
        name: what reports and the log call it.
        run: finds out. It fails by raising, or by returning False. A plain function runs in a thread, since it will
            wait for something.
        required: whether the server is not ready without it; otherwise it is degraded, and gets its traffic.
        timeout: seconds after which it has failed.

    Raises:
        ValueError: there is no name, or no time.
    """

    name: str
    run: Callable[[], Awaitable[object] | object]
    required: bool = True
    timeout: float = 2.0

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("a check needs a name, for the report")
        if not self.timeout > 0:
            raise ValueError(
                f"the timeout of the check {self.name!r} has to be a number of seconds, not {self.timeout}"
            )


@dataclass(frozen=True, slots=True)
class Health:
    """What a server answers to those who look after it, with GET, and over HTTP/1.1 alone. Names of hosts and origins
    of pages are not asked for at these paths: who probes a server knows an address.

    Parameters:
        alive: path of whether the process answers at all, always with 200: "/healthz", say. None means nowhere, as for
            the others.
        ready: path of whether it should get traffic: 200, or 503 while it is drained and while a required check fails;
            with a report of the checks as JSON, without what they failed with, which the log has.
        metrics: path of what `exposition` gives.
        checks: what `ready` asks.
        max_age: seconds for which a report is good; who asks meanwhile gets the same one, so that no crowd of probes
            becomes one of checks.
        exposition: gives the metrics, and the type of their text, whenever somebody asks: that of
            `capnweb_runtime.telemetry.prometheus`, say.

    Raises:
        ValueError: a path does not start with a slash, two are the same, two checks have one name, there are checks and
            nowhere to report them, or metrics at a path without anything that gives them.
    """

    alive: str | None = None
    ready: str | None = None
    metrics: str | None = None
    checks: Sequence[Check] = ()
    max_age: float = 1.0
    exposition: Callable[[], tuple[bytes, str]] | None = None

    def __post_init__(self) -> None:
        for path in self.paths:
            if not path.startswith("/"):
                raise ValueError(f"a path of health has to start with a slash, as in {'/' + path!r}")
        if len(set(self.paths)) < len(self.paths):
            raise ValueError("each path of health says one thing: " + ", ".join(self.paths))
        names = [check.name for check in self.checks]
        if len(set(names)) < len(names):
            raise ValueError("each check needs a name of its own: " + ", ".join(names))
        if self.checks and self.ready is None:
            raise ValueError('checks are reported at the path of ready, as in ready="/readyz"')
        if (self.metrics is None) != (self.exposition is None):
            raise ValueError('metrics need a path and what gives them, as in metrics="/metrics", exposition=exposition')

    @property
    def paths(self) -> tuple[str, ...]:
        """Those that are named."""
        return tuple(path for path in (self.alive, self.ready, self.metrics) if path is not None)
