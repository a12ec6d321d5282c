// A program that makes one call with the npm package and ends: node cold.mjs PORT.
import { createRequire } from "node:module";

const require = createRequire(new URL("../interop/", import.meta.url));
globalThis.WebSocket ??= require("ws").WebSocket; // Node 20 has none
const { newWebSocketRpcSession } = require("capnweb");

const socket = new WebSocket(`ws://127.0.0.1:${process.argv[2]}/rpc`);
const api = newWebSocketRpcSession(socket);
console.log(await api.add(1, 2));
api[Symbol.dispose]();
