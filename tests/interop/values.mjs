// Values of the common libraries as a peer in TypeScript has them, at both ends of the interfaces of
// tests/gen/golden/value_types, dictionary_keys and moments, whose methods have names of their own.
//
//     node values.mjs serve         serves all three as one over WebSocket; prints "listening PORT"
//     node values.mjs call URL      calls ours, each in a session of its own; prints what came, one JSON text a line

import { WebSocket, WebSocketServer } from "ws";
import { RpcTarget, newWebSocketRpcSession } from "capnweb";

globalThis.WebSocket ??= WebSocket; // which Node 20 does not have

const INHERITED = [...Object.getOwnPropertyNames(Object.prototype), "toJSON"];

class Values extends RpcTarget {
  // value_types
  get database() { return "postgres://u:p@h1,h2/db"; }
  save(site) { return { ...site, home: site.home + "?seen", settings: { was: site.settings, type: typeof site.hosts[0] } }; }
  interfaces(of) { return [of === "::1" ? "192.0.2.1/24" : "wrong"]; }
  paths(below) { return { here: below + "/a" }; }
  pay(by) { return by.kind === "card" ? { kind: "cash" } : by; }
  kind(kind) { return kind === "card" ? "CASH" : kind; } // which _missing_ knows
  put(value) { return [value, JSON.parse(JSON.stringify(value))]; }
  // dictionary_keys
  users(ages) { return Object.fromEntries(Object.entries(ages).map(([id, age]) => [id, { name: `${id} ${age}` }])); }
  numbers(names) { return Object.fromEntries(Object.entries(names).map(([number, name]) => [number, { name }])); }
  days(first) { return Object.fromEntries(Object.entries(first).map(([day, number]) => [number, day])); }
  // moments
  add(event) {
    const dates = [event.at, event.announced, event.rounded].every(one => one instanceof Date);
    const texts = [event.wall_clock, event.born, event.measured].every(one => typeof one === "string");
    if (!dates || !texts) throw new TypeError(JSON.stringify(event));
    return event;
  }
  local(at) { return at.replace("2024", "2025"); }
  log(at) { return new Date(at); }
  // any
  sent() { return Object.defineProperties({ kept: 1 }, Object.fromEntries(INHERITED.map(name => [name, own]))); }
}

const own = { value: 1, enumerable: true };

function serve() {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  server.on("connection", socket => newWebSocketRpcSession(socket, new Values()));
  server.on("listening", () => console.log(`listening ${server.address().port}`));
}

const SITE = { home: "https://example.org/a", hosts: ["192.0.2.1"], root: "/srv", settings: [1, { a: null }] };

async function call(url) {
  const peer = newWebSocketRpcSession(url);
  const calls = [
    () => peer.database,
    () => peer.save(SITE),
    () => peer.save({ ...SITE, home: "gopher://x" }),
    () => peer.save({ ...SITE, settings: { at: new Date(0) } }),
    () => peer.interfaces("::1"),
    () => peer.pay({ kind: "card", number: "4012" }),
    () => peer.kind("CARD"),
    () => peer.only("cash"),
  ];
  for (const one of calls) {
    try {
      console.log(JSON.stringify(await one()));
    } catch (error) {
      console.log(JSON.stringify(`${error.name}: ${error.message}`));
    }
  }
  peer[Symbol.dispose]();
}

const [mode, url] = process.argv.slice(2);
await (mode === "serve" ? serve() : call(url));
