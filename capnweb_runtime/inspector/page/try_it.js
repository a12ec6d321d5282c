// Calling what is served, from a session of this page's own: a form for each method, results that can be called on, and how
// often the network was waited for. Rule: it can do what any client can, and nothing is called before somebody says so.

{
  const MOST_CHUNKS = 200;
  const held = new Map(); // by name, "$0" being the main object
  const steps = []; // what was done, for copying
  let session = null;
  let next = 1;
  let fields = [];
  let current = null; // the entry that messages belong to

  // ---- what is held

  const holding = {
    all: () => [...held.values()],
    typeName: (one) => one.type?.interface?.name ?? (one.type ? typeText(one.type) : one.label),
    expression(name) {
      const one = held.get(name);
      if (!one) throw new Mistyped(`${name} is not held`);
      return one.id > 0 ? ["pipeline", one.id] : ["import", one.id];
    },
  };

  function keep(id, type, label) {
    const name = `$${next++}`;
    held.set(name, { name, id, type, label });
    return name;
  }

  function connectAgain() {
    session?.close();
    held.clear();
    steps.length = 0;
    history.replaceChildren();
    next = 1;
    const opened = new Session(app.about.url.replace(/^ws(s?):\/\/[^/]*/, `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}`));
    session = opened;
    opened.onmessage = (text, received) => current?.messages.push([received, text]);
    opened.onclosed = (reason) => {
      if (session !== opened) return;
      session = null;
      held.clear();
      say(status, `The session has ended: ${reason}`);
      showHeld();
    };
    const main = schema.main[0];
    held.set("$0", { name: "$0", id: 0, type: main ? { kind: "interface", interface: main } : null, label: "main object" });
    say(status, "");
  }

  // ---- the form

  const status = h("p.note", { role: "status" });
  const heldList = h("div.held", { role: "list" });
  const target = h("select", { ariaLabel: "Object", onchange: () => showMembers() });
  const method = h("select", { ariaLabel: "Method", onchange: () => showFields() });
  const described = h("div.signature");
  const documentation = h("p.doc");
  const inputs = h("div.inputs");
  const each = h("fieldset.each");
  const call = h("button.strong", { type: "submit" }, "Call");
  const later = h("button", { type: "button", title: "Holds the result without waiting for it, so that more can be called on it in the same round trip", onclick: () => run(false) }, "Hold without waiting");
  const form = h("form.call-form", { onsubmit: (event) => (event.preventDefault(), run(true)) }, h("div.bar", {}, target, h("span", {}, "."), method), described, documentation, inputs, each, h("div.bar", {}, call, later));
  const trips = h("span.note");
  const history = h("div.history", { role: "log", ariaLabel: "Results" });
  const asPython = h("button", { type: "button", onclick: () => copy(asPython, python(steps, app.about.url)) }, "Copy as Python");
  const asTypeScript = h("button", { type: "button", onclick: () => copy(asTypeScript, typescript(steps, app.about.url)) }, "Copy as TypeScript");
  const fresh = h("button", { type: "button", onclick: () => (connectAgain(), showHeld()) }, "New session");
  const view = h(
    "div.view.columns",
    {},
    h("div.side", {}, h("h3", {}, "Held"), heldList, status, fresh),
    h("div.trial", {}, form, h("div.bar.results", {}, h("h3", {}, "Results"), trips, h("span.gap"), asPython, asTypeScript), history),
  );

  const chosen = () => held.get(target.value);
  const membersNow = () => (chosen()?.type?.interface ? membersOf(chosen().type.interface) : []);
  const memberNow = () => membersNow().find((one) => one.wire === method.value);

  function showHeld() {
    list(heldList, holding.all(), (one) => one.name, makeHeld, () => {});
    const before = target.value;
    target.replaceChildren(...holding.all().filter((one) => one.type?.interface).map((one) => h("option", { value: one.name }, `${one.name} ${holding.typeName(one)}`)));
    if (held.has(before)) target.value = before;
    call.disabled = later.disabled = !session;
    showMembers();
  }

  function makeHeld(one) {
    const use = h("button.use", { type: "button", onclick: () => ((target.value = one.name), showMembers()) }, h("b", {}, one.name), " ", holding.typeName(one));
    const drop = h("button.quiet", { type: "button", title: `Give ${one.name} back`, ariaLabel: `Give ${one.name} back`, onclick: () => release(one) }, "×");
    return h("div.one", { role: "listitem" }, use, one.id === 0 ? null : drop);
  }

  function release(one) {
    held.delete(one.name);
    session?.release(one.id);
    showHeld();
  }

  function showMembers() {
    const before = method.value;
    const members = membersNow();
    method.replaceChildren(...members.map((one) => h("option", { value: one.wire }, one.kind === "property" ? `${one.name} (property)` : one.name)));
    if (members.some((one) => one.wire === before)) method.value = before;
    for (const element of heldList.children) element.classList.toggle("chosen", element.querySelector("b").textContent === target.value);
    showFields();
  }

  function showFields() {
    const member = memberNow();
    described.replaceChildren(...(member ? [h("code", {}, ...signature(member))] : []));
    documentation.replaceChildren(...docParts(member?.doc ?? (held.size ? "" : "There is no session.")));
    const offer = (name) => offerFunction(name);
    fields = (member?.parameters ?? []).map((parameter) => parameterField(parameter, holding, offer));
    inputs.replaceChildren(...fields.map((field) => field.element));
    showEach(member);
  }

  // ---- map(): something that is called for each item of a list, over there

  let eachOf = () => null;

  function showEach(member) {
    const result = unwrapped(member?.result ?? member?.type);
    const item = result?.kind === "list" ? result.item : null;
    each.hidden = !item;
    eachOf = () => null;
    if (!item) return each.replaceChildren();
    const options = [["", "nothing: the list itself"]];
    const found = new Map();
    const add = (from, one) => {
      const key = `${from} ${one.wire}`;
      found.set(key, { target: from, member: one });
      options.push([key, from === "item" ? `item.${one.name}${one.kind === "property" ? "" : "()"}` : `${from}.${one.name}(item)`]);
    };
    const needed = (one) => one.parameters.filter((parameter) => parameter.default === null && parameter.passing !== "variadic");
    const itemType = unwrapped(item);
    if (itemType.kind === "interface") membersOf(itemType.interface).filter((one) => one.kind === "property" || !needed(one).length).forEach((one) => add("item", one));
    for (const one of holding.all()) {
      if (!one.type?.interface) continue;
      for (const other of membersOf(one.type.interface)) {
        const [first, ...more] = other.kind === "method" ? needed(other) : [];
        if (first && !more.length && first.passing !== "keyword" && typeText(unwrapped(first.type)) === typeText(itemType)) add(one.name, other);
      }
    }
    const what = choice("For each item", options, () => showField());
    const field = h("select", { ariaLabel: "Field of each result", hidden: true });
    const showField = () => {
      const one = found.get(what.value);
      const made = unwrapped(one?.member.result ?? one?.member.type);
      const names = made?.kind === "model" ? modelOf(made.model)?.fields ?? [] : [];
      field.hidden = !names.length;
      field.replaceChildren(h("option", { value: "" }, "whole"), ...names.map((name) => h("option", { value: name.wire }, `.${name.name}`)));
    };
    eachOf = () => (found.has(what.value) ? { ...found.get(what.value), field: field.hidden ? "" : field.value } : null);
    each.replaceChildren(h("legend", {}, "map(): for each item, in the same round trip"), what, field);
  }

  /** The instructions of a map, and what they capture. */
  function recorded({ target: from, member, field }) {
    const subject = from === "item" ? 0 : -1;
    const made = member.kind === "property" ? ["pipeline", subject, [member.wire]] : ["pipeline", subject, [member.wire], from === "item" ? [] : [["pipeline", 0]]];
    const instructions = field ? [made, ["pipeline", 1, [field]]] : [made];
    return [from === "item" ? [] : [["import", held.get(from).id]], instructions];
  }

  // ---- calling

  function offerFunction(name) {
    const entry = current;
    return session.offer(async (args) => {
      const values = await Promise.all(args.map((wire) => evaluated(wire, session)));
      const parts = values.flatMap((value, at) => [...(at ? [", "] : []), ...shown(value, nameOfCapability)]);
      entry.calls.append(h("pre", {}, `${name}(`, ...parts, ")"));
      values.forEach((value) => giveBack(value));
    });
  }

  const nameOfCapability = (capability) => `${capability.held ?? ""} ${capability.name || "object"}`.trim();

  function giveBack(value) {
    for (const capability of capabilitiesIn(value)) if (!capability.held) session?.release(capability.id);
  }

  function makeEntry() {
    const code = h("code");
    const took = h("span.note");
    const result = h("pre.result");
    const calls = h("div.calls-back");
    const wire = h("pre.wire");
    const summary = h("summary", {}, "messages");
    const element = h("article.entry", {}, h("div.bar", {}, code, h("span.gap"), took), result, calls, h("details", {}, summary, wire));
    return { element, code, took, result, calls, wire, summary, messages: [] };
  }

  async function run(awaited) {
    const member = memberNow();
    const from = chosen();
    if (!session || !member || !from) return;
    const entry = (current = makeEntry());
    let given;
    try {
      given = member.kind === "property" ? { given: [] } : argumentsOf(fields);
    } catch (error) {
      if (error instanceof Mistyped) return;
      throw error;
    }
    const step = { target: from.name, member, given: given.given, each: eachOf(), kept: null, awaited, stream: false };
    let id = session.call(from.id, [member.wire], given.wires);
    if (step.each) {
      const of = id;
      id = session.map(of, [], ...recorded(step.each));
      session.release(of);
    }
    const result = member.result ?? member.type;
    step.typeName = step.each ? "" : unwrapped(result)?.interface?.name;
    history.prepend(entry.element);
    entry.code.append(stepText(PYTHON, step, (name) => name, new Set()).replaceAll(/os\.environ\["\w+"\]/g, "•••"));
    if (!awaited) {
      step.kept = keep(id, step.each ? { kind: "list", item: { kind: "scalar", name: "any" } } : result, "result");
      entry.result.append("held as ", h("b", {}, step.kept), ", not waited for");
      say(entry.took, "no round trip");
    } else await awaitResult(entry, step, id, result);
    steps.push(step);
    finish(entry, step);
  }

  async function awaitResult(entry, step, id, result) {
    const began = performance.now();
    say(entry.took, "waiting");
    session.roundTrips++;
    const used = session;
    try {
      const value = await evaluated(await used.pull(id), used);
      say(entry.took, `1 round trip · ${duration(performance.now() - began)}`);
      for (const capability of capabilitiesIn(value)) {
        const type = value === capability && step.typeName ? result : typeNamed(capability.name);
        capability.held = keep(capability.id, type, capability.name || "object");
        capability.name ||= type?.interface?.name ?? "";
        if (value === capability) step.kept = capability.held;
      }
      if (value instanceof Stream) await readStream(entry, step, value, used);
      else entry.result.append(...shown(value, nameOfCapability));
    } catch (error) {
      say(entry.took, `1 round trip · ${duration(performance.now() - began)}`);
      entry.element.classList.add("failed");
      entry.result.append(visible(`${error.name}: ${error.message}`));
    }
    used.release(id);
  }

  /** The type of an object of which the peer has told the interface. */
  function typeNamed(name) {
    const known = [...schema.known].find(([, one]) => one.sort === "interface" && one.name === name);
    if (!known) return null;
    const full = known[0].slice("interface ".length);
    return { kind: "interface", interface: { module: full.slice(0, -name.length - 1), name } };
  }

  function readStream(entry, step, stream, used) {
    step.stream = true;
    let chunks = 0;
    return new Promise((resolve) => {
      const end = (error) => {
        if (error !== null) {
          entry.element.classList.add("failed");
          entry.result.append(visible(`${errorOf(error).name}: ${errorOf(error).message}`));
        } else entry.result.append(h("span.note", {}, `end of the stream: ${count(chunks)} items`));
        resolve();
      };
      const each = async (wire) => {
        const at = ++chunks;
        if (at > MOST_CHUNKS) return;
        const line = h("span");
        entry.result.append(line, "\n");
        line.append(...shown(await evaluated(wire, used), nameOfCapability));
      };
      used.read(stream.id, each, end);
    });
  }

  function finish(entry, step) {
    entry.wire.replaceChildren();
    const secrets = step.given.filter(({ value }) => value instanceof Given && value.kind === "secret").map(({ wire }) => JSON.stringify(wire));
    for (const [received, text] of entry.messages) {
      const open = secrets.reduce((said, secret) => said.replaceAll(secret, '"•••"'), text);
      entry.wire.append(`${received ? "→" : "←"} ${visible(open.length > 2000 ? `${open.slice(0, 2000)}…` : open)}\n`);
    }
    say(entry.summary, entry.messages.length === 1 ? "1 message" : `${count(entry.messages.length)} messages`);
    say(trips, session ? `${count(session.roundTrips)} round trip${session.roundTrips === 1 ? "" : "s"} in this session` : "");
    showHeld();
  }

  addView("try", {
    name: "Try it",
    element: view,
    async show(argument) {
      if (!app.about.calls) return;
      if (!schema.known.size) learnSchema(await app.inspection.schema());
      if (!schema.main.length) return say(status, schema.why);
      if (!session) connectAgain();
      showHeld();
      if (argument !== undefined) {
        target.value = "$0";
        showMembers();
        method.value = argument;
        showFields();
      }
    },
  });
}
