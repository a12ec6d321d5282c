// The conformance interface served by the npm package, over WebSocket and HTTP batch on one port, every path.
//
//     node conformance_server.mjs [PORT]          prints "listening PORT"; 0 or nothing means any port
//
// A rejection that nobody handles is reported on stderr; the server goes on.

import http from "node:http";
import { WebSocketServer } from "ws";
import { newWebSocketRpcSession, nodeHttpBatchRpcResponse } from "capnweb";
import "./accounts.mjs";                       // gives Node a global WebSocket
import { TestTarget } from "./conformance_target.mjs";

process.on("unhandledRejection", reason => console.error("unhandled rejection:", reason));

const server = http.createServer((request, response) => {
  nodeHttpBatchRpcResponse(request, response, TestTarget.over(() => undefined)).catch(error => {
    response.writeHead(500, { "content-type": "text/plain; charset=utf-8" }).end(`${error?.name}: ${error?.message}`);
  });
});

new WebSocketServer({ server, perMessageDeflate: false }).on("connection", socket => {
  TestTarget.over(target => newWebSocketRpcSession(socket, target));
});

server.listen(+(process.argv[2] ?? 0), "127.0.0.1", () => console.log(`listening ${server.address().port}`));
