// Drives a server of schemas/accounts.py with the npm package; the server holds the data of accounts.mjs.
//
//     node accounts_client.mjs ws://127.0.0.1:PORT/rpc          a session, all checks
//     node accounts_client.mjs http://127.0.0.1:PORT/rpc        HTTP batch, each check in a batch of its own
//     ... --validating                                          also: the server refuses what the interface does not say
//
// Prints `ok NAME` or `not ok NAME: WHY` for each check, then one line of JSON: {"passed": n, "failed": n}.

import assert from "node:assert/strict";
import { newHttpBatchRpcSession, newWebSocketRpcSession } from "capnweb";
import { TOKEN, WebSocket, profiles } from "./accounts.mjs";

const url = process.argv[2];
const users = profiles();        // as they are before anyone is renamed
const batch = url.startsWith("http");
const strict = process.argv.includes("--validating");

let session;
function connect() {
  if (batch) return newHttpBatchRpcSession(url);
  return session ??= newWebSocketRpcSession(new WebSocket(url, { perMessageDeflate: false }));
}

// A promise that is settled from outside: what a callback has been told.
function heard() {
  const events = [], waiting = [];
  return {
    tell(event) { events.push(event); waiting.shift()?.(); },
    async next() { while (!events.length) await new Promise(resolve => waiting.push(resolve)); return events.shift(); },
    get count() { return events.length; },
  };
}

const both = {
  async "log in and read a property"(api) {
    assert.equal(await api.authenticate(TOKEN).user_name, "Ada");
  },
  async "pass a promise as an argument"(api) {
    const authed = api.authenticate(TOKEN);
    assert.deepEqual(await authed.get_profile(authed.me()), users.get(1));
  },
  async "read an attribute of a promised model"(api) {
    const authed = api.authenticate(TOKEN);
    assert.equal(await authed.get_profile(2).name, "Grace");
  },
  async "map over a promised list"(api) {
    const authed = api.authenticate(TOKEN);
    assert.deepEqual(await authed.friends().map(id => authed.get_profile(id)), [users.get(2), users.get(3)]);
  },
  async "map to attributes"(api) {
    const authed = api.authenticate(TOKEN);
    assert.deepEqual(await authed.friends().map(id => authed.get_profile(id).name), ["Grace", "Barbara"]);
  },
  async "be told of a wrong token"(api) {
    await assert.rejects(async () => await api.authenticate("guess"), error => error instanceof Error && error.message === "invalid token");
  },
  async "have the failure of a promise fail what was pipelined on it"(api) {
    await assert.rejects(async () => await api.authenticate("guess").get_profile(1).name, { message: "invalid token" });
  },
};

// What a server has to refuse that accepts only what the interface says.
const validating = {
  async "be refused an argument of the wrong type"(api) {
    await assert.rejects(async () => await api.authenticate(TOKEN).get_profile("one"), error => error instanceof TypeError && /user_id/.test(error.message));
  },
  async "be refused a missing argument"(api) {
    await assert.rejects(async () => await api.authenticate(TOKEN).get_profile(), TypeError);
  },
  async "be refused too many arguments"(api) {
    await assert.rejects(async () => await api.authenticate(TOKEN).get_profile(1, 2), TypeError);
  },
  async "be refused a method that the interface does not have"(api) {
    await assert.rejects(async () => await api.authenticate(TOKEN).delete_everything(), { name: "TypeError", message: "'delete_everything' is not a function of AuthedApi." });
  },
  async "see nothing of the server's language"(api) {
    const authed = api.authenticate(TOKEN);
    const names = ["__class__", "__dict__", "__init__", "_abc_impl", "mro", "dispose"];
    const seen = await Promise.all([...names.map(name => authed[name]), authed.get_profile.__globals__]);
    assert.deepEqual(seen, seen.map(() => undefined));
  },
};

const overWebSocket = {
  async "hold a capability and use it later"(api) {
    const authed = await api.authenticate(TOKEN);
    assert.equal(await authed.me(), 1);
    assert.deepEqual(await authed.friends(), [2, 3]);
    authed[Symbol.dispose]();
    await assert.rejects(async () => await authed.me(), /disposed/);
  },
  async "be called back by the server, until the subscription is cancelled"(api) {
    const changes = heard();
    const subscription = await api.authenticate(TOKEN).watch(profile => changes.tell(profile));
    console.log("watching");                                   // whoever reads this renames user 2
    assert.equal((await changes.next()).name, "Amazing Grace");
    await subscription.cancel();
    subscription[Symbol.dispose]();
  },
  async "have an error in a callback arrive at the server"(api) {
    const called = heard();
    const subscription = await api.authenticate(TOKEN).watch(() => { called.tell(true); throw new TypeError("not now"); });
    console.log("watching");
    await called.next();
    await subscription.cancel();
  },
  async "keep many calls in flight, each with its own answer"(api) {
    const authed = await api.authenticate(TOKEN);
    const ids = Array.from({ length: 200 }, (_, i) => i % 3 + 1);
    const got = await Promise.all(ids.map(id => authed.get_profile(id)));
    assert.deepEqual(got.map(profile => profile.id), ids);
    authed[Symbol.dispose]();
  },
  async "dispose a promise before it resolves"(api) {
    const authed = api.authenticate(TOKEN);
    authed[Symbol.dispose]();
    await assert.rejects(async () => await authed.me());
    assert.equal(await api.authenticate(TOKEN).me(), 1);
  },
};

const inOneBatch = {
  async "do everything in one batch"(api) {
    const authed = api.authenticate(TOKEN);
    const [name, profile, friends] = await Promise.all([
      authed.user_name, authed.get_profile(authed.me()), authed.friends().map(id => authed.get_profile(id).name),
    ]);
    assert.equal(name, "Ada");
    assert.deepEqual(profile, users.get(1));
    assert.deepEqual(friends, ["Grace", "Barbara"]);
  },
  async "have good answers beside a failed one"(api) {
    const authed = api.authenticate(TOKEN);
    const results = await Promise.allSettled([authed.get_profile(99), authed.me()]);
    assert.deepEqual(results.map(result => result.status), ["rejected", "fulfilled"]);
  },
};

let passed = 0, failed = 0;
for (const [name, check] of Object.entries({ ...both, ...(strict && validating), ...(batch ? inOneBatch : overWebSocket) })) {
  try {
    await check(connect());
    passed++;
    console.log(`ok ${name}`);
  } catch (error) {
    failed++;
    console.log(`not ok ${name}: ${String(error?.stack ?? error).split("\n").slice(0, 12).join(" | ")}`);
  }
}
console.log(JSON.stringify({ passed, failed }));
process.exit(failed ? 1 : 0);
