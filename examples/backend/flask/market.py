"""A market of three shares whose prices change in a way that is known beforehand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from examples.backend.flask.schemas.quotes import Quote, UnknownSymbol

OPENING = {"ACME": 1250, "HAL": 900, "WEYL": 4310}
MOVES: Sequence[tuple[str, int]] = (("ACME", 10), ("HAL", -5), ("ACME", -20), ("WEYL", 60), ("HAL", 15))


class Market:
    """Prices after all moves, and the moves themselves.

    Parameters:
        fails_after: after which change reading the changes fails; None means never.
    """

    def __init__(self, fails_after: int | None = None) -> None:
        self._fails_after = fails_after

    def quote(self, symbol: str) -> Quote:
        """The price of now. Raises UnknownSymbol."""
        if symbol not in OPENING:
            raise UnknownSymbol(symbol)
        return Quote(symbol=symbol, cents=OPENING[symbol] + sum(by for name, by in MOVES if name == symbol))

    def symbols(self) -> list[str]:
        """What is traded."""
        return sorted(OPENING)

    def changes(self, after: int) -> Iterator[tuple[int, Quote]]:
        """The changes after a number."""
        prices = dict(OPENING)
        for number, (symbol, by) in enumerate(MOVES, 1):
            prices[symbol] += by
            if number > after:
                yield number, Quote(symbol=symbol, cents=prices[symbol])
            if number == self._fails_after:
                raise ConnectionError("the line to the exchange was cut")
