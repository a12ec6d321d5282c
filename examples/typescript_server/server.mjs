// Serves api.ts with the npm package over WebSocket and HTTP: `node server.mjs` prints `serving URL`.
// It is JavaScript, so that Node runs it as it is; a TypeScript server would say `implements Station`.

import http from "node:http";
import { RpcTarget, newWebSocketRpcSession, nodeHttpBatchRpcResponse } from "capnweb";
import { WebSocket, WebSocketServer } from "ws";

globalThis.WebSocket ??= WebSocket; // Node 20 has none of its own

const START = Date.UTC(2030, 0, 1, 12);
const sensors = new Map([
  ["attic", { low: -10, high: 30, readings: [{ sensor: "attic", at: new Date(START), value: 21.5 }] }],
  ["cellar", { low: 0, high: 15, readings: [] }],
]);

function sensor(name) {
  const found = sensors.get(name);
  if (found === undefined) throw new RangeError(`there is no sensor called ${name}`);
  return found;
}

class Watching extends RpcTarget {
  #end;
  constructor(end) {
    super();
    this.#end = end;
  }
  [Symbol.dispose]() {
    this.#end();
  }
}

class Keeper extends RpcTarget {
  #watchers = new Set();

  get stationName() {
    return "the old mill";
  }
  sensors() {
    return [...sensors.keys()];
  }
  setLimits(name, limits) {
    const { low, high } = Object.assign(sensor(name), limits);
    return { low, high };
  }
  watch(onAlarm) {
    const kept = onAlarm.dup();
    this.#watchers.add(kept);
    return new Watching(() => {
      this.#watchers.delete(kept);
      kept[Symbol.dispose]();
    });
  }
  async report(name, value, options = {}) {
    const { high, readings } = sensor(name);
    const reading = { sensor: name, at: options.at ?? new Date(START + 60_000 * readings.length), value };
    readings.push(reading);
    if (value <= high) return { number: readings.length, alarms: 0 };
    await Promise.all([...this.#watchers].map((onAlarm) => onAlarm({ kind: "high", reading, limit: high })));
    return { number: readings.length, alarms: this.#watchers.size };
  }
  history(name) {
    const { readings } = sensor(name);
    return new ReadableStream({
      start(stream) {
        for (const reading of readings) stream.enqueue(reading);
        stream.close();
      },
    });
  }
}

class Station extends RpcTarget {
  signIn(key) {
    if (key !== "brass") throw new TypeError("this key opens nothing");
    return new Keeper();
  }
  lastReading(name) {
    return sensor(name).readings.at(-1) ?? null;
  }
}

const server = http.createServer((request, response) => nodeHttpBatchRpcResponse(request, response, new Station()));
new WebSocketServer({ server }).on("connection", (socket) => newWebSocketRpcSession(socket, new Station()));
server.listen(0, "127.0.0.1", () => console.log(`serving ws://127.0.0.1:${server.address().port}/`));
