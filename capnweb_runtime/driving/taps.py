"""What is shown every message of a session. Rule: a session without taps pays for none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class Tap(Protocol):
    """Is shown messages, each as the connection's encoding says. It must not raise, nor change them."""

    def received(self, messages: list[Any]) -> None:
        """They have arrived; the session takes them afterwards."""
        ...

    def sent(self, messages: list[Any]) -> None:
        """They are written."""
        ...


class Wire(Protocol):
    """See `connection.Wire`."""

    def write(self, messages: list[Any]) -> None: ...

    def close(self, reason: BaseException) -> None: ...

    def buffered(self) -> int: ...


class TappedWire:
    """A wire of which all that is written is shown.

    Parameters:
        wire: the wire.
        taps: who is shown it.
    """

    def __init__(self, wire: Wire, taps: Sequence[Tap]) -> None:
        self._wire = wire
        self._taps = taps
        self.close = wire.close
        self.buffered = wire.buffered

    def write(self, messages: list[Any]) -> None:
        """Shows the messages and sends them."""
        for tap in self._taps:
            tap.sent(messages)
        self._wire.write(messages)
