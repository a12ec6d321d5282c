"""Why a server answers 503: it says more than its number to whoever looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from aiohttp import ClientSession


@dataclass(frozen=True)
class Diagnosis:
    """What is the matter with a server.

    Attributes:
        cause: in a word: "well", "degraded", "a check fails", "going away", "full", "something else".
        advice: what to do.
    """

    cause: str
    advice: str


async def diagnose(url: str, ready: str = "/readyz", rpc: str = "/") -> Diagnosis:
    """Ask a server how it is, and then for a session, as its clients do.

    Parameters:
        url: the server's, `http://host:port`.
        ready: path of its health check.
        rpc: path of what it serves.
    """
    async with ClientSession() as session:
        async with session.get(f"{url}{ready}") as answer:
            report = cast(dict[str, Any], await answer.json())
        async with session.post(f"{url}{rpc}", data="") as answer:
            refused, retry = answer.status == 503, answer.headers.get("Retry-After")
    checks = cast(dict[str, dict[str, Any]], report.get("checks", {}))
    failed = [name for name, check in checks.items() if check["state"] != "ok"]
    required = [name for name in failed if checks[name]["required"]]
    if required:
        return Diagnosis("a check fails", f"look at {', '.join(required)}: the log says with what it has failed")
    if report["status"] == "draining":
        return Diagnosis("going away", "it is being drained: wait for its successor")
    if refused:
        return Diagnosis("full", f"a bound is reached: come again in {retry} s, or raise it in ServerLimits")
    if failed:
        return Diagnosis("degraded", f"it works without {', '.join(failed)}")
    return Diagnosis("well", "nothing")
