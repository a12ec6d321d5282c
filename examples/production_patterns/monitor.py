"""A report of how it goes, for whoever looks after the service."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from capnweb_runtime import CallInfo, Proceed


@dataclass
class Monitor:
    """Counts the calls that a server serves: an interceptor.

    Attributes:
        calls: how often each method was called.
        failures: how often each error was raised that the schema does not declare.
        refusals: how often each one that it does.
        seconds: what all calls took together.
        running: how many calls go on.
    """

    calls: Counter[str] = field(default_factory=Counter[str])
    failures: Counter[str] = field(default_factory=Counter[str])
    refusals: Counter[str] = field(default_factory=Counter[str])
    seconds: float = 0.0
    running: int = 0

    async def __call__(self, call: CallInfo, proceed: Proceed) -> Any:
        # A name that no schema declares may be anybody's invention, and there is no end to these.
        self.calls[call.name if call.declared else "not declared"] += 1
        self.running += 1
        began = time.perf_counter()
        try:
            return await proceed(call)
        except Exception as error:
            (self.refusals if call.expects(error) else self.failures)[type(error).__name__] += 1
            raise
        finally:
            self.running -= 1
            self.seconds += time.perf_counter() - began
