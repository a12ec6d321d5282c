// What was tried, as a program: in Python with generated stubs, and in TypeScript with the npm package. Rule: secrets are read
// from the environment there, and never copied.

/** A text as both languages write it. */
const quoted = (text) => JSON.stringify(text).replace(/[\u007f-\uffff]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);

const PYTHON = {
  word: (value) => (value === null ? "None" : value ? "True" : "False"),
  bytes: (text) => `${quoted(text)}.encode()`,
  date: (text, needs) => (needs.add("from datetime import datetime"), `datetime.fromisoformat(${quoted(text)})`),
  secret: (name, needs) => (needs.add("import os"), `os.environ[${quoted(name)}]`),
  number: (text) => text,
  callback: () => "print",
  key: quoted,
};

const TYPESCRIPT = {
  word: String,
  bytes: (text) => `new TextEncoder().encode(${quoted(text)})`,
  date: (text) => `new Date(${quoted(text)})`,
  secret: (name) => `process.env.${name}!`,
  number: (text) => `${text}n`,
  callback: () => "(...args: unknown[]) => console.log(...args)",
  key: (text) => (/^[A-Za-z_]\w*$/.test(text) ? text : quoted(text)),
};

/** A value in a language; `nameOf` gives the variable of what is held, `needs` collects imports. */
function literal(language, value, shape, nameOf, needs) {
  const write = (item, type) => literal(language, item, type, nameOf, needs);
  if (value === null || typeof value === "boolean") return language.word(value);
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return /^\$\d+$/.test(value) ? nameOf(value) : quoted(value);
  if (Array.isArray(value)) return `[${value.map((item) => write(item, unwrapped(shape)?.item)).join(", ")}]`;
  if (value instanceof Given) return language[value.kind](value.text, needs);
  return record(language, value, unwrapped(shape), write, needs);
}

function record(language, value, shape, write, needs) {
  const model = shape?.kind === "model" ? modelOf(shape.model) : null;
  const typeOf = (key) => model?.fields.find((field) => field.wire === key);
  if (model && language === PYTHON && model.form !== "typed_dict") {
    needs.add(`from ${shape.model.module} import ${model.name}`);
    const fields = Object.entries(value).map(([key, item]) => `${typeOf(key)?.accepts ?? key}=${write(item, typeOf(key)?.type)}`);
    return `${model.name}(${fields.join(", ")})`;
  }
  const entries = Object.entries(value).map(([key, item]) => `${language.key(key)}: ${write(item, typeOf(key)?.type ?? shape?.value)}`);
  return language === PYTHON ? `{${entries.join(", ")}}` : `{ ${entries.join(", ")} }`;
}

/** The arguments of a step as a language writes them. */
function written(language, step, nameOf, needs) {
  const texts = [];
  const keywords = [];
  const given = step.given.filter((one, at) => !one.left || step.given.slice(at + 1).some((later) => !later.left && later.parameter.passing !== "keyword"));
  for (const { parameter, value, left } of given) {
    if (left && (language === PYTHON || parameter.passing === "keyword")) continue;
    const shape = parameter.passing === "variadic" ? { kind: "list", item: parameter.type } : parameter.type;
    const text = left ? "undefined" : literal(language, value, shape, nameOf, needs);
    const skipped = given.slice(0, given.findIndex((one) => one.parameter === parameter)).some((one) => one.left);
    if (parameter.passing === "variadic") texts.push(...(left ? [] : value.map((item) => literal(language, item, parameter.type, nameOf, needs))));
    else if (language === PYTHON && (parameter.passing === "keyword" || (skipped && parameter.passing !== "positional_only"))) texts.push(`${parameter.name}=${text}`);
    else if (parameter.passing === "keyword") keywords.push(`${language.key(parameter.wire)}: ${text}`);
    else texts.push(text);
  }
  if (keywords.length) texts.push(`{ ${keywords.join(", ")} }`);
  return texts.join(", ");
}

/** A step as an expression, without `await`. */
function stepText(language, step, nameOf, needs) {
  const name = language === PYTHON ? step.member.name : step.member.wire;
  const call = `${nameOf(step.target)}.${name}${step.member.kind === "property" ? "" : `(${written(language, step, nameOf, needs)})`}`;
  if (!step.each) return call;
  const { member, target, field } = step.each;
  const made = `${target === "item" ? "item" : nameOf(target)}.${language === PYTHON ? member.name : member.wire}${member.kind === "property" ? "" : target === "item" ? "()" : "(item)"}${field ? `.${field}` : ""}`;
  return `${call}.map(${language === PYTHON ? `lambda item: ${made}` : `(item) => ${made}`})`;
}

/** Names for what is held: by their interfaces, each once. */
function variables(steps, snake) {
  const names = new Map([["$0", "api"]]);
  for (const step of steps) {
    if (!step.kept) continue;
    const from = step.typeName || step.member.name;
    const words = from.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase().replace(/\W+/g, "_");
    let name = snake ? words : words.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
    if ([...names.values(), "print", "connect", "main", "os"].includes(name)) name += step.kept.slice(1);
    names.set(step.kept, name);
  }
  return (held) => names.get(held) ?? "api";
}

function python(steps, url) {
  const nameOf = variables(steps, true);
  const needs = new Set(["import asyncio"]);
  const lines = steps.map((step) => {
    const text = stepText(PYTHON, step, nameOf, needs);
    if (step.stream) return `        async for chunk in ${text}:\n            print(chunk)`;
    if (!step.kept) return `        print(await ${text})`;
    return `        ${nameOf(step.kept)} = ${step.awaited ? "await " : ""}${text}`;
  });
  const stub = `${schema.main[0]?.name ?? "Main"}Stub`;
  const standard = [...needs].filter((line) => line.startsWith("import ") || line.startsWith("from datetime")).sort();
  const own = [...needs].filter((line) => !standard.includes(line)).sort();
  return [
    ...[...standard, "", "from capnweb_runtime import connect", `from ${schema.module || "generated"} import ${stub}`, ...own],
    ...["", "", "async def main() -> None:", `    async with connect(${quoted(url)}, ${stub}) as api:`, ...(lines.length ? lines : ["        pass"])],
    ...["", "", "asyncio.run(main())", ""],
  ].join("\n");
}

function typescript(steps, url) {
  const nameOf = variables(steps, false);
  const lines = steps.map((step) => {
    const text = stepText(TYPESCRIPT, step, nameOf, new Set());
    if (step.stream) return `for await (const chunk of await ${text}) console.log(chunk);`;
    if (!step.kept) return `console.log(await ${text});`;
    return `const ${nameOf(step.kept)} = ${step.awaited ? "await " : ""}${text};`;
  });
  return [
    ...['import { newWebSocketRpcSession } from "capnweb";', ""],
    ...[`using api = newWebSocketRpcSession<any>(${quoted(url)});`, ...lines, ""],
  ].join("\n");
}
