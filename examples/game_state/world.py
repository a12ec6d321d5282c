"""The rules. Rule: the world alone decides what is true; it knows no clients, no time and no network."""

from __future__ import annotations

from random import Random

from examples.game_state.schemas.game import Delta, Direction, Full, GameFull, IllegalMove, Player

MOST_PLAYERS = 500
STEPS: dict[Direction, tuple[int, int]] = {"north": (0, -1), "east": (1, 0), "south": (0, 1), "west": (-1, 0)}


class World:
    """A board with players and coins.

    Parameters:
        width: of the board.
        height: of the board.
        coins: how many there always are.
        seed: of chance, which says where players and coins come to be.

    Attributes:
        tick: how many ticks there were.
        players: by id.
        most: how many players there may be: a quarter of the cells remains free.
    """

    def __init__(self, width: int = 64, height: int = 40, coins: int = 60, seed: int | None = None) -> None:
        self.most = min(MOST_PLAYERS, width * height * 3 // 4 - coins)
        self.width = width
        self.height = height
        self.tick = 0
        self.players: dict[int, Player] = {}
        self._chance = Random(seed)
        self._coins: set[tuple[int, int]] = set()
        self._taken_cells: dict[tuple[int, int], int] = {}
        self._last_id = 0
        self._begin_tick()
        for _ in range(coins):
            self._coins.add(self._free_cell())

    def add(self, name: str) -> Player:
        """Put a player on a free cell.

        Raises:
            GameFull: there are too many.
        """
        if len(self.players) >= self.most:
            raise GameFull(len(self.players))
        self._last_id += 1
        x, y = self._free_cell()
        player = self.players[self._last_id] = Player(id=self._last_id, name=name, x=x, y=y)
        self._taken_cells[x, y] = player.id
        self._came.append(player)
        return player

    def remove(self, player: Player) -> None:
        """Take a player off the board."""
        del self.players[player.id]
        del self._taken_cells[player.x, player.y]
        self._went.append(player.id)

    def move(self, player: Player, direction: Direction) -> None:
        """Take one step.

        Raises:
            IllegalMove: it leads off the board or onto somebody, or there was one in this tick.
        """
        if player.id in self._moved:
            raise IllegalMove("one step a tick")
        by_x, by_y = STEPS[direction]
        x, y = cell = player.x + by_x, player.y + by_y
        if not (0 <= x < self.width and 0 <= y < self.height):
            raise IllegalMove("there is the wall")
        if cell in self._taken_cells:
            raise IllegalMove(f"there is {self.players[self._taken_cells[cell]].name}")
        del self._taken_cells[player.x, player.y]
        self._taken_cells[cell] = player.id
        player.x, player.y = cell
        self._moved.add(player.id)
        if cell in self._coins:
            player.score += 1
            self._replace_coin(cell)

    def advance(self) -> Delta:
        """End the tick. Returns what has changed in it."""
        self.tick += 1
        moved = [self.players[number] for number in sorted(self._moved & self.players.keys())]
        delta = Delta(
            tick=self.tick,
            came=[each.model_copy() for each in self._came if each.id in self.players],
            moved=[(each.id, each.x, each.y, each.score) for each in moved],
            went=self._went,
            taken=[cell for cell, there in self._coins_changed.items() if not there],
            fresh=[cell for cell, there in self._coins_changed.items() if there],
        )
        self._begin_tick()
        return delta

    def full(self) -> Full:
        """All of the state."""
        players = [each.model_copy() for each in self.players.values()]
        coins = sorted(self._coins)
        return Full(tick=self.tick, width=self.width, height=self.height, players=players, coins=coins)

    def _begin_tick(self) -> None:
        self._came: list[Player] = []
        self._moved: set[int] = set()
        self._went: list[int] = []
        self._coins_changed: dict[tuple[int, int], bool] = {}  # whether one is there now

    def _replace_coin(self, cell: tuple[int, int]) -> None:
        fresh = self._free_cell()
        self._coins.remove(cell)
        self._coins.add(fresh)
        self._coins_changed.update({cell: False, fresh: True})

    def _free_cell(self) -> tuple[int, int]:
        while True:
            cell = self._chance.randrange(self.width), self._chance.randrange(self.height)
            if cell not in self._coins and cell not in self._taken_cells:
                return cell
