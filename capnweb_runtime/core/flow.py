"""How much of a stream may be on its way. Rule: pure arithmetic; the time comes in as an argument, in any unit that
counts up.

The window follows the product of bandwidth and round-trip time as the acknowledgements show it: doubling per round trip
at first, then growing by a quarter, and shrinking by a tenth only where the window was what limited the sender.
Figures: the reference's.
"""

from __future__ import annotations

from typing import Final, NamedTuple

INITIAL_WINDOW: Final = 256 * 1024
MIN_WINDOW: Final = 64 * 1024
MAX_WINDOW: Final = 1024 * 1024 * 1024
STARTUP_GROWTH: Final = 2.0
STEADY_GROWTH: Final = 1.25
DECAY: Final = 0.90
STARTUP_ROUNDS: Final = 3
"""Rounds without growth after which the startup phase ends."""


class Token(NamedTuple):
    """What was known when a message was sent.

    Attributes:
        sent_at: time of sending.
        size: bytes of the message.
        delivered: bytes acknowledged until then.
        delivered_at: time of the last acknowledgement until then; None before the first.
        window: the window then.
        full: whether this message filled it.
    """

    sent_at: float
    size: int
    delivered: int
    delivered_at: float | None
    window: float
    full: bool


class FlowWindow:
    """Window of one stream.

    Attributes:
        window: bytes that may be on their way.
        in_flight: bytes sent and not acknowledged.
        starting: whether the window may still double.
    """

    __slots__ = (
        "_delivered",
        "_delivered_at",
        "_first_ack",
        "_last_round_window",
        "_min_rtt",
        "_round_started",
        "_rounds_without_growth",
        "in_flight",
        "starting",
        "window",
    )

    def __init__(self) -> None:
        self.window: float = INITIAL_WINDOW
        self.in_flight = 0
        self.starting = True
        self._delivered = 0
        self._delivered_at: float | None = None
        self._first_ack: tuple[float, int] | None = None  # time, bytes acknowledged until then
        self._min_rtt: float | None = None
        self._rounds_without_growth = 0
        self._last_round_window: float = 0
        self._round_started: float | None = None

    @property
    def open(self) -> bool:
        """Whether another message may be sent."""
        return self.in_flight < self.window

    def sent(self, size: int, now: float) -> Token:
        """Counts a message as on its way.

        Parameters:
            size: its bytes.
            now: the time.

        Returns:
            The token to give back when it is acknowledged or has failed.
        """
        self.in_flight += size
        return Token(now, size, self._delivered, self._delivered_at, self.window, self.in_flight >= self.window)

    def failed(self, token: Token) -> None:
        """Counts a message as gone."""
        self.in_flight -= token.size

    def acknowledged(self, token: Token, now: float) -> None:
        """Counts a message as delivered, and adapts the window.

        Parameters:
            token: from when it was sent.
            now: the time, on the same clock.
        """
        self._delivered += token.size
        self._delivered_at = now
        self.in_flight -= token.size
        rtt = now - token.sent_at
        self._min_rtt = rtt if self._min_rtt is None else min(self._min_rtt, rtt)
        if self._first_ack is None:
            self._first_ack = (now, self._delivered)
            return
        since, before = self._first_ack if token.delivered_at is None else (token.delivered_at, token.delivered)
        self._adapt(token, now - since, self._delivered - before)
        self._end_round(token, now)

    def _adapt(self, token: Token, interval: float, delivered: int) -> None:
        """Moves the window towards what was delivered per round trip, within what one step may change."""
        growth = STARTUP_GROWTH if self.starting else STEADY_GROWTH
        limit = token.window * growth
        # Acknowledgements within one tick of the clock say nothing but "fast": they allow the full step.
        per_round_trip = delivered / interval * (self._min_rtt or 0.0) if interval > 0 else float("inf")
        window = min(per_round_trip * growth, limit) if per_round_trip > 0 else limit
        window = max(window, token.window * DECAY if token.full else self.window)
        self.window = max(min(window, MAX_WINDOW), MIN_WINDOW)

    def _end_round(self, token: Token, now: float) -> None:
        """Leaves the startup phase once the window has stopped growing for a few round trips."""
        if not self.starting or (self._round_started is not None and token.sent_at < self._round_started):
            return
        if self.window > self._last_round_window * STEADY_GROWTH:
            self._rounds_without_growth = 0
        else:
            self._rounds_without_growth += 1
            self.starting = self._rounds_without_growth < STARTUP_ROUNDS
        self._round_started = now
        self._last_round_window = self.window
