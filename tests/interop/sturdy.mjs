// A client that saves a room in one session and restores it in others, through the interface of tests/gen/golden/sturdy_refs.
//
//     node sturdy.mjs URL ADA BOB       ADA and BOB are what signs a user in, as the query of the URL
//     node sturdy.mjs serve             serves it over WebSocket; prints "listening PORT"
//
// The client prints what it saw, one JSON value a line.

import { WebSocket, WebSocketServer } from "ws";
import { RpcTarget, newWebSocketRpcSession } from "capnweb";

globalThis.WebSocket ??= WebSocket; // which Node 20 does not have

const localStorage = new (class {
  setItem(key, value) { this[key] = String(value); }
  getItem(key) { return this[key]; }
})();
const say = value => console.log(JSON.stringify(value));

async function session(url, use) {
  const user = newWebSocketRpcSession(url);
  try {
    await use(user);
  } finally {
    user[Symbol.dispose]();
  }
}

async function failure(call) {
  try {
    await call;
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
}

async function call(url, ada, bob) {
  await session(`${url}?${ada}`, async user => {
    const ref = await user.room("lobby").save();
    localStorage.setItem("room", ref);
    say(typeof ref);
  });
  await session(`${url}?${ada}`, async user => {
    const room = user.restore(localStorage.getItem("room"));
    say(await room.say("I am back"));
    say(await user.restore(user.room("lobby").save()).say("all in one"));
    say(await failure(user.restore(localStorage.getItem("room") + "A")));
    say(await failure(user.restore("x".repeat(5000))));
    const both = await user.bookmark({ room: localStorage.getItem("room") }, [{ room: localStorage.getItem("room") }]);
    say(both.mark.room === localStorage.getItem("room"));
  });
  await session(`${url}?${bob}`, async user => {
    say(await failure(user.restore(localStorage.getItem("room"))));
  });
  await session(`${url}?${ada}`, async user => {
    await user.forget([localStorage.getItem("room")]);
    say(await failure(user.restore(localStorage.getItem("room"))));
  });
}

class Room extends RpcTarget {
  constructor(name) {
    super();
    this.name = name;
  }
  save() { return `room:${this.name}`; }
  say(text) { return text.length; }
}

class User extends RpcTarget {
  room(name) { return new Room(name); }
  restore(ref) {
    if (!ref.startsWith("room:")) throw new Error("no such room");
    return new Room(ref.slice(5));
  }
}

function serve() {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  server.on("connection", socket => newWebSocketRpcSession(socket, new User()));
  server.on("listening", () => console.log(`listening ${server.address().port}`));
}

const [first, ...rest] = process.argv.slice(2);
await (first === "serve" ? serve() : call(first, ...rest));
