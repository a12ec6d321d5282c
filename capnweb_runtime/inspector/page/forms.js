// Fields for the parameters of a call, by their types. Rule: each field gives an expression of the wire for what was typed, and
// the same as Python and TypeScript; what cannot be meant is said beside it.

const SECRET = /(^|_)(pass(word|wd|phrase|code)?|pwd|secret|token|pin|otp|credentials?|cookie|authorization|jwt|(api|access|private)_?key)(_|$)/i;

const isSecret = (name) => SECRET.test(name.replace(/([a-z])([A-Z])/g, "$1_$2").replaceAll("-", "_"));

/** What stands for a secret in copied code. */
const variableOf = (name) => name.replace(/([a-z])([A-Z])/g, "$1_$2").replaceAll("-", "_").toUpperCase();

/** An example of a type, to begin with. */
function skeleton(shape, depth = 0) {
  const kind = unwrapped(shape);
  switch (kind?.kind) {
    case "scalar":
      return { int: 0, float: 0, bool: false, none: null, str: "" }[kind.name] ?? "";
    case "literal":
      return kind.values[0];
    case "enum":
      return kind.members[0]?.value ?? "";
    case "list":
    case "collection":
      return [];
    case "tuple":
      return kind.items.map((item) => skeleton(item, depth + 1));
    case "dict":
      return {};
    case "union":
      return skeleton(kind.members[0], depth + 1);
    case "model": {
      const fields = depth > 3 ? [] : (modelOf(kind.model)?.fields ?? []).filter((field) => field.required && !field.computed);
      return Object.fromEntries(fields.map((field) => [field.wire, skeleton(field.type, depth + 1)]));
    }
    default:
      return null;
  }
}

/** What a field stands for that JSON has no word for: each language writes it in its own way. */
class Given {
  constructor(kind, text) {
    this.kind = kind;
    this.text = text;
  }
}

const asText = (value) => ({ value, wire: value });

/** How a text of a scalar is read: each gives the value for code, and the expression. */
const READERS = {
  int(text) {
    if (!/^[+-]?\d+$/.test(text.trim())) throw new Mistyped("is no whole number");
    const value = Number(text);
    return Number.isSafeInteger(value) ? { value, wire: value } : { value: new Given("number", text.trim()), wire: ["bigint", text.trim()] };
  },
  float(text) {
    const value = Number(text);
    if (!text.trim() || Number.isNaN(value)) throw new Mistyped("is no number");
    return { value, wire: Number.isFinite(value) ? value : [value > 0 ? "inf" : "-inf"] };
  },
  bool: (text) => ({ value: text === "true", wire: text === "true" }),
  bytes: (text) => ({ value: new Given("bytes", text), wire: ["bytes", base64Of(text)] }),
  datetime: (text) => ({ value: new Given("date", text), wire: dateOf(text) }),
  none: () => ({ value: null, wire: null }),
};

function readJson(text, shape, held) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Mistyped('is no JSON; a text needs quotes, and what is held is "$1"');
  }
  return { value, wire: expressionOf(value, shape, held) };
}

/**
 * A field for one parameter. `holding` gives what is held, `callback` is told of calls of a function that was passed. Its
 * `read()` gives { value, wire }, or null if the parameter is left out.
 */
function parameterField(parameter, holding, offer) {
  const kind = unwrapped(parameter.type);
  const isOptional = parameter.default !== null || parameter.passing === "variadic";
  const fault = h("span.fault", { role: "alert" });
  const { control, read } = controlFor(parameter, kind, holding, offer, isOptional);
  const id = `field-${(parameterField.count = (parameterField.count ?? 0) + 1)}`;
  control.id = id;
  const type = h("span.type", {}, typeText(parameter.type), parameter.default ? ` = ${defaultText(parameter.default)}` : "");
  const element = h("div.field", {}, h("label", { htmlFor: id }, parameter.name, " ", type), control, fault);
  return {
    element,
    parameter,
    read() {
      say(fault, "");
      try {
        return read();
      } catch (error) {
        if (!(error instanceof Mistyped)) throw error;
        say(fault, error.message);
        control.focus();
        throw error;
      }
    },
  };
}

function controlFor(parameter, kind, holding, offer, isOptional) {
  if (parameter.passing === "variadic") return jsonControl({ kind: "list", item: parameter.type }, holding, "[]", isOptional);
  if (kind?.kind === "interface" || kind?.kind === "stub") return heldControl(holding, kind.interface?.name, parameter, isOptional);
  if (kind?.kind === "callable" || kind?.kind === "callback") {
    const control = h("output.given", {}, "a function of this page: its calls are shown with the result");
    return { control, read: () => ({ value: new Given("callback", ""), wire: ["export", offer(parameter.name)] }) };
  }
  if (kind?.kind === "literal" || kind?.kind === "enum" || kind?.name === "bool") return chosenControl(kind, parameter, isOptional);
  const reader = kind?.kind === "scalar" ? READERS[kind.name] ?? (kind.name === "str" ? asText : null) : null;
  if (reader || kind?.kind === "text" || kind?.kind === "sturdy_ref") return textControl(kind, reader ?? asText, parameter, isOptional);
  return jsonControl(parameter.type, holding, JSON.stringify(skeleton(parameter.type), null, 1), isOptional);
}

/** What is meant where nothing was typed: the default, or null. */
function left(parameter, isOptional) {
  if (isOptional) return null;
  return parameter.type.kind === "optional" ? { value: null, wire: null } : undefined;
}

function textControl(kind, reader, parameter, isOptional) {
  const secret = isSecret(parameter.name);
  const example = { int: "0", float: "0.0", datetime: "2026-01-31T12:00:00Z", bytes: "as text, sent as UTF-8" }[kind.name] ?? "";
  const control = h("input", {
    type: secret ? "password" : "text",
    autocomplete: "off",
    spellcheck: false,
    placeholder: isOptional ? "the default" : example,
  });
  return {
    control,
    read() {
      const nothing = control.value === "" ? left(parameter, isOptional) : undefined;
      if (nothing !== undefined) return nothing;
      const given = reader(control.value);
      return secret ? { ...given, value: new Given("secret", variableOf(parameter.name)) } : given;
    },
  };
}

function chosenControl(kind, parameter, isOptional) {
  const options = kind.kind === "literal" ? kind.values : kind.kind === "enum" ? kind.members.map((one) => one.value) : [false, true];
  const control = h("select");
  if (isOptional || parameter.type.kind === "optional") control.append(h("option", { value: "" }, isOptional ? "the default" : "None"));
  for (const value of options) control.append(h("option", { value: JSON.stringify(value) }, String(value)));
  return {
    control,
    read() {
      if (control.value === "") return left(parameter, isOptional) ?? null;
      const value = JSON.parse(control.value);
      return { value, wire: value };
    },
  };
}

function heldControl(holding, name, parameter, isOptional) {
  const control = h("select");
  if (isOptional || parameter.type.kind === "optional") control.append(h("option", { value: "" }, "none"));
  const fitting = holding.all().filter((one) => !name || one.type?.interface?.name === name);
  for (const one of fitting) control.append(h("option", { value: one.name }, `${one.name} ${holding.typeName(one)}`));
  if (!fitting.length) control.append(h("option", { value: "-", disabled: true, selected: true }, `nothing of the type ${name ?? "object"} is held`));
  return {
    control,
    read() {
      if (control.value === "-") throw new Mistyped("has to be held first: call something that returns one");
      if (control.value === "") return left(parameter, isOptional) ?? null;
      return { value: control.value, wire: holding.expression(control.value) };
    },
  };
}

function jsonControl(shape, holding, start, isOptional) {
  const control = h("textarea", { rows: Math.min(8, start.split("\n").length + 1), spellcheck: false, value: isOptional ? "" : start, placeholder: isOptional ? "the default, or JSON" : "JSON" });
  return {
    control,
    read() {
      if (isOptional && !control.value.trim()) return null;
      return readJson(control.value, shape, (name) => holding.expression(name));
    },
  };
}

/** The arguments of a call as the wire has them: by position, keyword-only ones as one object behind them. */
function argumentsOf(fields) {
  const wires = [];
  const named = {};
  const given = fields.map((field) => ({ parameter: field.parameter, ...(field.read() ?? { left: true }) }));
  const keywords = given.filter((one) => one.parameter.passing === "keyword" && !one.left);
  for (const one of given) {
    if (one.parameter.passing === "keyword") {
      if (!one.left) named[one.parameter.wire] = one.wire;
    } else if (one.parameter.passing === "variadic") {
      const items = one.left ? [] : one.wire[0];
      if (given.some((other) => other.parameter.passing === "keyword")) wires.push([items]);
      else wires.push(...items);
    } else wires.push(one.left ? ["undefined"] : one.wire);
  }
  if (keywords.length) wires.push(named);
  while (wires.length && wires.at(-1)?.[0] === "undefined") wires.pop();
  return { wires, given };
}
