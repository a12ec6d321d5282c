// The interface of schemas/accounts.py, served by the npm package over WebSocket and HTTP batch on one port.
//
//     node accounts_server.mjs [PORT]          prints "listening PORT"
//
// Standard input takes one command a line: `rename ID NAME` changes a profile, and every watcher hears of it.
// Standard output says, one a line, when a subscription is `cancelled` or `disposed`, when a `watcher failed: WHY`, and when
// everyone has been told (`renamed`).

import http from "node:http";
import readline from "node:readline";
import { WebSocketServer } from "ws";
import { RpcTarget, newWebSocketRpcSession, nodeHttpBatchRpcResponse } from "capnweb";
import { TOKEN, profiles } from "./accounts.mjs";

const users = profiles();
const watchers = new Set();

class Subscription extends RpcTarget {
  #onChange;
  constructor(onChange) {
    super();
    this.#onChange = onChange;
    watchers.add(onChange);
  }
  #end() {
    if (watchers.delete(this.#onChange)) this.#onChange[Symbol.dispose]();
  }
  cancel() {
    this.#end();
    console.log("cancelled");
  }
  [Symbol.dispose]() {
    this.#end();
    console.log("disposed");
  }
}

class AuthedApi extends RpcTarget {
  #id;
  constructor(id) {
    super();
    this.#id = id;
  }
  get user_name() { return "Ada"; }
  me() { return this.#id; }
  get_profile(userId) {
    const profile = users.get(userId);
    if (!profile) throw new RangeError(`no user ${userId}`);
    return profile;
  }
  friends() { return [...users.keys()].filter(id => id !== this.#id); }
  watch(onChange) { return new Subscription(onChange.dup()); }
}

class PublicApi extends RpcTarget {
  authenticate(token) {
    if (token !== TOKEN) throw new Error("invalid token");
    return new AuthedApi(1);
  }
}

readline.createInterface({ input: process.stdin }).on("line", async line => {
  const [, id, name] = line.match(/^rename (\d+) (.+)$/) ?? [];
  const changed = { ...users.get(+id), name };
  users.set(+id, changed);
  const told = await Promise.allSettled([...watchers].map(watcher => watcher(changed)));
  for (const { reason } of told) if (reason) console.log(`watcher failed: ${reason.name}: ${reason.message}`);
  console.log("renamed");
});

process.on("unhandledRejection", reason => console.error("unhandled rejection:", reason));

const server = http.createServer((request, response) => {
  nodeHttpBatchRpcResponse(request, response, new PublicApi()).catch(error => {
    response.writeHead(500, { "content-type": "text/plain" }).end(`${error.name}: ${error.message}`);
  });
});
new WebSocketServer({ server, perMessageDeflate: false }).on("connection", socket => {
  newWebSocketRpcSession(socket, new PublicApi());
});
server.listen(+(process.argv[2] ?? 0), "127.0.0.1", () => console.log(`listening ${server.address().port}`));
