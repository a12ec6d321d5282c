// Two versions of one interface at both ends of a session of the npm package, which checks nothing: what happens between
// them. Reads exchange.mjs in each folder given, and prints an object with the outcomes by folder.

import { MessageChannel } from "node:worker_threads";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";
import { newMessagePortRpcSession, RpcTarget } from "capnweb";

async function outcome(Server, client) {
  const { port1, port2 } = new MessageChannel();
  const served = newMessagePortRpcSession(port1, new Server());
  const api = newMessagePortRpcSession(port2);
  try {
    return `works: ${JSON.stringify(await client(api))}`;
  } catch (error) {
    return `fails: ${error.name}: ${error.message}`;
  } finally {
    api[Symbol.dispose]();
    served[Symbol.dispose]();
    port1.close();
    port2.close();
  }
}

const outcomes = {};
for (const folder of process.argv.slice(2)) {
  const versions = (await import(pathToFileURL(`${folder}/exchange.mjs`).href)).default(RpcTarget);
  outcomes[basename(folder)] = {
    "old client, old server": await outcome(versions.Old, versions.oldClient),
    "new client, new server": await outcome(versions.New, versions.newClient),
    "old client, new server": await outcome(versions.New, versions.oldClient),
    "new client, old server": await outcome(versions.Old, versions.newClient),
  };
}
console.log(JSON.stringify(outcomes));
