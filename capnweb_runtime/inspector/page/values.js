// Values that are called with and come back: between expressions of the wire, what people type, and what is shown of them.
// Rule: what arrives is data; the one thing that is ever made of it is text.

/** An object of the peer's. */
class Capability {
  constructor(id, name) {
    this.id = id;
    this.name = name;
  }
}

/** Items that arrive one after another. */
class Stream {
  constructor(id) {
    this.id = id;
  }
}

/** What JSON has no word for, as text. */
class Special {
  constructor(text) {
    this.text = text;
  }
}

/** What an expression stands for, once all promises in it have been kept. `session` is where it has come from. */
async function evaluated(wire, session) {
  if (Array.isArray(wire)) {
    if (wire.length === 1 && Array.isArray(wire[0])) {
      return Promise.all(wire[0].map((item) => evaluated(item, session)));
    }
    return special(wire, session);
  }
  if (wire === null || typeof wire !== "object") return wire;
  const entries = Object.entries(wire).map(async ([key, value]) => [key, await evaluated(value, session)]);
  return new Map(await Promise.all(entries));
}

async function special(wire, session) {
  const [kind, value] = wire;
  switch (kind) {
    case "export":
      return new Capability(value, typeof wire[2] === "string" ? wire[2] : "");
    case "promise": {
      const settled = await session.settled(value);
      session.release(value);
      return evaluated(settled, session);
    }
    case "readable":
      return new Stream(value);
    case "bigint":
      return new Special(String(value));
    case "date":
      return new Special(Number.isFinite(value) && Math.abs(value) <= 8.64e15 ? new Date(value).toISOString() : "no date");
    case "bytes":
      return new Special(bytesText(String(value)));
    case "error":
      return new Special(`${wire[1]}: ${wire[2]}`);
    case "url":
      return new Special(String(value));
    case "undefined":
    case "inf":
    case "-inf":
    case "nan":
      return new Special(kind);
    default:
      return new Special(`‹${kind}›`);
  }
}

/** Bytes as people read them: text, where they are some. */
function bytesText(base64) {
  try {
    const data = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const shown = data.subarray(0, 2000);
    try {
      return `b${JSON.stringify(new TextDecoder("utf-8", { fatal: true }).decode(shown))}`;
    } catch {
      return `‹${count(data.length)} bytes› ${[...shown.subarray(0, 32)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ")}`;
    }
  } catch {
    return "‹bytes›";
  }
}

/** Every capability in a value. */
function* capabilitiesIn(value) {
  if (value instanceof Capability) yield value;
  else if (Array.isArray(value)) for (const item of value) yield* capabilitiesIn(item);
  else if (value instanceof Map) for (const item of value.values()) yield* capabilitiesIn(item);
}

const WIDTH = 76;

/** A text in which what would change how others are shown, such as a turn of direction, is escaped. */
const visible = (text) => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (one) => `\\u{${one.codePointAt(0).toString(16)}}`);

/** A value as lines of a `pre`; `named` gives what a capability is called. */
function shown(value, named, indent = "") {
  if (value === null) return [h("span.v-word", {}, "null")];
  if (typeof value === "string") return [h("span.v-text", {}, visible(JSON.stringify(value)))];
  if (typeof value !== "object") return [h("span.v-word", {}, String(value))];
  if (value instanceof Capability) return [h("span.v-held", {}, named(value))];
  if (value instanceof Stream) return [h("span.v-word", {}, "‹stream›")];
  if (value instanceof Special) return [h("span.v-word", {}, visible(value.text))];
  const items = Array.isArray(value)
    ? value.map((item) => shown(item, named, `${indent}  `))
    : [...value].map(([key, item]) => [h("span.v-key", {}, visible(key)), ": ", ...shown(item, named, `${indent}  `)]);
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  if (!items.length) return [open + close];
  const length = items.flat().reduce((sum, part) => sum + (part.textContent ?? part).length + 2, indent.length);
  const broken = length > WIDTH;
  const [before, between, after] = broken ? [`\n${indent}  `, `,\n${indent}  `, `\n${indent}`] : ["", ", ", ""];
  return [open, before, ...items.flatMap((parts, at) => (at ? [between, ...parts] : parts)), after, close];
}

// ---- what people type

/** A fault in what was typed, with the name of where. */
class Mistyped extends Error {}

/**
 * The expression of plain JSON. A text "$1" stands for what is held under that name, which `held` gives the expression of;
 * `shape` is the type, where that is known.
 */
function expressionOf(value, shape, held) {
  if (typeof value === "string" && /^\$\d+$/.test(value)) return held(value);
  const kind = unwrapped(shape);
  if (typeof value === "string" && kind?.kind === "scalar") {
    if (kind.name === "bytes") return ["bytes", base64Of(value)];
    if (kind.name === "datetime") return dateOf(value);
  }
  if (Array.isArray(value)) return [value.map((item, at) => expressionOf(item, kind?.item ?? kind?.items?.[at], held))];
  if (value === null || typeof value !== "object") return value;
  const fieldOf = (key) => (kind?.kind === "model" ? modelOf(kind.model)?.fields.find((one) => one.wire === key)?.type : kind?.value);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, expressionOf(item, fieldOf(key), held)]));
}

function dateOf(text) {
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new Mistyped("is no date, such as 2026-01-31T12:00:00Z");
  return ["date", at];
}

function base64Of(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text))).replace(/=+$/, "");
}

/** A type without what only restricts it. */
function unwrapped(shape) {
  while (shape && ["optional", "constrained", "new_type"].includes(shape.kind)) shape = shape.item;
  return shape;
}
