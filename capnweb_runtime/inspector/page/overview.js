// The server at a glance: rates of the last two minutes, and how near its bounds it is.

const SPAN = [30_000, 120_000]; // milliseconds that a graph shows, at least and at most
const GRAPH = { width: 240, height: 56 };

{
  const tiles = new Map();
  const grid = h("div.tiles");
  const bounds = h("tbody");
  const facts = h("p.facts");

  function tile(id, name) {
    const value = h("strong");
    const note = h("span.note");
    const line = svg("path", { class: "line" });
    const area = svg("path", { class: "area" });
    const graph = svg(
      "svg",
      { viewBox: `0 0 ${GRAPH.width} ${GRAPH.height}`, preserveAspectRatio: "none", role: "img", "aria-label": `${name}, last two minutes` },
      area,
      line,
    );
    tiles.set(id, { value, note, line, area });
    grid.append(h("section.tile", { dataset: { tile: id } }, h("h2", {}, name), h("div.figure", {}, value, note), graph));
  }

  tile("sessions", "Sessions");
  tile("calls", "Calls per second");
  tile("running", "Calls in progress");
  tile("received", "Messages in per second");
  tile("sent", "Messages out per second");
  tile("queued", "Bytes that wait");

  /** Rates between moments, each at the later one. */
  function perSecond(rates, name) {
    return rates.slice(1).map((rate, at) => {
      const before = rates[at];
      return [rate.at, Math.max(0, ((rate[name] - before[name]) * 1000) / Math.max(1, rate.at - before.at))];
    });
  }

  function draw(id, points, text, note) {
    const { value, note: noted, line, area } = tiles.get(id);
    const top = Math.max(1, ...points.map(([, height]) => height));
    const last = points.at(-1)?.[0] ?? now();
    const span = Math.min(SPAN[1], Math.max(SPAN[0], last - (points[0]?.[0] ?? last)));
    const places = points.map(([at, height]) => {
      const x = GRAPH.width - ((last - at) / span) * GRAPH.width;
      const y = GRAPH.height - 2 - (height / top) * (GRAPH.height - 6);
      return `${x.toFixed(1)} ${y.toFixed(1)}`;
    });
    const path = places.length ? `M${places.join("L")}` : "";
    line.setAttribute("d", path);
    const from = places[0]?.split(" ")[0];
    area.setAttribute("d", path ? `${path}L${GRAPH.width} ${GRAPH.height}L${from} ${GRAPH.height}Z` : "");
    say(value, text);
    say(noted, note);
  }

  function show({ rates, bounds: near }) {
    const latest = rates.at(-1);
    const of = (name) => rates.map((rate) => [rate.at, rate[name]]);
    const peak = (points, text) => (points.length ? `peak ${text(Math.max(...points.map(([, height]) => height)))}` : "");
    const speed = (number) => (number < 10 && number > 0 ? number.toFixed(1) : count(number));
    const total = { calls: "since the start", received: "in all", sent: "in all" };
    draw("sessions", of("sessions"), count(latest.sessions), peak(of("sessions"), count));
    draw("running", of("running"), count(latest.running), peak(of("running"), count));
    draw("queued", of("queued"), bytes(latest.queued), peak(of("queued"), bytes));
    for (const name of ["calls", "received", "sent"]) {
      const points = perSecond(rates, name);
      draw(name, points, points.length ? speed(points.at(-1)[1]) : "–", `${count(latest[name])} ${total[name]}`);
    }
    list(bounds, near, (bound) => bound.name, boundRow, updateBound);
  }

  function boundRow(bound) {
    const meter = h("meter", { min: 0, max: 1, high: 0.8, optimum: 0, ariaLabel: bound.name });
    const cells = { now: h("td.num"), most: h("td.num"), refused: h("td.num") };
    const row = h("tr", {}, h("th", { scope: "row" }, bound.name.replaceAll("_", " ")), h("td.meter", {}, meter), cells.now, cells.most, cells.refused);
    return Object.assign(row, { meter, parts: cells });
  }

  function updateBound(row, bound) {
    const text = bound.name.endsWith("bytes") ? bytes : count;
    row.meter.value = bound.most ? bound.now / bound.most : 0;
    say(row.parts.now, text(bound.now));
    say(row.parts.most, text(bound.most));
    say(row.parts.refused, count(bound.refused));
    row.classList.toggle("bad", bound.refused > 0);
  }

  const head = h("tr", {}, h("th", {}, "Bound"), h("th"), h("th.num", {}, "Now"), h("th.num", {}, "Most"), h("th.num", {}, "Refused"));
  addView("overview", {
    name: "Overview",
    element: h("div.view", {}, facts, grid, h("section", {}, h("h2", {}, "Bounds of the server"), h("table.bounds", {}, h("thead", {}, head), bounds))),
    async refresh(inspection) {
      show(await inspection.overview());
      const { about } = app;
      say(facts, `Process ${about.pid} · Python ${about.python}${about.version ? ` · capnweb-gen ${about.version}` : ""} · up ${age(now() - about.started)}`);
    },
  });
}
