// A client that follows a topic: with a function, with a cursor, and as a stream.
import type { RpcStub } from "capnweb";
import { connect, type EventsSaid, type Room, type TopicBatchSaid } from "../generated/topics.js";

const [url = ""] = process.argv.slice(2);
const room = connect<Room>(url);

/** What was said, and why something may be missing. */
function told(batch: TopicBatchSaid): string[] {
  return batch.items.map((item) => (item.kind === "event" ? item.data.text : `gap: ${item.reason}`));
}

/** Subscribes behind a cursor, and returns what it is told: until there are so many items. */
async function hear(events: RpcStub<EventsSaid>, after: string | null, items: number) {
  const heard: string[] = [];
  let first: string | undefined;
  let last = "";
  let enough: () => void = () => undefined;
  const complete = new Promise<void>((resolve) => {
    enough = resolve;
  });
  const subscription = await events.subscribe((batch: TopicBatchSaid) => {
    first ??= batch.cursor;
    last = batch.cursor;
    heard.push(...told(batch));
    if (heard.length >= items) enough();
  }, after);
  return { heard, complete, subscription, first: () => first ?? "", last: () => last };
}

const events = await room.events();
const live = await hear(events, null, 2);
await room.say("one");
const cursor = await room.say("two");
await live.complete;
console.log("live:", live.heard.join(", "), live.last() === cursor);
live.subscription[Symbol.dispose]();
await room.say("three");

const behind = await hear(events, cursor, 1);
await behind.complete;
console.log("behind a cursor:", behind.heard.join(", "), behind.first() === cursor);
behind.subscription[Symbol.dispose]();

const nothing = await hear(events, live.first(), 3);
await nothing.complete;
console.log("from the beginning:", nothing.heard.join(", "));
nothing.subscription[Symbol.dispose]();

const forged = await hear(events, "another-life:7", 1);
await forged.complete;
console.log("of another life:", forged.heard.join(", "));
forged.subscription[Symbol.dispose]();

await hear(events, "yesterday", 1).catch((error: Error) => console.log("no cursor:", error.name));

const stream = await events.stream(live.first());
const reader = stream.getReader();
const streamed: string[] = [];
while (streamed.length < 3) {
  const { value } = await reader.read();
  streamed.push(...(value ? told(value) : ["the end"]));
}
console.log("a stream:", streamed.join(", "));
await reader.cancel();
await room.say("to whoever has stopped reading");
events[Symbol.dispose]();
room[Symbol.dispose]();
