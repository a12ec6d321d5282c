"""What routes are given: everything that they need, and nothing that they can change.

Rule: one context is shared by all requests and threads, so it is frozen, and so is what it holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from examples.backend.flask.schemas.quotes import Quote


class QuoteSource(Protocol):
    """Where quotes come from. Routes know no more of it, and tests pass something else."""

    def quote(self, symbol: str) -> Quote:
        """The price of now. Raises UnknownSymbol."""
        ...

    def symbols(self) -> list[str]:
        """What is traded."""
        ...

    def changes(self, after: int) -> Iterator[tuple[int, Quote]]:
        """The changes of prices after a number, each with its own number."""
        ...


@dataclass(frozen=True, slots=True)
class RouteContext:
    """What blueprints are made with.

    Attributes:
        quotes: where quotes come from.
        settings: what the operator has set, by name. A view that cannot be written to: a plain dictionary in a frozen
            class could still be changed by any request.
    """

    quotes: QuoteSource
    settings: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", MappingProxyType(dict(self.settings)))
