// What is served, as its schema says it: interfaces, models, callbacks and errors. Rule: it shows the IR, and knows of the
// server nothing else.

/** All that the IR describes, by module and name. */
const schema = { known: new Map(), main: [], module: "", why: "", loaded: false };

const keyOf = (kind, reference) => `${kind} ${reference.module}.${reference.name}`;

function learnSchema(answer) {
  schema.loaded = true;
  schema.why = answer.why;
  schema.module = answer.module;
  for (const document of answer.text ? JSON.parse(answer.text) : []) {
    for (const part of document.schemas) {
      for (const [kind, all] of [["interface", part.interfaces], ["model", part.models], ["callback", part.callbacks ?? []], ["error", part.errors]]) {
        for (const one of all) schema.known.set(keyOf(kind, { module: one.module ?? part.module, name: one.name }), { ...one, sort: kind });
      }
    }
    for (const main of document.main) if (!schema.main.some((one) => one.name === main.name)) schema.main.push(main);
  }
}

const interfaceOf = (reference) => schema.known.get(keyOf("interface", reference));
const modelOf = (reference) => schema.known.get(keyOf("model", reference));

/** The members of an interface, those that it inherits first. */
function membersOf(reference) {
  const found = new Map();
  const look = (one) => {
    const described = interfaceOf(one);
    described?.bases.forEach(look);
    described?.members.forEach((member) => found.set(member.wire, member));
  };
  look(reference);
  return [...found.values()];
}

/** A type as Python writes it, with links to what it names. */
function typeParts(shape) {
  const all = (shapes, between = ", ") => shapes.flatMap((one, at) => (at ? [between, ...typeParts(one)] : typeParts(one)));
  const link = (kind, reference) => {
    const known = schema.known.has(keyOf(kind, reference));
    return [known ? h("a", { href: `#/schema/${encodeURIComponent(`${kind} ${reference.name}`)}` }, reference.name) : reference.name];
  };
  switch (shape.kind) {
    case "scalar":
      return [{ none: "None", any: "Any", json: "JSON" }[shape.name] ?? shape.name];
    case "literal":
      return [`Literal[${shape.values.map((value) => JSON.stringify(value)).join(", ")}]`];
    case "enum":
      return [shape.enum.name];
    case "text":
      return [shape.type.name];
    case "sturdy_ref":
      return ["SturdyRef[", ...link("interface", shape.interface), "]"];
    case "new_type":
      return [shape.new_type.name];
    case "constrained":
      return [...typeParts(shape.item), ...bounds(shape)];
    case "list":
      return ["list[", ...typeParts(shape.item), "]"];
    case "collection":
      return [`${shape.container}[`, ...typeParts(shape.item), shape.container === "tuple" ? ", ...]" : "]"];
    case "dict":
      return ["dict[", ...typeParts(shape.key), ", ", ...typeParts(shape.value), "]"];
    case "tuple":
      return ["tuple[", ...all(shape.items), "]"];
    case "union":
      return all(shape.members, " | ");
    case "optional":
      return [...typeParts(shape.item), " | None"];
    case "model":
      return link("model", shape.model);
    case "interface":
      return link("interface", shape.interface);
    case "callback":
      return link("callback", shape.callback);
    case "callable":
      return ["Callable[[", ...all(shape.parameters), "], ", ...typeParts(shape.result), "]"];
    case "stub":
      return ["AnyStub"];
    case "stream":
      return ["AsyncIterator[", ...typeParts(shape.item), "]"];
    case "writable":
      return ["WritableStream[", ...typeParts(shape.item), "]"];
    default:
      return [shape.kind];
  }
}

const typeText = (shape) => typeParts(shape).map((part) => part.textContent ?? part).join("");

function bounds(shape) {
  const said = [["ge", "≥"], ["gt", ">"], ["le", "≤"], ["lt", "<"], ["multiple_of", "multiple of"], ["min_length", "length ≥"], ["max_length", "length ≤"], ["pattern", "matches"], ["when", "in the"]];
  const found = said.filter(([name]) => shape[name] !== null && shape[name] !== undefined).map(([name, sign]) => `${sign} ${shape[name]}`);
  return found.length ? [h("span.bounds", {}, ` (${found.join(", ")})`)] : [];
}

/** A default as Python writes it. */
function defaultText({ value }) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  return value?.float ?? JSON.stringify(value);
}

/** A documentation, in which what stands between backticks is code. */
const docParts = (text) => text.split(/`+([^`]+)`+/).map((part, at) => (at % 2 ? h("code", {}, part) : part));

/** How a member is declared, in parts. */
function signature(member) {
  if (member.kind === "property") return [h("b", {}, member.name), ": ", ...typeParts(member.type)];
  const parts = [];
  let starred = false;
  for (const parameter of member.parameters) {
    if (parts.length) parts.push(", ");
    if (parameter.passing === "keyword" && !starred) {
      starred = true;
      parts.push("*, ");
    }
    starred ||= parameter.passing === "variadic";
    parts.push(`${parameter.passing === "variadic" ? "*" : ""}${parameter.name}: `, ...typeParts(parameter.type));
    if (parameter.default) parts.push(` = ${defaultText(parameter.default)}`);
  }
  return [h("b", {}, member.name), "(", ...parts, ") → ", ...typeParts(member.result)];
}

{
  const KINDS = [["interface", "Interfaces"], ["callback", "Callbacks"], ["model", "Models"], ["error", "Errors"]];
  const search = searchField("Filter names and documentation", () => render());
  const index = h("nav.index", { ariaLabel: "What is described" });
  const page = h("div.described");
  const empty = nothing("The schema is not known here", "");
  const element = h("div.view.columns", {}, h("div.side", {}, search, index), page, empty);
  let chosen = null;

  function deprecated(one) {
    return one.deprecated ? h("span.badge.old", { title: one.deprecated.message }, "deprecated") : null;
  }

  function doc(text) {
    return text ? h("p.doc", {}, ...docParts(text)) : null;
  }

  function member(one, owner) {
    const wire = one.wire === one.name ? null : h("span.badge", { title: "The name that peers use" }, `“${one.wire}” on the wire`);
    const raises = one.raises?.length ? h("p.note", {}, "raises ", ...one.raises.flatMap((error, at) => [at ? ", " : "", link("error", error)])) : null;
    const notice = one.deprecated?.message ? h("p.old", {}, `Deprecated: ${one.deprecated.message}`) : null;
    const isMain = schema.main.some((main) => main.name === owner.name);
    const attempt = app.about.calls && isMain && one.kind === "method" ? h("a.button", { href: `#/try/${encodeURIComponent(one.wire)}` }, "Try") : null;
    const marks = h("span.marks", {}, one.cancellable ? h("span.badge", {}, "cancellable") : null, one.idempotent ? h("span.badge", {}, "idempotent") : null, wire, deprecated(one), attempt);
    return h("article.member", {}, h("div.signature", {}, h("code", {}, ...signature(one)), marks), doc(one.doc), notice, raises);
  }

  function link(kind, reference) {
    return h("a", { href: `#/schema/${encodeURIComponent(`${kind} ${reference.name}`)}` }, reference.name);
  }

  function field(one) {
    const notes = h("span.marks", {}, one.required ? null : h("span.badge", {}, "optional"), one.computed ? h("span.badge", {}, "computed") : null, deprecated(one));
    return h("article.member", {}, h("div.signature", {}, h("code", {}, h("b", {}, one.name), ": ", ...typeParts(one.type)), notes), doc(one.doc));
  }

  function describe(one) {
    const mark = schema.main.some((main) => main.name === one.name && one.sort === "interface") ? h("span.badge.main", {}, "main object") : null;
    const bases = one.bases?.length ? h("p.note", {}, "extends ", ...one.bases.flatMap((base, at) => [at ? ", " : "", link("interface", base)])) : null;
    const members = one.sort === "interface" ? one.members.map((each) => member(each, one)) : one.sort === "callback" ? [member({ ...one.call, name: one.name, wire: one.name, kind: "method" }, one)] : one.fields.map(field);
    return [h("h2", {}, one.name, " ", h("span.badge", {}, one.sort), mark, deprecated(one)), doc(one.doc), bases, ...members].filter((part) => part);
  }

  const words = (one) => [one.name, one.doc, ...(one.members ?? one.fields ?? []).flatMap((each) => [each.name, each.doc])].join(" ").toLowerCase();

  function render() {
    const text = search.value.trim().toLowerCase();
    const all = [...schema.known.values()].filter((one) => !text || words(one).includes(text));
    const first = schema.main.length ? `interface ${schema.main[0].name}` : null;
    const id = (one) => `${one.sort} ${one.name}`;
    const current = all.find((one) => id(one) === chosen) ?? all.find((one) => id(one) === first) ?? all[0];
    index.replaceChildren(
      ...KINDS.flatMap(([kind, title]) => {
        const order = (one) => `${id(one) === first ? 0 : 1} ${one.name}`;
        const some = all.filter((one) => one.sort === kind).sort((one, other) => order(one).localeCompare(order(other)));
        const entry = (one) => h("a", { href: `#/schema/${encodeURIComponent(id(one))}`, ariaCurrent: one === current ? "true" : null, className: one.deprecated ? "old" : "" }, one.name);
        return some.length ? [h("h3", {}, title), ...some.map(entry)] : [];
      }),
    );
    page.replaceChildren(...(current ? describe(current) : []));
    const known = schema.known.size > 0;
    empty.hidden = known || !schema.loaded;
    say(empty.lastChild, schema.why);
    element.classList.toggle("unknown", !known);
  }

  addView("schema", {
    name: "Schema",
    element,
    async show(argument) {
      chosen = argument ?? chosen;
      if (!schema.known.size && app.inspection) learnSchema(await app.inspection.schema());
      render();
    },
  });
}
