// A client of a server in Python: `node client.js URL` runs all checks, each in a session of its own, and prints the name
// of each that holds. Over HTTP, where a session is one request, those are left out that the server has to call back in.
import assert from "node:assert/strict";

import { RpcTarget, type RpcStub } from "capnweb";

import { connect, isFull, isNotFound, type Counter, type Everything } from "../generated/everything.js";
import { ADA, BOB, COMPOUNDS, SCALARS } from "./values.js";

type Check = (api: RpcStub<Everything>) => Promise<void>;

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

/** What a call fails with. */
async function failure(call: PromiseLike<unknown>): Promise<unknown> {
  try {
    await call;
  } catch (error) {
    return error;
  }
  return assert.fail("the call did not fail");
}

/** Plain values, without what disposes of a result. */
function plain(value: unknown): unknown {
  return structuredClone({ ...(value as object) });
}

const ONE_REQUEST: Record<string, Check> = {
  async scalars(api) {
    assert.deepEqual(plain(await api.scalars(SCALARS)), SCALARS);
  },
  async compounds(api) {
    assert.deepEqual(plain(await api.compounds(COMPOUNDS)), COMPOUNDS);
  },
  async property(api) {
    const title: string = await api.title;
    assert.equal(title, "everything");
  },
  async nothing(api) {
    assert.equal(await api.nothing(), null);
  },
  async large(api) {
    assert.deepEqual(await Promise.all([api.large(2n ** 60n), api.large(7)]), [2n ** 60n + 1n, 8]);
  },
  async sturdyRefs(api) {
    assert.equal(await api.saved("token"), "token");
  },
  async buffer(api) {
    const back = await api.buffer(new Uint8Array([1, 2]).buffer);
    assert.deepEqual(new Uint8Array(back), new Uint8Array([1, 2]));
  },
  async parameters(api) {
    const answers = await Promise.all([
      api.find("a"),
      api.find("a", 3),
      api.find("a", undefined, { exact: true }),
      api.find("a", 4, { spokenIn: "de" }),
    ]);
    assert.deepEqual(answers, [
      ["a", "50", "False", "None"],
      ["a", "3", "False", "None"],
      ["a", "50", "True", "None"],
      ["a", "4", "False", "de"],
    ]);
  },
  async variadic(api) {
    const variadic = await Promise.all([
      api.total(1),
      api.total(1, 2, 3),
      api.joined(),
      api.joined(["a", "b"]),
      api.joined(["a", "b"], { separator: "-" }),
    ]);
    assert.deepEqual(variadic, [1, 6, "", "a, b", "a-b"]);
  },
  async pipelining(api) {
    const counter = api.counter(5);
    const [six, nobody, items] = await Promise.all([
      counter.increment(),
      api.signIn("wrong"),
      api.people().items,
    ]);
    assert.deepEqual([six, nobody, items], [6, null, [ADA]]);
  },
  async map(api) {
    const names = await api.ids().map((id) => api.person(id).name);
    assert.deepEqual(names, [ADA.name, BOB.name]);
  },
  async errors(api) {
    const [missing, full, wrong] = await Promise.all([
      failure(api.person(9)),
      failure(api.person(3)),
      failure(api.total("one" as unknown as number)),
    ]);
    assert.ok(isNotFound(missing) && !isFull(missing) && !isNotFound(wrong) && isFull(full));
    const id: number = missing.id;
    assert.deepEqual([id, missing.message], [9, "9"]);
    assert.ok(wrong instanceof TypeError);
    assert.match(wrong.message, /expected int, got str/);
  },
  async web(api) {
    const url = new URL("https://example.com/a?b=c");
    const [link, headers] = await Promise.all([api.link(url), api.headers(new Headers({ "x-one": "1" }))]);
    assert.equal(link.href, url.href);
    assert.deepEqual([...headers], [["x-one", "1"]]);
  },
};

const SESSION: Record<string, Check> = {
  async capabilities(api) {
    using counter = await api.counter(5);
    assert.equal(await counter.value, 5);
    assert.deepEqual(await Promise.all([api.twice(counter), api.twice(new Tally(1)), api.twice(api.counter(2))]), [13, 5, 7]);
    using page = await api.people();
    using next = await page.next();
    assert.deepEqual([await page.items, await next?.items, await next?.next()], [[ADA], [BOB], null]);
    const anything = await api.anyOf(api.counter(3));
    assert.equal(await (anything as unknown as RpcStub<Counter>).increment(), 4);
  },
  async capabilitiesInModels(api) {
    using room = await api.room();
    assert.equal(await room.owner.increment(2), 3);
    assert.equal(await api.visit({ name: "mine", owner: new Tally(1), guests: [new Tally(2), room.owner] }), 6);
    assert.equal(await api.visit({ name: "theirs", owner: api.counter(40) }), 40);
  },
  async callbacks(api) {
    assert.equal(await api.apply((value) => value * 2, 21), 42);
    using add = await api.adder(3);
    assert.equal(await add(4), 7);
    const told = await api.tell((item, count = 1, options) => `${item.name} ${count} ${options?.urgent}`);
    assert.equal(told, "Ada 1 undefined;Ada 2 true");
  },
  async streams(api) {
    const numbers: number[] = [];
    for await (const number of await api.countTo(3)) numbers.push(number);
    assert.deepEqual(numbers, [1, 2, 3]);
    const items = new ReadableStream<number>({
      start(controller) {
        [1, 2, 3].forEach((number) => controller.enqueue(number));
        controller.close();
      },
    });
    assert.equal(await api.sumOf(items), 6);
    const letters: string[] = [];
    const into = new WritableStream<string>({ write: (letter) => void letters.push(letter) });
    assert.equal(await api.spell("abc", into), 3);
    assert.deepEqual(letters, ["a", "b", "c"]);
  },
  async requests(api) {
    const request = new Request("https://example.com/", { method: "PUT", headers: { "x-one": "1" } });
    const response = await api.fetch(request);
    assert.deepEqual([response.status, response.headers.get("x-one")], [201, "1"]);
    assert.equal(await response.text(), "PUT https://example.com/");
  },
  async blob(api) {
    const blob = await api.blob(new Blob(["abc"], { type: "text/plain" }));
    assert.deepEqual([await blob.text(), blob.type], ["abc", "text/plain"]);
  },
};

const url = process.argv[2] ?? "";
const checks = url.startsWith("ws") ? { ...ONE_REQUEST, ...SESSION } : ONE_REQUEST;
for (const [name, check] of Object.entries(checks)) {
  using api = connect<Everything>(url);
  await check(api);
  console.log(name);
}
