"""What a change does to an exchange between two versions, and when that counts.

Rule: an effect is told of one direction. The two that there are: an old client at a new server, and a new client at an
old server.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum


class Category(IntEnum):
    """Whom a change must not break; each includes those before it."""

    WIRE = 0
    STRICT = 1
    CODE = 2


class Direction(Enum):
    """Which exchanges are looked at."""

    OLD_CLIENT = "old-client"
    NEW_CLIENT = "new-client"
    BOTH = "both"


class Kind(IntEnum):
    """How bad an effect is."""

    SAFE = 0
    WARNS = 1
    BREAKS = 2


@dataclass(frozen=True, order=True)
class Effect:
    """What a change does to one exchange.

    Attributes:
        kind: how bad it is.
        checked: of what breaks, whether only peers notice that check what arrives.
        if_used: of what breaks, whether only those notice who use what is new.
    """

    kind: Kind
    checked: bool = False
    if_used: bool = False

    @property
    def words(self) -> str:
        """In a few words, as a table has them."""
        if self.kind is not Kind.BREAKS:
            return "safe" if self.kind is Kind.SAFE else "warns"
        return f"breaks{' if used' if self.if_used else ''}{' where checked' if self.checked else ''}"

    def breaks(self, category: Category, direction: Direction) -> bool:
        """Whether it is to fail a run. Who asks about both directions can update servers first, and then nothing that
        is new is used too early; who asks about new clients alone cannot.
        """
        if self.kind is not Kind.BREAKS or (self.checked and category is Category.WIRE):
            return False
        return not self.if_used or direction is Direction.NEW_CLIENT

    def warns(self, category: Category) -> bool:
        """Whether it is to be told, if it does not break."""
        if self.kind is Kind.BREAKS:
            return not (self.checked and category is Category.WIRE)
        return self.kind is Kind.WARNS and category is not Category.WIRE

    def at_another(self) -> Effect:
        """The same where the one who uses what is new is not the one who could wait for the other."""
        return Effect(self.kind, self.checked)


SAFE = Effect(Kind.SAFE)
WARNS = Effect(Kind.WARNS)
CHECKED = Effect(Kind.BREAKS, checked=True)
BREAKS = Effect(Kind.BREAKS)
CHECKED_IF_USED = Effect(Kind.BREAKS, checked=True, if_used=True)
BREAKS_IF_USED = Effect(Kind.BREAKS, if_used=True)


def worse(one: Effect, other: Effect) -> Effect:
    """The one of two effects that more notice."""
    return max(one, other, key=lambda effect: (effect.kind, not effect.if_used, not effect.checked))


@dataclass(frozen=True)
class Effects:
    """What a change does to an old client at a new server, and to a new client at an old server; and whether who calls
    or implements has to edit code once it is compiled anew.
    """

    old_client: Effect = SAFE
    new_client: Effect = SAFE
    code: bool = False

    def swapped(self) -> Effects:
        """The same where clients serve and servers call."""
        return Effects(self.new_client.at_another(), self.old_client, self.code)

    def joined(self, other: Effects) -> Effects:
        """What both do."""
        return Effects(
            worse(self.old_client, other.old_client), worse(self.new_client, other.new_client), self.code or other.code
        )

    def looked_at(self, direction: Direction) -> tuple[Effect, ...]:
        """The effects on those exchanges that are asked about."""
        found = {Direction.OLD_CLIENT: self.old_client, Direction.NEW_CLIENT: self.new_client}
        return tuple(effect for of, effect in found.items() if direction in (of, Direction.BOTH))

    def breaks(self, category: Category, direction: Direction) -> bool:
        """Whether they are to fail a run."""
        if self.code and category is Category.CODE:
            return True
        return any(effect.breaks(category, direction) for effect in self.looked_at(direction))

    def warns(self, category: Category, direction: Direction) -> bool:
        """Whether they are to be told, if they break nothing."""
        return any(effect.warns(category) for effect in self.looked_at(direction))
