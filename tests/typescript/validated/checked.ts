// `node checked.js URL`: a client that checks what it gets, of a server in Python at the URL, and of one here that gives
// something else; and a target that checks what it is sent. Prints what came of each call.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { newWebSocketRpcSession, RpcTarget } from "capnweb";
import { WebSocketServer } from "ws";

import {
  CheckedCounter,
  connect,
  connectCheckedCounter,
  connectCheckedEverything,
  type Counter,
} from "../generated/everything.js";
import { SCALARS } from "./values.js";

class Tally extends RpcTarget implements Counter {
  get value() {
    return 7;
  }

  async increment(by = 1) {
    return 7 + by;
  }

  [Symbol.dispose]() {
    console.log("disposed");
  }
}

class Wrong extends RpcTarget {
  get value() {
    return null;
  }

  increment() {
    return "eight";
  }
}

async function outcome(call: PromiseLike<unknown>): Promise<void> {
  try {
    console.log(JSON.stringify(await call) ?? "undefined");
  } catch (error) {
    console.log(String(error));
  }
}

const http = createServer();
new WebSocketServer({ server: http }).on("connection", (socket, request) => {
  const main = request.url === "/wrong" ? new Wrong() : new CheckedCounter(new Tally());
  newWebSocketRpcSession(socket as unknown as WebSocket, main);
});
await new Promise<void>((listening) => http.listen(0, "127.0.0.1", listening));
const here = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`;

{
  using everything = connectCheckedEverything(process.argv[2] ?? "");
  await outcome(everything.nothing());
  await outcome(everything.scalars(SCALARS).then((values) => values.price));
}
{
  using wrong = connectCheckedCounter(`${here}/wrong`);
  await outcome(wrong.increment());
  await outcome(wrong.value);
}
{
  using counter = connect<Counter>(`${here}/`);
  await outcome(counter.increment("much" as unknown as number));
  await outcome(counter.increment());
  await outcome(counter.value);
}
http.close();
