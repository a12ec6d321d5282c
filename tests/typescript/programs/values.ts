// The values that are sent, one of each kind; tests/typescript/values.py has the same.
import type { Compounds, Scalars } from "../generated/everything.js";
import { Colour, Level, type Person } from "../generated/people.js";

export const ADA: Person = { id: 1, name: "Ada", born: "1815-12-10", likes: Colour.RED };
export const BOB: Person = { id: 2, name: "Bob \u2028 \ud83d\ude00", born: "1990-02-28", likes: null };

export const SCALARS: Scalars = {
  flag: true,
  count: -3,
  ratio: 0.1,
  text: "it's `${quoted}` \u2028 \ud83d\ude00 */",
  data: new Uint8Array([0, 1, 255]),
  when: new Date("2024-01-31T12:30:00.123Z"),
  exact: "2024-01-31T12:30:00.000001Z",
  local: "2024-01-31T12:30:00.000001",
  day: "2024-02-29",
  at: "12:30:00",
  span: 90.5,
  price: "19.90",
  id: "12345678-1234-5678-1234-567812345678",
  colour: "dark blue",
  level: Level.HIGH,
  word: "no",
  site: "https://example.com/a?b=c",
  nothing: null,
  percent: 100,
  "written-by": "me",
};

export const COMPOUNDS: Compounds = {
  numbers: [1, 2, 3],
  unique: ["only"],
  fixed: [7],
  many: [1.5, -2.5],
  pair: [4, "four"],
  byName: { ada: ADA, bob: BOB },
  byNumber: { 1: "one", 22: "twenty-two" },
  byColour: { red: 5 },
  byDay: { "2024-02-29": "12345678-1234-5678-1234-567812345678" },
  shape: { kind: "square", side: 2.5 },
  either: "or",
  maybe: [ADA, null],
  tree: { label: "root", below: [{ label: "leaf", below: [] }] },
  mail: { subject: "hello" },
  mark: { at: { x: 1, yAxis: 2 }, colour: "red" },
  jsonValue: { list: [1, null, true, "x", { deep: [] }] },
  anything: [1, new Date(0), { bytes: new Uint8Array([9]) }],
};
