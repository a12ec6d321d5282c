// Functions that are called with defaults and keywords, at both ends of the interface of
// tests/gen/golden/callback_protocols.
//
//     node callbacks.mjs serve         serves it over WebSocket; prints "listening PORT"
//     node callbacks.mjs call URL      passes functions to each method; prints what they were called with, one JSON
//                                      array a line, and then what the functions of the server gave

import { WebSocket, WebSocketServer } from "ws";
import { RpcTarget, newWebSocketRpcSession } from "capnweb";

globalThis.WebSocket ??= WebSocket; // which Node 20 does not have

const say = (...values) => console.log(JSON.stringify(values));
const saw = { name: "saw" };

class Queue extends RpcTarget {
  get onItem() {
    return (item, count = 1, { urgent = false, sentBy = null } = {}) => item.name === "saw" && count === 2 && urgent;
  }

  async watch(onItem, others, fallback) {
    const answers = [
      await onItem(saw),
      await onItem(saw, 2),
      await onItem(saw, undefined, { urgent: true }),
      await onItem(saw, { sentBy: "Ada" }),
    ];
    for (const other of others) answers.push(await other(saw, 3, { urgent: true, sentBy: null }));
    if (!answers.every(answer => answer === true)) throw new Error(`answers: ${answers}`);
    return fallback?.dup() ?? null;
  }

  async judge(judge, total, onBatch) {
    const weights = [await judge(saw, undefined, 2.5), await judge(saw, saw)];
    const sums = [await total(1), await total(1, 2, 3)];
    await onBatch([saw, saw], { isLast: false });
    await onBatch([], { isLast: true });
    if (`${weights} ${sums}` !== "2.5,3 1,6") throw new Error(`${weights} ${sums}`);
    return (start, ...numbers) => start * 10 + numbers.length;
  }

  async job({ onItem, others }) {
    await onItem(saw, { urgent: true });
    for (const other of others) await other(saw, 7);
    return { onItem: () => true, others: [] };
  }

  async reply(number) {
    await number("four"); // is of another type, and never reaches the function
  }

  async visit(visit) {
    await visit(1, null, "more");
  }
}

function serve() {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  server.on("connection", socket => newWebSocketRpcSession(socket, new Queue()));
  server.on("listening", () => console.log(`listening ${server.address().port}`));
}

async function call(url) {
  const queue = newWebSocketRpcSession(url);
  const onItem = (...received) => (say("onItem", ...received), true);
  await queue.watch(onItem, [onItem]);
  const sum = await queue.judge(
    (first, second, weight = 3) => (say("judge", first, second ?? null, weight), weight),
    (start, ...numbers) => (say("total", start, ...numbers), numbers.reduce((a, b) => a + b, start)),
    (...received) => say("onBatch", ...received),
  );
  say("sum", await sum(4, 1, 1));
  const given = await queue.onItem;
  say("given", await given(saw), await given(saw, 2, { urgent: true, sentBy: "Ada" }));
  for (const wrong of [() => given(), () => given(saw, "2"), () => given(saw, 2, { speed: 1 }), () => given(saw, 2, 3)]) {
    try {
      await wrong();
    } catch (error) {
      say(error.name, error.message);
    }
  }
  queue[Symbol.dispose]();
}

const [mode, url] = process.argv.slice(2);
await (mode === "serve" ? serve() : call(url));
