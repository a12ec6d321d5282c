// A client of Cap'n Web, as much of it as this page needs. Rule: plain messages in, plain messages out; what a value looks
// like is values.js's, and nothing here knows the page.

/** Why a call failed, as the peer has said it. */
class RemoteError extends Error {
  constructor(name, message) {
    super(message);
    this.name = name;
  }
}

/**
 * One session over a WebSocket. `call` and `map` return the id of a result that has not been asked for, which others can be
 * made of at once; `pull` asks for it.
 */
class Session {
  #socket;
  #queue = [];
  #next = 1; // the id of our next call
  #theirs = 1; // the id of the peer's next call
  #own = -1; // the id of the next thing that we export
  #waiting = new Map(); // our calls and the peer's promises, by id
  #exported = new Map(); // what the peer may call, by id
  #answers = new Map(); // results of the peer's calls that it may ask for, by id
  #settled = new Map(); // the peer's promises that were settled before somebody waited, by id

  /** How often something waited for the network. */
  roundTrips = 0;
  /** Told why the session has ended. */
  onclosed = () => {};
  /** Told of each message, and whether it was received. */
  onmessage = () => {};
  closed = null;

  constructor(url) {
    this.#socket = new WebSocket(url);
    this.#socket.onopen = () => {
      const queue = this.#queue;
      this.#queue = null;
      queue.forEach((text) => this.#socket.send(text));
    };
    this.#socket.onmessage = (event) => this.#receive(event.data);
    this.#socket.onclose = (event) => this.#end(event.reason || `the connection was closed (${event.code})`);
  }

  /** Calls something: `path` from the object or result `target`. `args` are expressions. Without them it is read. */
  call(target, path, args) {
    const expression = args === undefined ? ["pipeline", target, path] : ["pipeline", target, path, args];
    this.#send(["push", expression]);
    return this.#next++;
  }

  /** Has instructions run on each element of a result, over there. */
  map(target, path, captures, instructions) {
    this.#send(["push", ["remap", target, path, captures, instructions]]);
    return this.#next++;
  }

  /** Asks for a result: a promise of its expression. */
  pull(id) {
    this.#send(["pull", id]);
    return this.#wait(id);
  }

  /** Waits for a promise of the peer's, which it settles without being asked. */
  settled(id) {
    const known = this.#settled.get(id);
    this.#settled.delete(id);
    return known ?? this.#wait(id);
  }

  /** Gives back what the peer has given. */
  release(id, count = 1) {
    if (!this.closed) this.#send(["release", id, count]);
  }

  /** Lets the peer call a function, with its arguments as expressions; the id to send. */
  offer(called) {
    this.#exported.set(this.#own, { call: called });
    return this.#own--;
  }

  /** Reads a stream that the peer has sent: `onchunk` gets expressions, `onend` an expression of an error or null. */
  read(id, onchunk, onend) {
    const pipe = this.#exported.get(id);
    if (!pipe?.chunks) return onend(["error", "Error", "there is no such stream"]);
    pipe.onchunk = onchunk;
    pipe.onend = onend;
    pipe.chunks.splice(0).forEach(onchunk);
    if (pipe.ended !== undefined) onend(pipe.ended);
  }

  close() {
    this.#socket.close(1000);
    this.#end("it was closed here");
  }

  #wait(id) {
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  #send(message) {
    if (this.closed) return;
    const text = JSON.stringify(message);
    this.onmessage(text, false);
    if (this.#queue) this.#queue.push(text);
    else this.#socket.send(text);
  }

  #receive(text) {
    this.onmessage(text, true);
    const message = JSON.parse(text);
    const [kind, about] = message;
    if (kind === "resolve" || kind === "reject") this.#settle(about, kind === "resolve", message[2]);
    else if (kind === "push" || kind === "stream") this.#called(about, kind === "stream");
    else if (kind === "pipe") this.#exported.set(this.#theirs++, { chunks: [], ended: undefined });
    else if (kind === "pull") this.#send(["resolve", about, this.#answers.get(about) ?? ["undefined"]]);
    else if (kind === "release") this.#released(about);
    else if (kind === "abort") this.#end(errorOf(about).message);
  }

  #settle(id, fulfilled, expression) {
    const waiting = this.#waiting.get(id);
    const outcome = fulfilled ? Promise.resolve(expression) : Promise.reject(errorOf(expression));
    outcome.catch(() => {}); // somebody else waits, or nobody does
    if (waiting) {
      this.#waiting.delete(id);
      waiting.resolve(outcome);
    } else if (id < 0) {
      this.#settled.set(id, outcome);
    }
  }

  #called(expression, answered) {
    const id = this.#theirs++;
    const [, target, path = [], args = []] = Array.isArray(expression) ? expression : [];
    const object = this.#exported.get(target);
    if (object?.chunks) this.#piped(object, path[0], args);
    else if (object?.call) object.call(args);
    if (answered) this.#send(["resolve", id, ["undefined"]]);
    else this.#answers.set(id, ["undefined"]);
  }

  #piped(pipe, what, args) {
    if (what === "write" && pipe.onchunk) pipe.onchunk(args[0]);
    else if (what === "write") pipe.chunks.push(args[0]);
    else {
      pipe.ended = what === "abort" ? args[0] : null;
      pipe.onend?.(pipe.ended);
    }
  }

  #released(id) {
    this.#answers.delete(id);
    this.#exported.delete(id);
  }

  #end(reason) {
    if (this.closed) return;
    this.closed = reason;
    const error = new RemoteError("Closed", reason);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    this.#socket.close();
    this.onclosed(reason);
  }
}

/** What an expression of an error says. */
function errorOf(expression) {
  const [, name, message] = Array.isArray(expression) && expression[0] === "error" ? expression : [];
  return new RemoteError(String(name ?? "Error"), String(message ?? "something failed without saying why"));
}

/** Plain data, which is all that the inspector answers: arrays are escaped on the wire, and numbers may be special. */
function plain(expression) {
  if (Array.isArray(expression)) {
    if (expression.length === 1 && Array.isArray(expression[0])) return expression[0].map(plain);
    return expression[0] === "bigint" ? Number(expression[1]) : undefined;
  }
  if (expression === null || typeof expression !== "object") return expression;
  return Object.fromEntries(Object.entries(expression).map(([key, value]) => [key, plain(value)]));
}

/** The server's inspector: one method for each of `inspector/schema/inspection.py`. Every answer is one round trip. */
class Inspection {
  #session;
  #inspection; // the id of what the token opened

  constructor(session, token) {
    this.#session = session;
    this.#inspection = session.call(0, ["authenticate"], [token]);
  }

  async #ask(method, ...args) {
    const id = this.#session.call(this.#inspection, [method], args);
    try {
      return plain(await this.#session.pull(id));
    } finally {
      this.#session.release(id);
    }
  }

  about = () => this.#ask("about");
  overview = () => this.#ask("overview");
  sessions = (text, order, offset, most) => this.#ask("sessions", text, order, offset, most);
  tables = (session) => this.#ask("tables", session);
  calls = (after, session) => this.#ask("calls", after, session);
  frames = (after, session) => this.#ask("frames", after, session);
  schema = () => this.#ask("schema");
}
