// Runs the extension with stand-ins for Visual Studio Code and its client library, and prints what it does with them.

"use strict";

const Module = require("module");

const [extension, settings] = [process.argv[2], JSON.parse(process.argv[3])];
const said = [];
const commands = {};
let configured;

class LanguageClient {
  constructor(id, name, server, options) {
    said.push({ server, options: { ...options, synchronize: undefined } });
  }
  async start() {
    said.push("started");
    if (settings.fails) throw new Error("spawn ENOENT");
  }
  async stop() {
    said.push("stopped");
  }
  isRunning() {
    return true;
  }
}

const vscode = {
  workspace: {
    getConfiguration: (section) => ({ get: (name) => settings[`${section}.${name}`] }),
    createFileSystemWatcher: (glob) => glob,
    onDidChangeConfiguration: (listener) => (configured = listener),
    saveAll: async () => said.push("saved"),
  },
  extensions: {
    getExtension: () =>
      settings.selected && {
        isActive: false,
        activate: async () => ({
          environments: {
            getActiveEnvironmentPath: () => ({ path: "selected" }),
            resolveEnvironment: async () => ({ executable: { uri: { fsPath: settings.selected } } }),
          },
        }),
      },
  },
  window: {
    activeTextEditor: { document: { uri: "file:///schemas/api.py" } },
    showErrorMessage: (message) => said.push(message),
  },
  commands: {
    registerCommand: (name, run) => (commands[name] = run),
    executeCommand: async (...told) => said.push(told),
  },
};

const load = Module._load;
Module._load = (name, ...others) =>
  ({ vscode, "vscode-languageclient/node": { LanguageClient } })[name] ?? load(name, ...others);

async function main() {
  const { activate, deactivate } = require(extension);
  await activate({ subscriptions: [] });
  await commands["capnweb-gen.generateNow"]();
  await commands["capnweb-gen.restart"]();
  configured({ affectsConfiguration: (section) => section === "other" });
  await deactivate();
  console.log(JSON.stringify({ said, commands: Object.keys(commands) }));
}

main();
