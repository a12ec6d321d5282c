// A client of the npm package that calls until it may not any more.
//
//     node costs.mjs URL                       prints a line of JSON: what it was told

import { WebSocket } from "ws";
import { newWebSocketRpcSession } from "capnweb";

globalThis.WebSocket ??= WebSocket; // which Node 20 has not

const api = newWebSocketRpcSession(process.argv[2]);
await api.find("a");
try {
  await api.find("b");
} catch (error) {
  const { errorName, retryAfter, cost, left } = error;
  console.log(JSON.stringify({ name: error.name, errorName, retryAfter, cost, left, message: error.message }));
}
api[Symbol.dispose]();
