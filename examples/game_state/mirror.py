"""The state at a client: a full state, and deltas on top. Rule: a delta that does not follow is never applied."""

from __future__ import annotations

from hashlib import sha256

from examples.game_state.schemas.game import Delta, Full, Player


class Mirror:
    """What one client knows.

    Attributes:
        tick: of the last update; -1 before the first.
        players: by id.
        coins: where they are.
    """

    def __init__(self) -> None:
        self.tick = -1
        self.players: dict[int, Player] = {}
        self.coins: set[tuple[int, int]] = set()

    def take(self, update: Full | Delta) -> None:
        """Apply an update.

        Raises:
            ValueError: it is a delta of another tick than the next.
        """
        if isinstance(update, Full):
            self.players = {each.id: each for each in update.players}
            self.coins = set(update.coins)
        elif update.tick != self.tick + 1:
            raise ValueError(f"a delta of tick {update.tick} came after tick {self.tick}")
        else:
            self._apply(update)
        self.tick = update.tick

    def _apply(self, delta: Delta) -> None:
        # All of it is absolute: a full state may know some of it already, if it was taken in the midst of the tick.
        self.players.update((each.id, each) for each in delta.came)
        for number, x, y, score in delta.moved:
            player = self.players[number]
            player.x, player.y, player.score = x, y, score
        for number in delta.went:
            self.players.pop(number, None)
        self.coins.difference_update(delta.taken)
        self.coins.update(delta.fresh)

    def digest(self) -> str:
        """A hash of the state; equal states have equal ones, in page.js too."""
        players = sorted(self.players.values(), key=lambda each: each.id)
        lines = [f"{self.tick}"]
        lines += [f"{each.id} {each.name} {each.x} {each.y} {each.score}" for each in players]
        lines += [f"{x} {y}" for x, y in sorted(self.coins)]
        return sha256("\n".join(lines).encode()).hexdigest()[:16]


def digest_of(full: Full) -> str:
    """The hash of a full state."""
    mirror = Mirror()
    mirror.take(full)
    return mirror.digest()
