// Errors with names and properties of their own, at both ends of the interface of tests/gen/golden/raises.
//
//     node errors.mjs serve         serves it over WebSocket; prints "listening PORT"
//     node errors.mjs call URL      calls each method; prints what it caught, one JSON object a line

import { WebSocket, WebSocketServer } from "ws";
import { RpcTarget, newWebSocketRpcSession } from "capnweb";

globalThis.WebSocket ??= WebSocket; // which Node 20 does not have

class QuotaExceeded extends Error {
  name = "QuotaExceeded";
  constructor(message, limit) {
    super(message);
    this.limit = limit;
  }
}

class NotFound extends Error {
  name = "NotFound";
}

class Directory extends RpcTarget {
  find(userId) {
    if (userId === 2) throw new QuotaExceeded("too many", 3);
    if (userId === 4) throw new QuotaExceeded("not even a number", "three");
    throw new NotFound("no such user");
  }
  get owner() { throw new NotFound("nobody's"); }
}

function serve() {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  server.on("connection", socket => newWebSocketRpcSession(socket, new Directory()));
  server.on("listening", () => console.log(`listening ${server.address().port}`));
}

async function call(url) {
  const directory = newWebSocketRpcSession(url);
  const calls = [
    () => directory.find(9), () => directory.find(2), () => directory.owner, () => directory.find(9).name,
    () => directory.find("nine"),
  ];
  for (const one of calls) {
    try {
      await one();
    } catch (error) {
      console.log(JSON.stringify({ name: error.name, message: error.message, ...error }));
    }
  }
  directory[Symbol.dispose]();
}

const [mode, url] = process.argv.slice(2);
await (mode === "serve" ? serve() : call(url));
