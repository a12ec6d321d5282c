// A member in a browser: the server calls the function that is handed over to it. Rule: what people write is only ever set
// as text.

import { newWebSocketRpcSession, RpcTarget } from "/capnweb/index.js";

const ROOM = "hall";
const KEPT = 500; // lines on the page
const WHY = { left: "has left", lost: "was lost" };
const KEY = crypto.randomUUID?.() ?? String(Math.random()); // with it, and with nothing else, we have our name again

const find = selector => document.querySelector(selector);
const present = new Set();
let cursor = null; // behind the last event that is on the page
let chat = null; // the session
let place = null; // what the server gave for being in the room
let leaving = false;

function line(kind, text, name) {
  const item = document.createElement("li");
  item.className = kind;
  if (name !== undefined) item.append(Object.assign(document.createElement("b"), { textContent: name }));
  item.append(text);
  find("#log").append(item);
  while (find("#log").childElementCount > KEPT) find("#log").firstElementChild.remove();
  item.scrollIntoView();
}

function showPresent() {
  find("#present").replaceChildren(
    ...[...present].sort().map(name => Object.assign(document.createElement("li"), { textContent: name })),
  );
}

const SHOW = {
  said: event => line("said", event.text, event.name),
  came: event => line("notice", `${event.name} is here`),
  went: event => line("notice", `${event.name} ${WHY[event.why]}`),
};

class Member extends RpcTarget {} // we are there for as long as the server can hold it

function deliver(batch) {
  for (const item of batch.items) {
    if (item.kind === "gap") {
      line("notice", `something is missing: ${item.reason}`);
      continue;
    }
    const event = item.data;
    SHOW[event.kind](event);
    if (event.kind === "came") present.add(event.name);
    if (event.kind === "went") present.delete(event.name);
  }
  cursor = batch.cursor;
  showPresent();
}

async function comeIn(name, password) {
  const address = new URL("/rpc", location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  chat = newWebSocketRpcSession(address.href);
  try {
    const house = chat.enter(name, password, KEY, new Member()); // a promise: nothing waits for it but the next lines
    const events = house.events(ROOM);
    await events.subscribe(deliver, cursor);
    place = await house.join(ROOM);
    for (const each of await place.present()) present.add(each);
  } catch (error) {
    chat[Symbol.dispose]();
    throw error;
  }
  showPresent();
  find("#state").textContent = "connected";
  chat.onRpcBroken(() => again(name, password, 250));
}

async function again(name, password, wait) {
  if (leaving) return;
  find("#state").textContent = "connection lost";
  place = null;
  present.clear();
  await new Promise(resolve => setTimeout(resolve, Math.random() * wait));
  try {
    await comeIn(name, password);
  } catch {
    again(name, password, Math.min(2 * wait, 30_000));
  }
}

find("#door").addEventListener("submit", async submitted => {
  submitted.preventDefault();
  const { name, password } = Object.fromEntries(new FormData(submitted.target));
  try {
    await comeIn(name, password);
  } catch (error) {
    find("#door p").textContent = error.message;
    return;
  }
  find("main h1").textContent = `${ROOM}, as ${name}`;
  find("#door").hidden = true;
  find("main").hidden = false;
  find("#say input").focus();
});

find("#say").addEventListener("submit", async submitted => {
  submitted.preventDefault();
  const field = find("#say input");
  const text = field.value.trim();
  if (!text) return;
  try {
    await place.say(text);
    field.value = "";
  } catch (error) {
    line("notice", `Not said: ${place ? error.message : "there is no connection"}`);
  }
});

// Browsers keep pages that were left for a while, with their connections: say goodbye at once.
addEventListener("pagehide", () => {
  leaving = true;
  chat?.[Symbol.dispose]();
});
addEventListener("pageshow", shown => shown.persisted && location.reload());

find("#door button").disabled = false; // from now on it does what it says
