// Sessions, and what both sides of one hold.

{
  const PAGE = 100; // sessions that are asked for at a time
  const columns = [
    ["Session", ""],
    ["Peer", ""],
    ["Main object", ""],
    ["Open for", "num"],
    ["Calls in", "num"],
    ["Calls out", "num"],
    ["Running", "num"],
    ["Held here", "num", "Imports: what this side holds of the peer's"],
    ["Held there", "num", "Exports: what the peer holds of this side's"],
    ["Waiting", "num", "Bytes that wait to be read by the peer"],
    ["Round trip", "num"],
  ];
  const search = searchField("Filter by peer, number or main object", () => ((offset = 0), refresh()));
  const order = choice("Order", [["newest", "Newest first"], ["busiest", "Most calls first"], ["largest", "Largest first"]], () => ((offset = 0), refresh()));
  const body = h("tbody");
  const empty = nothing("No sessions", "Nobody is connected just now. Sessions show up here as they begin.");
  const summary = h("span.note");
  const back = h("button", { type: "button", onclick: () => turn(-PAGE) }, "Previous");
  const forth = h("button", { type: "button", onclick: () => turn(PAGE) }, "Next");
  const table = h("table.rows", {}, h("thead", {}, header(columns)), body);
  const overview = h("div.view", {}, h("div.bar", {}, search, order, h("span.gap"), summary, back, forth), table, empty);
  const view = h("div.stack");
  let offset = 0;
  let open = null; // the session that is looked at

  function header(of) {
    return h("tr", {}, ...of.map(([name, kind, title]) => h(kind ? `th.${kind}` : "th", { scope: "col", title }, name)));
  }

  function turn(by) {
    offset = Math.max(0, offset + by);
    refresh();
  }

  function go(row) {
    location.hash = `#/sessions/${row.session}`;
  }

  function makeRow() {
    const row = h("tr.item", { tabIndex: -1, onclick: () => go(row) }, ...columns.map(([, kind]) => h(kind ? `td.${kind}` : "td")));
    row.addEventListener("keydown", (event) => event.key === "Enter" && go(row));
    return row;
  }

  function texts(one) {
    return [
      `#${one.id}`,
      one.transport === "websocket" ? one.peer : `${one.peer} · ${one.transport}`,
      one.main,
      age(now() - one.since),
      count(one.received),
      count(one.made),
      count(one.running),
      count(one.imports),
      count(one.exports),
      one.queued ? bytes(one.queued) : "–",
      one.round_trip === null ? "–" : duration(one.round_trip),
    ];
  }

  function updateRow(row, one) {
    row.session = one.id;
    texts(one).forEach((text, at) => say(row.cells[at], text));
  }

  arrows(body, "tr.item");

  // ---- one session

  const title = h("h2");
  const facts = h("dl.facts");
  const held = {
    import: h("tbody"),
    export: h("tbody"),
  };
  const heldColumns = [["Id", "num"], ["Kind", ""], ["What", ""], ["From", "", "The call that it came with"], ["References", "num"], ["Age", "num"], ["Made at", ""]];
  const leftOut = h("p.note");
  const places = h("p.note", {}, "When and where things were made is known in debug mode.");
  const toCalls = h("a.button", {}, "Its calls");
  const toFrames = h("a.button", {}, "Its messages");
  const detail = h(
    "div.view",
    {},
    h("div.bar", {}, h("a.button", { href: "#/sessions" }, "All sessions"), title, h("span.gap"), toCalls, toFrames),
    facts,
    section("Held by the peer", "exports of this side: the peer can call these", held.export),
    section("Held by this side", "imports: what the peer has given", held.import),
    leftOut,
    places,
  );

  function section(name, note, rows) {
    return h("section", {}, h("h3", {}, name, h("span.note", {}, ` ${note}`)), h("table.rows.still", {}, h("colgroup", {}, ...heldColumns.map(([column]) => h(`col.c-${column.split(" ")[0].toLowerCase()}`))), h("thead", {}, header(heldColumns)), rows));
  }

  function heldRow() {
    return h("tr", {}, ...heldColumns.map(([, kind]) => h(kind ? `td.${kind}` : "td")));
  }

  function updateHeld(row, one) {
    const when = one.age === null ? "–" : age(one.age);
    const all = [String(one.id), one.kind, one.name || "–", one.member || "–", count(one.references), when, one.place || "–"];
    all.forEach((text, at) => say(row.cells[at], text));
  }

  function showTables({ session, rows, left_out: more }) {
    if (session) {
      const names = ["Peer", "Transport", "Main object", "Open for", "Calls in", "Calls out", "Running", "Bytes that wait", "Round trip"];
      const trip = session.round_trip === null ? "not measured" : duration(session.round_trip);
      const values = [session.peer, session.transport, session.main, age(now() - session.since), count(session.received)];
      values.push(count(session.made), count(session.running), bytes(session.queued), trip);
      list(facts, names, (name) => name, (name) => h("div", {}, h("dt", {}, name), h("dd")), (row, name) => say(row.lastChild, values[names.indexOf(name)]));
    }
    say(title, session ? `Session ${open}` : `Session ${open} has ended`);
    for (const direction of ["import", "export"]) {
      list(held[direction], rows.filter((one) => one.direction === direction), (one) => one.id, heldRow, updateHeld);
    }
    say(leftOut, more ? `${count(more)} more are not shown.` : "");
    places.hidden = rows.some((one) => one.place);
  }

  addView("sessions", {
    name: "Sessions",
    element: view,
    show(argument) {
      open = /^\d+$/.test(argument ?? "") ? Number(argument) : null;
      toCalls.href = `#/calls/${open}`;
      toFrames.href = `#/messages/${open}`;
      view.replaceChildren(open === null ? overview : detail);
    },
    async refresh(inspection) {
      if (open !== null) {
        const looked = open;
        const tables = await inspection.tables(looked);
        if (looked === open) showTables(tables);
        return;
      }
      const { total, matching, rows } = await inspection.sessions(search.value.trim(), order.value, offset, PAGE);
      if (!rows.length && offset) return turn(-PAGE);
      list(body, rows, (one) => one.id, makeRow, updateRow);
      reachable(body, "tr.item");
      table.hidden = !rows.length;
      empty.hidden = rows.length > 0;
      const shownRows = rows.length < matching ? `${count(offset + 1)}–${count(offset + rows.length)} of ` : "";
      say(summary, `${shownRows}${count(matching)}${matching < total ? ` of ${count(total)}` : ""} session${total === 1 ? "" : "s"}`);
      back.hidden = forth.hidden = matching <= PAGE;
      back.disabled = offset === 0;
      forth.disabled = offset + rows.length >= matching;
    },
  });
}
