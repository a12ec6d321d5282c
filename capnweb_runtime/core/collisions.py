"""Collections of a peer's values that are hashed. Rule: what is looked up in one takes no longer than it should.

Numbers, decimals and UUIDs have hashes that a peer can foresee, and so can choose a thousand values with the same one:
to put them into a set compares each with all the others.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

FEW: Final = 200
"""Values among which hashes need not be looked at."""
_MOST_ALIKE: Final = 16  # different values with the same hash; by chance there are two of them, -1 and -2 for instance


def collide(values: Collection[Any]) -> bool:
    """Whether so many different values have the same hash that they cannot have come by it by chance.

    Parameters:
        values: hashable; equal ones are one.
    """
    if len(values) <= FEW or len(set(map(hash, values))) == len(values):
        return False
    by_hash: dict[int, list[Any]] = {}
    for value in values:
        alike = by_hash.setdefault(hash(value), [])
        if value not in alike:
            alike.append(value)
            if len(alike) > _MOST_ALIKE:
                return True
    return False
