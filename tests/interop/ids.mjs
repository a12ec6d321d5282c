// Answers a list of conversations, each a list of messages as JSON texts, with what the npm package's session says to each: the
// texts that it sends, an abort last if there is one. Standard input has the conversations, standard output the answers.

import { RpcSession, RpcTarget } from "capnweb";

class Main extends RpcTarget {
  echo(value) { return value; }
  see() { return "seen"; }
  list() { return [1, 2, 3]; }
}

// A transport in memory: what is heard is given, what is said is kept.
class Transport {
  said = [];
  #heard = [];
  #waiting = null;

  async send(text) { this.said.push(text); }

  receive() {
    if (this.#heard.length) return Promise.resolve(this.#heard.shift());
    return new Promise(resolve => { this.#waiting = resolve; });
  }

  hear(text) {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting) waiting(text);
    else this.#heard.push(text);
  }

  abort() {}
}

const settle = async () => { for (let turn = 0; turn < 30; turn++) await new Promise(resolve => setImmediate(resolve)); };

process.on("unhandledRejection", () => {});
let input = "";
for await (const piece of process.stdin) input += piece;
const answers = [];
for (const conversation of JSON.parse(input)) {
  const transport = new Transport();
  new RpcSession(transport, new Main());
  for (const text of conversation) transport.hear(text);
  await settle();
  answers.push(transport.said);
}
process.stdout.write(JSON.stringify(answers), () => process.exit(0));
