"""What there is to say of one call beside what is called, and with what. Rule: imported only where a call has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol


class Carried(NamedTuple):
    """What came with a call; see `carrying`.

    Attributes:
        seconds: that were left when it came; None if it has no deadline.
        metadata: texts by name.
    """

    seconds: float | None
    metadata: Mapping[str, str]


class CallHandle(Protocol):
    """One call that can be cancelled.

    Attributes:
        function: to be called in place of the function, once.
    """

    function: Callable[..., Any]

    def cancel(self) -> None:
        """Cancels the call: it never begins, or what it waits for is interrupted."""
        ...
