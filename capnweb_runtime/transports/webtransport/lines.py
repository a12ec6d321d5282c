"""Messages on a stream of bytes: one JSON text per line, as in an HTTP batch. Rule: what has begun and not ended has
a bound, counted as it arrives.
"""

from __future__ import annotations

from capnweb_runtime.errors import LimitExceeded


class Lines:
    """Puts lines together from pieces of any size.

    Parameters:
        longest: bytes that a line may have.
    """

    __slots__ = ("_longest", "_partial", "_size")

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._partial: list[bytes] = []
        self._size = 0

    @property
    def unfinished(self) -> int:
        """Bytes of the line that has not ended."""
        return self._size

    def feed(self, data: bytes) -> tuple[list[bytes], LimitExceeded | None]:
        """Takes what has arrived.

        Parameters:
            data: bytes of the stream, cut anywhere.

        Returns:
            The lines that end in it, without their ends; empty ones, which say nothing, are left out. And what is wrong
            with the one behind them, if it is too long.
        """
        *whole, rest = data.split(b"\n")
        if whole and self._partial:
            whole[0] = b"".join((*self._partial, whole[0]))
            self._partial, self._size = [], 0
        if rest:
            self._partial.append(rest)
            self._size += len(rest)
        lines: list[bytes] = []
        for line in whole:
            if len(line) > self._longest:
                return lines, self._too_long()
            if line:
                lines.append(line)
        return lines, self._too_long() if self._size > self._longest else None

    def _too_long(self) -> LimitExceeded:
        self._partial, self._size = [], 0
        return LimitExceeded(f"Incoming message exceeds maximum size of {self._longest} bytes.")
