// The npm package as a client of tests/gen/golden/cancellable: asks for results, and disposes their promises.
//
//     node calls.mjs URL      asks for find("x"); says "asked"; on the next line of its input, disposes that; at the
//                             end of its input, ends

import { createInterface } from "node:readline";
import { WebSocket } from "ws";
import { newWebSocketRpcSession } from "capnweb";

globalThis.WebSocket ??= WebSocket; // which Node 20 does not have

const search = newWebSocketRpcSession(process.argv[2]);
const found = search.find("x");
found.then(() => console.log("found"), error => console.log(error.message));
console.log("asked");
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
await lines.next();
found[Symbol.dispose]();
await lines.next();
process.exit(0);
