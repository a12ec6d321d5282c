// The frame of the page: what is connected, which view is shown, and asking the server while it is. Rule: what is not shown
// is not asked for, and a page that nobody sees asks for nothing.

/** What the page knows, for all views. */
const app = {
  inspection: null,
  about: null,
  skew: 0, // milliseconds that the server's clock is ahead of this one
  views: {},
  view: null,
  paused: false,
  session: null, // the one that calls and messages are shown of; null for all
};

/** The time, by the server's clock. */
const now = () => Date.now() + app.skew;

const root = h("div.app");
const nav = h("nav", { ariaLabel: "Views" });
const main = h("main", { id: "main", tabIndex: -1 });
const where = h("span.where");
const state = h("span.state", { role: "status" });
const pause = h("button.quiet", { type: "button", title: "Pause or go on (p)", onclick: () => pauseOrGo() }, "Pause");
const theme = h("button.quiet", { type: "button", title: "Dark, light, or as the system has it (t)", onclick: () => nextTheme() });

const THEMES = ["auto", "dark", "light"];

function nextTheme() {
  const next = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme ?? "auto") + 1) % THEMES.length];
  setTheme(next);
}

function setTheme(name) {
  if (name === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  localStorage.setItem("capnweb-inspector-theme", name);
  say(theme, `Theme: ${name}`);
}

function pauseOrGo() {
  app.paused = !app.paused;
  pause.ariaPressed = String(app.paused);
  say(pause, app.paused ? "Resume" : "Pause");
  if (app.paused) setState("paused");
  else refresh();
}

function setState(name, text) {
  state.dataset.state = name;
  say(state, text ?? { live: "Live", paused: "Paused", lost: "Not connected" }[name]);
}

/** Adds a view: `name` is its title, `element` what is shown, `refresh` asks the server, `show` is told when it is shown. */
function addView(id, view) {
  app.views[id] = view;
  const key = Object.keys(app.views).length;
  view.link = h("a", { href: `#/${id}`, title: `${view.name} (${key})` }, view.name);
  nav.append(view.link);
}

function showView(id, argument) {
  const view = app.views[id] ?? app.views.overview;
  for (const other of Object.values(app.views)) other.link.removeAttribute("aria-current");
  view.link.setAttribute("aria-current", "page");
  if (app.view !== view) main.replaceChildren(view.element);
  app.view = view;
  document.title = `${view.name} · Inspector`;
  view.show?.(argument);
  refresh();
}

/** What the address says: "#/calls/3" is the view "calls" with "3". */
function route() {
  const [, id, argument] = location.hash.split("/");
  showView(id ?? "overview", argument === undefined ? undefined : decodeURIComponent(argument));
}

let asking = false;
let timer = 0;

/** Asks for what is shown, and does so again after a while. */
async function refresh() {
  clearTimeout(timer);
  if (!app.inspection || asking) return;
  if (!app.paused && !document.hidden && app.view?.refresh) {
    asking = true;
    const view = app.view;
    try {
      await view.refresh(app.inspection);
      if (!app.paused && app.inspection) setState("live");
    } catch (error) {
      if (app.inspection) setState("lost", error.message);
    } finally {
      asking = false;
    }
    if (view !== app.view) return refresh();
  }
  timer = setTimeout(refresh, app.about?.interval ?? 500);
}

const isTyping = (element) => element.matches?.("input, select, textarea");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !app.inspection) return;
  if (event.key === "Escape" && isTyping(event.target)) return event.target.blur();
  if (isTyping(event.target)) return;
  const id = Object.keys(app.views)[Number(event.key) - 1];
  if (id) location.hash = `#/${id}`;
  else if (event.key === "p") pauseOrGo();
  else if (event.key === "t") nextTheme();
  else if (event.key === "/") {
    const search = main.querySelector("input[type=search]");
    if (!search) return;
    search.focus();
    search.select();
  } else return;
  event.preventDefault();
});
document.addEventListener("visibilitychange", () => refresh());
window.addEventListener("hashchange", () => app.inspection && route());

/** A field to filter by. */
function searchField(label, onchange) {
  return h("input", { type: "search", placeholder: label, title: `${label} (/)`, ariaLabel: label, spellcheck: false, oninput: onchange });
}

/** A choice of few. */
function choice(label, options, onchange) {
  const field = h("select", { ariaLabel: label, onchange });
  for (const [value, text] of options) field.append(h("option", { value }, text));
  return field;
}

/** What stands where there is nothing to show. */
function nothing(title, text) {
  return h("div.nothing", {}, h("strong", {}, title), h("p", {}, text));
}

/** Says of which session calls or messages are shown, and lets it be all again. */
function sessionFilter(id) {
  const label = h("span");
  const all = h("button.chip", { type: "button", title: "Show all sessions", onclick: () => (location.hash = `#/${id}`) }, label, " ×");
  return {
    element: all,
    update() {
      all.hidden = app.session === null;
      say(label, `session ${app.session}`);
    },
  };
}
