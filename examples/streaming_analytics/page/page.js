// Draws the windows of all that is ingested, as they close, and ingests where the pointer is. Rule: the chart holds as
// many windows as it shows.

import { newWebSocketRpcSession } from "/capnweb/index.js";

const SHOWN = 30_000; // milliseconds
const STEP = 250; // of one window
const KEYS = 6; // that have a colour
const [WIDTH, HEIGHT, MARGIN] = [1000, 420, 40];
const find = selector => document.querySelector(selector);
const made = (name, attributes = {}) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
};

const series = new Map(); // for each key its windows, the oldest first
const figures = { rows: 0, windows: 0, "rows a second": 0, late: 0, "left out": 0 };
let newest = 0;

function take(closed) {
  for (const window of closed.windows) {
    if (!series.has(window.key) && series.size < KEYS) series.set(window.key, []);
    series.get(window.key)?.push(window);
    figures.rows += window.count;
    figures.windows += 1;
    newest = Math.max(newest, window.end);
  }
  figures.late = closed.late;
  figures["left out"] += closed.skipped;
  for (const windows of series.values()) {
    while (windows.length && windows[0].end < newest - SHOWN) windows.shift();
  }
  const last = [...series.values()].flat().filter(window => window.end > newest - 1000);
  figures["rows a second"] = last.reduce((sum, window) => sum + window.count, 0);
}

function draw() {
  const means = [...series.values()].flat().map(window => window.total / window.count);
  const [low, high] = [Math.min(0, ...means), Math.max(1, ...means)];
  const across = at => MARGIN + ((at - newest + SHOWN) / SHOWN) * (WIDTH - MARGIN);
  const up = value => HEIGHT - MARGIN / 2 - ((value - low) / (high - low)) * (HEIGHT - MARGIN);
  const lines = [...series.values()].map((windows, number) => {
    const points = windows.map(each => `${across(each.end).toFixed(1)} ${up(each.total / each.count).toFixed(1)}`);
    return made("path", { class: `key${number}`, d: points.length ? `M${points.join("L")}` : "" });
  });
  const grid = [0, 0.25, 0.5, 0.75, 1].map(part => low + part * (high - low)).flatMap(value => {
    const text = made("text", { x: 6, y: up(value) + 4 });
    text.textContent = Math.round(value).toLocaleString("en");
    return [made("line", { x1: MARGIN, x2: WIDTH, y1: up(value), y2: up(value) }), text];
  });
  find("#lines").replaceChildren(...lines);
  find("#grid").replaceChildren(...grid);
  describe();
}

function describe() {
  const names = [...series.keys()].map((key, number) =>
    Object.assign(document.createElement("li"), { className: `key${number}`, textContent: key }),
  );
  const cells = Object.entries(figures).map(([name, value]) => {
    const cell = document.createElement("div");
    cell.append(
      Object.assign(document.createElement("dt"), { textContent: name }),
      Object.assign(document.createElement("dd"), { textContent: value.toLocaleString("en") }),
    );
    return cell;
  });
  find("#legend").replaceChildren(...names);
  find("#figures").replaceChildren(...cells);
}

async function watch(api) {
  const reader = (await api.watch()).getReader();
  find("#state").textContent = "live";
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    take(next.value);
    requestAnimationFrame(draw);
  }
}

// Rows of the pointer, a window at a time; nothing is sent while it rests.
function pointer() {
  let rows = [];
  find("#chart").addEventListener("pointermove", moved => {
    const box = find("#chart").getBoundingClientRect();
    const height = Math.round(1000 * (1 - (moved.clientY - box.top) / box.height));
    rows.push({ at: Date.now(), key: "pointer", value: height });
  });
  return new ReadableStream({
    start(controller) {
      setInterval(() => {
        if (rows.length && controller.desiredSize > 0) controller.enqueue(rows);
        rows = [];
      }, STEP);
    },
  });
}

const address = new URL("/rpc", location.href);
address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
const api = newWebSocketRpcSession(address.href);
addEventListener("pagehide", () => api[Symbol.dispose]());
addEventListener("pageshow", shown => shown.persisted && location.reload());
const over = error => {
  find("#state").textContent = `over: ${error.message}`;
};
api.ingest(pointer()).catch(over);
watch(api).catch(over);
