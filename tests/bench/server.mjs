// The measured interface on the npm package: node --expose-gc server.mjs PORT prints READY once it accepts connections.
import http from "node:http";
import { createRequire } from "node:module";

const require = createRequire(new URL("../interop/", import.meta.url));
const { WebSocketServer, WebSocket } = require("ws");
globalThis.WebSocket ??= WebSocket; // Node 20 has none, and the package reads its constants
const { RpcTarget, newWebSocketRpcSession, nodeHttpBatchRpcResponse } = require("capnweb");

class Account extends RpcTarget {
  get_profile(id) { return { id, name: "Ada", email: "ada@example.com" }; }
}

class Capability extends RpcTarget {
  ping() { return 1; }
}

class Step extends RpcTarget {
  #number;
  constructor(number) { super(); this.#number = number; }
  next() { return new Step(this.#number + 1); }
  depth() { return this.#number; }
}

class Api extends RpcTarget {
  add(a, b) { return a + b; }
  authenticate(token) { return new Account(); }
  echo(items) { return items; }
  make() { return new Capability(); }
  async sink(stream) {
    let total = 0;
    for await (const chunk of stream) total += chunk.length;
    return total;
  }
  make_many(count) { return Array.from({ length: count }, () => new Capability()); }
  echo_bytes(data) { return data; }
  echo_text(data) { return data; }
  start() { return new Step(1); }
  usage() {
    globalThis.gc?.();
    const { rss, heapUsed, external } = process.memoryUsage();
    return { rss: rss / 1e6, heap: (heapUsed + external) / 1e6 };
  }
}

const server = http.createServer((request, response) => nodeHttpBatchRpcResponse(request, response, new Api()));
new WebSocketServer({ server }).on("connection", socket => { newWebSocketRpcSession(socket, new Api()); });
server.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 2000 }, () => console.log("READY"));
