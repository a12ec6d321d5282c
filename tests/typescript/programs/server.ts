// A server for a client in Python: `node server.js` prints `listening PORT` and serves WebSocket and HTTP on it until it
// is told to stop. What it is sent has to be what values.ts says.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { newWebSocketRpcSession, nodeHttpBatchRpcResponse, RpcStub, RpcTarget } from "capnweb";
import { WebSocketServer } from "ws";

import {
  newFull,
  newNotFound,
  type Compounds,
  type Counter,
  type Everything,
  type OnItem,
  type RoomCounter,
  type Scalars,
} from "../generated/everything.js";
import type { PagePerson, Person } from "../generated/people.js";
import { ADA, BOB, COMPOUNDS, SCALARS } from "./values.js";

class Tally extends RpcTarget implements Counter {
  #value: number;

  constructor(value: number) {
    super();
    this.#value = value;
  }

  get value() {
    return this.#value;
  }

  async increment(by = 1) {
    this.#value += by;
    return this.#value;
  }
}

class People extends RpcTarget implements PagePerson {
  readonly #people: Person[];

  constructor(people: Person[]) {
    super();
    this.#people = people;
  }

  get items() {
    return this.#people.slice(0, 1);
  }

  async next() {
    return this.#people.length > 1 ? new People(this.#people.slice(1)) : null;
  }
}

// Bytes arrive as a Buffer in Node, of which structuredClone makes the Uint8Array that it is.
class Main extends RpcTarget implements Everything {
  get title() {
    return "everything";
  }

  async scalars(values: Scalars) {
    assert.deepEqual(structuredClone(values), SCALARS);
    return SCALARS;
  }

  async compounds(values: Compounds) {
    assert.deepEqual(structuredClone(values), COMPOUNDS);
    return COMPOUNDS;
  }

  async nothing() {}

  async large(number: number | bigint) {
    return BigInt(number) + 1n;
  }

  async find(word: string, limit = 50, options: { exact?: boolean; spokenIn?: string | null } = {}) {
    return [word, String(limit), String(options.exact ?? false), String(options.spokenIn ?? null)];
  }

  async total(first: number, ...numbers: number[]) {
    return numbers.reduce((sum, number) => sum + number, first);
  }

  async joined(words: string[] = [], options: { separator?: string } = {}) {
    return words.join(options.separator ?? ", ");
  }

  async signIn(token: string) {
    return token === "right" ? new Tally(1) : null;
  }

  async ids() {
    return [1, 2];
  }

  async person(id: number) {
    if (id === 1) return ADA;
    if (id === 2) return BOB;
    throw id === 3 ? newFull("no room") : newNotFound(`no ${id}`, { id });
  }

  async people() {
    return new People([ADA, BOB]);
  }

  async counter(start: number) {
    return new Tally(start);
  }

  async twice(counter: RpcStub<Counter>) {
    return (await counter.increment()) + (await counter.increment());
  }

  async room() {
    return { name: "ours", owner: new RpcStub<Counter>(new Tally(1)), guests: [] };
  }

  async visit(room: RoomCounter) {
    const values = await Promise.all([room.owner, ...(room.guests ?? [])].map((counter) => counter.value));
    return values.reduce((sum, value) => sum + value, 0);
  }

  async anyOf(stub: Parameters<Everything["anyOf"]>[0]) {
    return stub.dup();
  }

  async apply(call: RpcStub<(value: number) => number | Promise<number>>, to: number) {
    return await call(to);
  }

  async adder(by: number) {
    return (value: number) => value + by;
  }

  async tell(onItem: RpcStub<OnItem>) {
    return `${await onItem(ADA)};${await onItem(ADA, 2, { urgent: true })}`;
  }

  async countTo(number: number) {
    let next = 1;
    return new ReadableStream<number>({
      pull(controller) {
        if (next > number) controller.close();
        else controller.enqueue(next++);
      },
    });
  }

  async sumOf(numbers: ReadableStream<number>) {
    let sum = 0;
    for await (const number of numbers) sum += number;
    return sum;
  }

  async spell(word: string, into: WritableStream<string>) {
    const writer = into.getWriter();
    for (const letter of word) await writer.write(letter);
    await writer.close();
    return word.length;
  }

  async saved(ref: string) {
    return ref;
  }

  async fetch(request: Request) {
    return new Response(`${request.method} ${request.url}`, { status: 201, headers: request.headers });
  }

  async buffer(buffer: ArrayBuffer) {
    return buffer;
  }

  async link(url: URL) {
    return url;
  }

  async headers(headers: Headers) {
    return headers;
  }

  async blob(blob: Blob) {
    return blob;
  }
}

const http = createServer((request, response) => void nodeHttpBatchRpcResponse(request, response, new Main()));
new WebSocketServer({ server: http }).on("connection", (socket) => {
  newWebSocketRpcSession(socket as unknown as WebSocket, new Main());
});
http.listen(0, "127.0.0.1", () => console.log(`listening ${(http.address() as AddressInfo).port}`));
