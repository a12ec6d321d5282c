// What the programs of this folder share: the npm package ready for Node, and the data of schemas/accounts.py as both servers hold it.

import { WebSocket } from "ws";

// Node 20 has no global WebSocket, and the package reads WebSocket.CONNECTING when it is given a socket.
globalThis.WebSocket ??= WebSocket;

export { WebSocket };

export const TOKEN = "secret";

export const profiles = () => new Map([
  [1, { id: 1, name: "Ada", tags: ["analyst", "poet"] }],
  [2, { id: 2, name: "Grace", tags: ["compilers"] }],
  [3, { id: 3, name: "Barbara", tags: [] }],
]);
