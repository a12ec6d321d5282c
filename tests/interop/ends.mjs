// A client of the npm package that says how its session ends.
//
//     node ends.mjs URL          prints "connected", and then "broken: WHY" once the session has ended
//
// Standard input takes one command a line: `dispose` gives the main stub up, `nonsense` sends a message that is none.

import readline from "node:readline";
import { newWebSocketRpcSession } from "capnweb";
import { WebSocket } from "./accounts.mjs";

const socket = new WebSocket(process.argv[2]);
const main = newWebSocketRpcSession(socket);
main.onRpcBroken((error) => {
  console.log(`broken: ${error.message}`);
  process.exit(0);
});
await main.authenticate("guess").catch(() => {});
console.log("connected");
for await (const line of readline.createInterface({ input: process.stdin })) {
  if (line === "dispose") main[Symbol.dispose]();
  if (line === "nonsense") socket.send('["nonsense"]');
}
