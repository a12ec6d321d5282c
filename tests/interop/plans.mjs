// A counter, served by the npm package over WebSocket and HTTP batch on one port.
//
//     node plans.mjs                           prints "listening PORT", and "incremented N" for each call

import http from "node:http";
import { WebSocket, WebSocketServer } from "ws";
import { RpcTarget, newWebSocketRpcSession, nodeHttpBatchRpcResponse } from "capnweb";

globalThis.WebSocket ??= WebSocket; // which Node 20 has not

class Counter extends RpcTarget {
  #count = 0;
  increment(n = 1) {
    this.#count += n;
    console.log(`incremented ${n}`);
    return this.#count;
  }
  itself() { return this; }
  get value() { return this.#count; }
}

const server = http.createServer((request, response) => {
  nodeHttpBatchRpcResponse(request, response, new Counter()).catch(error => {
    response.writeHead(500, { "content-type": "text/plain" }).end(`${error.name}: ${error.message}`);
  });
});
new WebSocketServer({ server, perMessageDeflate: false }).on("connection", socket => {
  newWebSocketRpcSession(socket, new Counter());
});
server.listen(0, "127.0.0.1", () => console.log(`listening ${server.address().port}`));
