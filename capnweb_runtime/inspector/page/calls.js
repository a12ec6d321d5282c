// Calls as they happen, each under the call whose result it is made of: what a pipeline is.

{
  const MOST = 2_000; // calls that are kept here
  const MOST_ROWS = 300;
  const MOST_CHILDREN = 12; // of one call that are shown, until more are asked for

  const calls = new Map();
  const expanded = new Set(); // whose details are shown
  const unfolded = new Set(); // whose earlier calls are shown
  let at = 0;
  let skipped = 0;

  const search = searchField("Filter by name, arguments or outcome", () => render());
  const which = choice("Which calls", [["all", "All calls"], ["failed", "Failed"], ["running", "In progress"], ["slow", "Slower than 100 ms"], ["made", "Made by this side"]], () => render());
  const filter = sessionFilter("calls");
  const note = h("span.note");
  const clear = h("button", { type: "button", onclick: () => (calls.clear(), render()) }, "Clear");
  const tree = h("div.calls", { role: "tree", ariaLabel: "Calls" });
  const empty = nothing("No calls yet", "Calls show up here while this page is open. The server takes note of none otherwise.");
  const heading = h("div.call.heading", {}, h("span.at", {}, "Began"), h("span.of", {}, "Session"), h("span.what", {}, "Call"), h("span.outcome", {}, "Outcome"), h("span.took", {}, "Took"));

  arrows(tree, ".item");

  const parts = (key) => /^(\d+)([<>])(-?\d+)$/.exec(key);

  function wanted(call) {
    if (app.session !== null && call.session !== app.session) return false;
    const kind = which.value;
    if (kind === "failed" && call.state !== "failed") return false;
    if (kind === "running" && call.state !== "running") return false;
    if (kind === "slow" && !(call.took >= 100)) return false;
    if (kind === "made" && call.served) return false;
    const text = search.value.trim().toLowerCase();
    return !text || `${call.name} ${call.arguments} ${call.outcome}`.toLowerCase().includes(text);
  }

  /** The rows: calls that are wanted, with those that they are made of above them. */
  function rows() {
    const shownKeys = new Set();
    for (const call of calls.values()) {
      if (!wanted(call)) continue;
      for (let one = call; one && !shownKeys.has(one.key); one = calls.get(one.parent)) shownKeys.add(one.key);
    }
    const below = new Map();
    const roots = [];
    for (const key of shownKeys) {
      const call = calls.get(key);
      if (call.parent && shownKeys.has(call.parent)) {
        if (!below.has(call.parent)) below.set(call.parent, []);
        below.get(call.parent).push(call);
      } else roots.push(call);
    }
    for (const children of below.values()) children.sort((one, other) => one.id - other.id);
    const latest = new Map();
    const latestOf = (call) => {
      if (!latest.has(call.key)) latest.set(call.key, Math.max(call.began, ...(below.get(call.key) ?? []).map(latestOf)));
      return latest.get(call.key);
    };
    roots.sort((one, other) => latestOf(other) - latestOf(one) || other.id - one.id);
    const found = [];
    const add = (call, level) => {
      if (found.length >= MOST_ROWS) return;
      found.push({ key: call.key, call, level });
      const children = below.get(call.key) ?? [];
      const hidden = unfolded.has(call.key) ? 0 : Math.max(0, children.length - MOST_CHILDREN);
      if (hidden) found.push({ key: `${call.key} earlier`, of: call.key, hidden, level: level + 1 });
      children.slice(hidden).forEach((child) => add(child, level + 1));
    };
    roots.forEach((call) => add(call, 0));
    return found;
  }

  function makeRow(row) {
    if (row.of) {
      const more = h("button.quiet", { type: "button", onclick: () => (unfolded.add(row.of), render()) });
      return Object.assign(h("div.call.earlier", {}, more), { more });
    }
    const cell = {
      at: h("span.at"),
      of: h("span.of"),
      name: h("span.name"),
      given: h("span.given"),
      outcome: h("span.outcome"),
      bar: h("i.length"),
      took: h("span"),
      detail: h("dl.detail", { hidden: true }),
    };
    const what = h("span.what", {}, h("i.dot"), h("span.path", {}, cell.name, cell.given));
    const line = h("div.call", {}, cell.at, cell.of, what, cell.outcome, h("span.took", {}, cell.bar, cell.took));
    const made = h("div.item", { role: "treeitem", tabIndex: -1, onclick: (event) => event.target.closest(".detail") || toggle(row.key) }, line, cell.detail);
    made.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      toggle(row.key);
    });
    return Object.assign(made, { line, cell, what });
  }

  function toggle(key) {
    if (!expanded.delete(key)) expanded.add(key);
    render();
  }

  function updateRow(element, { key, call, level, hidden }) {
    if (hidden) {
      say(element.more, `${count(hidden)} earlier`);
      element.dataset.level = Math.min(level, 9);
      return;
    }
    const { cell } = element;
    element.dataset.state = call.state;
    element.line.dataset.level = Math.min(level, 9);
    element.setAttribute("aria-level", level + 1);
    element.classList.toggle("made", !call.served);
    say(cell.at, clock(call.began));
    say(cell.of, `#${call.session}`);
    const given = ["call", "write"].includes(call.kind) ? `(${call.arguments})` : call.arguments ? ` ${call.arguments}` : "";
    say(cell.name, level ? call.name.replace(/^#\d+(?=\.)/, "") : call.name); // what it is made of stands above
    say(cell.given, given);
    element.what.title = `${call.name}${given}`;
    say(cell.outcome, outcome(call));
    cell.outcome.title = call.outcome;
    say(cell.took, call.took === null ? (call.state === "running" ? duration(Math.max(0, now() - call.began)) : "") : duration(call.took));
    cell.bar.dataset.long = call.took === null ? 0 : Math.max(0, Math.min(5, Math.ceil(Math.log10(call.took * 10 + 1) * 1.3)));
    const isOpen = expanded.has(key);
    element.setAttribute("aria-expanded", isOpen);
    cell.detail.hidden = !isOpen;
    if (isOpen) details(cell.detail, call);
  }

  function outcome(call) {
    if (call.state === "done") return call.outcome === "undefined" ? "done" : call.outcome;
    if (call.state === "failed") return call.outcome;
    return { "not awaited": "used by others", running: "…", released: "used by others, released" }[call.state] ?? call.state;
  }

  function details(element, call) {
    const uses = call.uses.map((id) => calls.get(`${call.session}${call.served ? "<" : ">"}${id}`)?.name ?? `#${id}`);
    const facts = {
      Call: `${call.name}, #${call.id} of session ${call.session}, ${call.served ? "made by the peer" : "made by this side"}`,
      "Made of": call.parent ? `${calls.get(call.parent)?.name ?? "a call"}, #${parts(call.parent)?.[3]}` : "",
      "Results used": uses.join(", "),
      Arguments: call.arguments,
      State: call.state,
      Outcome: call.outcome,
      Took: call.took === null ? "" : duration(call.took),
    };
    const names = Object.keys(facts).filter((name) => facts[name]);
    list(element, names, (name) => name, (name) => h("div", {}, h("dt", {}, name), h("dd")), (row, name) => say(row.lastChild, facts[name]));
  }

  function render() {
    const all = rows();
    list(tree, all, (row) => row.key, makeRow, updateRow);
    reachable(tree, ".item");
    heading.hidden = !all.length;
    empty.hidden = all.length > 0;
    const missed = skipped ? ` · ${count(skipped)} messages came too fast to be read` : "";
    say(note, `${all.length >= MOST_ROWS ? `the newest ${MOST_ROWS} lines of ` : ""}${count(calls.size)} calls${missed}`);
    filter.update();
  }

  addView("calls", {
    name: "Calls",
    element: h("div.view.wide", {}, h("div.bar", {}, search, which, filter.element, h("span.gap"), note, clear), heading, tree, empty),
    show(argument) {
      app.session = /^\d+$/.test(argument ?? "") ? Number(argument) : null;
      render();
    },
    async refresh(inspection) {
      const answer = await inspection.calls(at, app.session);
      at = answer.at;
      skipped = answer.skipped;
      for (const call of answer.calls) {
        calls.delete(call.key); // so that the newest are last
        calls.set(call.key, call);
      }
      for (const key of calls.keys()) {
        if (calls.size <= MOST) break;
        calls.delete(key);
      }
      render();
    },
  });
}
