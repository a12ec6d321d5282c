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
    """One thing that a server needs to do its work, such as its database, and how to find out whether it is there.

    Parameters:
        name: name of the check in reports and in the log.
        run: function without parameters, plain or async, that looks. The check has failed if it raises or returns
            False. A plain function runs in a thread, since it is going to wait for something.
        required: True if the server is not ready for traffic while the check fails. False if it then is "degraded", and
            gets traffic all the same.
        timeout: seconds after which the check has failed; more than 0.

    Raises:
        ValueError: `name` is empty, or `timeout` is not more than 0.
    """

    name: str
    run: Callable[[], Awaitable[object] | object]
    required: bool = True
    timeout: float = 2.0

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("a check needs a name, by which reports and the log tell of it")
        if not self.timeout > 0:
            raise ValueError(
                f"the timeout of the check {self.name!r} has to be more than 0 seconds, not {self.timeout}"
            )


@dataclass(frozen=True, slots=True)
class Health:
    """Paths at which a server answers probes and scrapes: `serve(health=Health(alive="/healthz"))`. They answer GET
    over HTTP/1.1, whatever `serve(hosts=..., origins=...)` says, since probes come to an address.

    Parameters:
        alive: path that answers 200 as long as the process answers at all, such as "/healthz"; None for no such path.
        ready: path that answers whether the server should get traffic: 200, or 503 while it is being drained or a
            required check fails. Its body is a JSON report of all checks; why one failed is in the log alone. None for
            no such path.
        metrics: path that answers with what `exposition` gives; None for no such path.
        checks: the checks that `ready` makes.
        max_age: seconds for which a report is used again, so that many probes do not make many checks.
        exposition: function without parameters that returns the metrics, as bytes, and their content type, such as
            `capnweb_runtime.telemetry.prometheus.exposition`.

    Raises:
        ValueError: a path does not start with a slash; two paths are the same; two checks have the same name; there are
            checks without `ready`; or there is one of `metrics` and `exposition` without the other.
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
            raise ValueError("the paths of health have to differ: " + ", ".join(self.paths))
        names = [check.name for check in self.checks]
        if len(set(names)) < len(names):
            raise ValueError("each check needs a name of its own: " + ", ".join(names))
        if self.checks and self.ready is None:
            raise ValueError('checks= need ready=, the path at which they are reported, as in ready="/readyz"')
        if (self.metrics is None) != (self.exposition is None):
            raise ValueError('metrics need a path and what gives them, as in metrics="/metrics", exposition=exposition')

    @property
    def paths(self) -> tuple[str, ...]:
        """All paths that are not None."""
        return tuple(path for path in (self.alive, self.ready, self.metrics) if path is not None)
