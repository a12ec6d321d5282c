// The state at a client, as mirror.py has it. Rule: a delta that does not follow is never applied.

export class Mirror {
  tick = -1;
  players = new Map(); // by id
  coins = new Map(); // by "x y"

  take(update) {
    if (update.kind === "full") {
      this.players = new Map(update.players.map(player => [player.id, { ...player }]));
      this.coins = new Map();
      this.#put(update.coins);
    } else if (update.tick !== this.tick + 1) {
      throw new RangeError(`a delta of tick ${update.tick} came after tick ${this.tick}`);
    } else {
      this.#apply(update);
    }
    this.tick = update.tick;
  }

  #apply(delta) {
    for (const player of delta.came) this.players.set(player.id, { ...player });
    for (const [id, x, y, score] of delta.moved) Object.assign(this.players.get(id), { x, y, score });
    for (const id of delta.went) this.players.delete(id);
    for (const cell of delta.taken) this.coins.delete(cell.join(" "));
    this.#put(delta.fresh);
  }

  #put(cells) {
    for (const cell of cells) this.coins.set(cell.join(" "), [...cell]);
  }

  /** A hash of the state, the same as mirror.py's. */
  async digest() {
    const players = [...this.players.values()].sort((one, other) => one.id - other.id);
    const coins = [...this.coins.values()].sort(([x, y], [u, v]) => x - u || y - v);
    const lines = [
      `${this.tick}`,
      ...players.map(each => `${each.id} ${each.name} ${each.x} ${each.y} ${each.score}`),
      ...coins.map(([x, y]) => `${x} ${y}`),
    ];
    const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(lines.join("\n")));
    return [...new Uint8Array(hash)].map(byte => byte.toString(16).padStart(2, "0")).join("").slice(0, 16);
  }
}
