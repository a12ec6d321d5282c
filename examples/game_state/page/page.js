// A player in a browser. Rule: what is drawn is what the server has said; a key only asks for a step.

import { newWebSocketRpcSession, RpcTarget } from "/capnweb/index.js";
import { Mirror } from "./mirror.js";

const CELL = 14; // pixels
const KEYS = { ArrowUp: "north", ArrowRight: "east", ArrowDown: "south", ArrowLeft: "west" };
const find = selector => document.querySelector(selector);
const canvas = find("canvas");
const mirror = new Mirror();
const counts = { tick: 0, deltas: 0, "full states": 0, steps: 0, refused: 0 };
let figure = null;
let own = 0;

class Screen extends RpcTarget {
  show(update) {
    mirror.take(update);
    counts.tick = update.tick;
    counts[update.kind === "full" ? "full states" : "deltas"] += 1;
    requestAnimationFrame(draw);
  }
}

function draw() {
  const pen = canvas.getContext("2d");
  const color = name => getComputedStyle(find(`#legend .${name}`)).color;
  const dot = (x, y, radius) => {
    pen.beginPath();
    pen.arc((x + 0.5) * CELL, (y + 0.5) * CELL, radius, 0, 7);
    pen.fill();
  };
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = color("coin");
  for (const [x, y] of mirror.coins.values()) dot(x, y, 3.5);
  for (const player of mirror.players.values()) {
    pen.fillStyle = color(player.id === own ? "own" : "other");
    dot(player.x, player.y, 6);
  }
  showScore();
  showNumbers("#here", counts);
}

function showScore() {
  const best = [...mirror.players.values()].sort((one, other) => other.score - one.score || one.id - other.id);
  const rows = best.slice(0, 10).map(player => {
    const row = document.createElement("li");
    row.className = player.id === own ? "own" : "";
    for (const text of [player.name, player.score]) {
      row.append(Object.assign(document.createElement("span"), { textContent: text }));
    }
    return row;
  });
  find("#score").replaceChildren(...rows);
}

function showNumbers(selector, numbers) {
  const cells = Object.entries(numbers).flatMap(([name, value]) => [
    Object.assign(document.createElement("dt"), { textContent: name.replace("_", " ") }),
    Object.assign(document.createElement("dd"), { textContent: value.toLocaleString("en") }),
  ]);
  find(selector).replaceChildren(...cells);
}

async function play(name) {
  const address = new URL("/rpc", location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  const game = newWebSocketRpcSession(address.href);
  game.onRpcBroken(error => {
    find("#state").textContent = `The game is over: ${error.message}`;
  });
  addEventListener("pagehide", () => game[Symbol.dispose]());
  figure = await game.join(name, new Screen());
  own = await figure.id;
  find("form").hidden = true;
  find("#state").textContent = `You are ${name}. Arrow keys walk.`;
  canvas.focus();
  const ask = async () => showNumbers("#there", await game.stats());
  await ask();
  setInterval(ask, 1000);
}

async function step(direction) {
  try {
    await figure.move(direction);
    counts.steps += 1;
  } catch (error) {
    counts.refused += 1;
    find("#state").textContent = `Refused: ${error.message}.`;
  }
  showNumbers("#here", counts);
}

find("form").addEventListener("submit", submitted => {
  submitted.preventDefault();
  play(new FormData(submitted.target).get("name")).catch(error => {
    find("#state").textContent = error.message;
  });
});

canvas.addEventListener("keydown", pressed => {
  if (figure === null || !(pressed.key in KEYS)) return;
  pressed.preventDefault();
  step(KEYS[pressed.key]);
});

globalThis.digest = () => mirror.digest(); // for whoever compares it with the server's
find("form button").disabled = false;
