// Making and changing what the page shows. Rule: text is only ever text; there is no way here to make markup of it.

/** An element: `h("td.num", {title}, "text", child)`. Properties that start with "on" are listeners. */
function h(what, properties, ...children) {
  const [tag, ...classes] = what.split(".");
  const made = document.createElement(tag);
  if (classes.length) made.className = classes.join(" ");
  set(made, properties);
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

/** Likewise of SVG. */
function svg(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes ?? {})) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function set(element, properties) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "dataset") Object.assign(element.dataset, value);
    else if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
}

/** Changes a text if it is another one, so that a selection in it is kept otherwise. */
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const ROWS = new WeakMap(); // rows by key, of each parent

/**
 * Has the children of `parent` be one for each item, in order; those that are there already are kept, with the focus and
 * the selection in them.
 */
function list(parent, items, keyOf, make, update) {
  if (!ROWS.has(parent)) ROWS.set(parent, new Map());
  const known = ROWS.get(parent);
  const wanted = new Set();
  let before = null;
  for (const item of items) {
    const key = keyOf(item);
    wanted.add(key);
    let row = known.get(key);
    if (!row) known.set(key, (row = make(item)));
    update(row, item);
    const place = before ? before.nextSibling : parent.firstChild;
    if (place !== row) parent.insertBefore(row, place);
    before = row;
  }
  for (const [key, row] of known) {
    if (wanted.has(key)) continue;
    known.delete(key);
    row.remove();
  }
}

/** Lets arrow keys, Home and End move between the rows of a list, of which one is in the order of the tab key. */
function arrows(container, selector) {
  container.addEventListener("keydown", (event) => {
    const row = event.target.closest?.(selector);
    if (!row || event.target !== row) return;
    const rows = [...container.querySelectorAll(selector)];
    const at = rows.indexOf(row);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to === undefined || !rows[to]) return;
    event.preventDefault();
    rows[to].focus();
  });
  container.addEventListener("focusin", (event) => {
    const row = event.target.closest?.(selector);
    if (!row) return;
    for (const other of container.querySelectorAll(`${selector}[tabindex="0"]`)) other.tabIndex = -1;
    row.tabIndex = 0;
  });
}

/** Has one row be reachable by the tab key, if there is any. */
function reachable(container, selector) {
  if (container.querySelector(`${selector}[tabindex="0"]`)) return;
  const first = container.querySelector(selector);
  if (first) first.tabIndex = 0;
}

/** Puts a text on the clipboard, and says so on the button for a moment. */
async function copy(button, text) {
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    say(button, "Copied");
  } catch {
    say(button, "Not allowed by the browser");
  }
  setTimeout(() => say(button, label), 1500);
}

// ---- numbers and times

const GROUPED = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

const count = (number) => GROUPED.format(number);

function bytes(number) {
  for (const [unit, size] of [["GB", 2 ** 30], ["MB", 2 ** 20], ["kB", 2 ** 10]]) {
    if (number >= size) return `${(number / size).toFixed(number >= 10 * size ? 0 : 1)} ${unit}`;
  }
  return `${number} B`;
}

/** How long something took, from milliseconds. */
function duration(ms) {
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(2) : ms < 100 ? ms.toFixed(1) : Math.round(ms)} ms`;
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : age(ms);
}

/** How long ago something was, from milliseconds. */
function age(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

/** The time of day, with milliseconds. */
function clock(ms) {
  const at = new Date(ms);
  const two = (number) => String(number).padStart(2, "0");
  const milliseconds = String(at.getMilliseconds()).padStart(3, "0");
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${milliseconds}`;
}
