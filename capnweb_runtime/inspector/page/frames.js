// Messages as they go over the wire, in words.

{
  const MOST = 1_000; // messages that are shown
  const KINDS = ["push", "pull", "resolve", "reject", "release", "stream", "pipe", "abort"];
  const MEANS = {
    push: "a call, or a value to make calls of",
    pull: "asks for the result of a call",
    resolve: "the result of a call",
    reject: "the error of a call",
    release: "gives something back",
    stream: "an item of a stream",
    pipe: "opens a stream",
    abort: "ends the session",
  };

  let frames = [];
  let at = 0;
  let skipped = 0;
  const search = searchField("Filter by text", () => render());
  const direction = choice("Direction", [["both", "Both directions"], ["in", "Received"], ["out", "Sent"]], () => render());
  const kind = choice("Kind", [["", "Every kind"], ...KINDS.map((name) => [name, name])], () => render());
  const filter = sessionFilter("messages");
  const note = h("span.note");
  const clear = h("button", { type: "button", onclick: () => ((frames = []), render()) }, "Clear");
  const lines = h("div.frames", { role: "log", ariaLabel: "Messages", tabIndex: 0 });
  const empty = nothing("No messages yet", "Messages show up here while this page is open. The server takes note of none otherwise.");

  function wanted(frame) {
    if (app.session !== null && frame.session !== app.session) return false;
    if (direction.value !== "both" && frame.received !== (direction.value === "in")) return false;
    if (kind.value && frame.kind !== kind.value) return false;
    const text = search.value.trim().toLowerCase();
    return !text || frame.text.toLowerCase().includes(text);
  }

  function makeLine(frame) {
    const arrow = h("span.arrow", { title: frame.received ? "received" : "sent" }, frame.received ? "→" : "←");
    const id = frame.id === null ? "" : `#${frame.id}`;
    return h(
      "div.frame",
      { dataset: { kind: frame.kind, way: frame.received ? "in" : "out" } },
      h("span.at", {}, clock(frame.at)),
      h("span.of", {}, `#${frame.session}`),
      arrow,
      h("span.kind", { title: MEANS[frame.kind] ?? "" }, frame.kind),
      h("span.id", {}, id),
      h("span.text", { title: frame.text }, frame.text),
      h("span.size", {}, frame.size ? bytes(frame.size) : ""),
    );
  }

  function render() {
    const atEnd = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 30;
    const shownFrames = frames.filter(wanted);
    list(lines, shownFrames, (frame) => frame.number, makeLine, () => {});
    lines.hidden = !shownFrames.length;
    empty.hidden = shownFrames.length > 0;
    const missed = skipped ? ` · ${count(skipped)} came too fast to be read` : "";
    const some = shownFrames.length < frames.length ? `${count(shownFrames.length)} of ` : "";
    say(note, `${some}${count(frames.length)} messages${missed}`);
    filter.update();
    if (atEnd) lines.scrollTop = lines.scrollHeight;
  }

  addView("messages", {
    name: "Messages",
    element: h("div.view.wide.full", {}, h("div.bar", {}, search, direction, kind, filter.element, h("span.gap"), note, clear), lines, empty),
    show(argument) {
      app.session = /^\d+$/.test(argument ?? "") ? Number(argument) : null;
      render();
    },
    async refresh(inspection) {
      const answer = await inspection.frames(at, app.session);
      at = answer.at;
      skipped = answer.skipped;
      if (!answer.frames.length) return;
      frames = [...frames, ...answer.frames].slice(-MOST);
      render();
    },
  });
}
