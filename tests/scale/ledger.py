"""What owners write to: it refuses whoever comes with a smaller fence than it has seen. Rule: nobody takes itself
for the owner once somebody else has become it, unless the engine has lost the lease; a fence tells them apart always.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class _Holder:
    """What is known of one fence."""

    who: str
    first: float  # when it was seen to be held, by the one clock of this machine
    last: float


class Ledger:
    """Acts of owners of one name.

    Attributes:
        acts: how many were accepted.
        refused: how many had a fence that was over.
        broken: what was not as promised.
    """

    def __init__(self) -> None:
        self.acts = 0
        self.refused = 0
        self.broken: list[str] = []
        self._holders: dict[int, _Holder] = {}
        self._excused = 0.0

    @property
    def holders(self) -> int:
        """How many there have been."""
        return len(self._holders)

    @property
    def owner(self) -> str:
        """Who is it, as far as is known; "" if nobody was."""
        return self._holders[max(self._holders)].who if self._holders else ""

    def excuse(self, until: float) -> None:
        """The engine may have lost a lease: its holder does not know before that time."""
        self._excused = max(self._excused, until)

    def act(self, who: str, fence: int, seen: float) -> bool:
        """Somebody acts, who was the owner when the clock was at `seen`. Returns whether that is accepted."""
        holder = self._holders.get(fence)
        if holder is None:
            self._check_growth(who, fence, seen)
            self._holders[fence] = holder = _Holder(who, seen, seen)
        elif holder.who != who:
            self.broken.append(f"{who} and {holder.who} were both given the fence {fence}")
        holder.last = max(holder.last, seen)
        self._check_alone(fence)
        if fence < max(self._holders):
            self.refused += 1
            return False
        self.acts += 1
        return True

    def _check_growth(self, who: str, fence: int, seen: float) -> None:
        for other, holder in self._holders.items():
            if other > fence and seen > holder.first:
                self.broken.append(f"{who} was given the fence {fence} after {holder.who} had {other}")

    def _check_alone(self, fence: int) -> None:
        """Whoever has a smaller fence has not seen itself as the owner since a greater one was first seen."""
        own = self._holders[fence]
        for other, holder in self._holders.items():
            early, late = (own, holder) if fence < other else (holder, own)
            if other != fence and early.last > late.first and early.last > self._excused:
                self.broken.append(
                    f"{early.who} was the owner {early.last - late.first:.3f} s after {late.who} became it"
                )
