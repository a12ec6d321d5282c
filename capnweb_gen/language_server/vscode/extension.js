// Starts `capnweb-gen lsp` for the Python files of a workspace.
//
// Rule: all that is known of schemas is known by the server; here it is started, and told what the settings say.

"use strict";

const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

/** @type {LanguageClient | undefined} */
let client;

/** The Python that runs the server: that of the settings, or that of the Python extension, or whatever there is. */
async function interpreter() {
  const set = vscode.workspace.getConfiguration("capnweb-gen").get("interpreter");
  if (set) return set;
  const python = vscode.extensions.getExtension("ms-python.python");
  if (python !== undefined) {
    const api = python.isActive ? python.exports : await python.activate();
    const path = api?.environments?.getActiveEnvironmentPath?.()?.path;
    const found = path && (await api.environments.resolveEnvironment(path));
    if (found?.executable?.uri) return found.executable.uri.fsPath;
  }
  return process.platform === "win32" ? "python" : "python3";
}

async function start() {
  const settings = vscode.workspace.getConfiguration("capnweb-gen");
  const args = ["-P", "-m", "capnweb_gen.cli", "lsp", "--stdio", "--timeout", String(settings.get("timeout"))];
  client = new LanguageClient(
    "capnweb-gen",
    "capnweb-gen",
    { command: await interpreter(), args },
    {
      documentSelector: [{ scheme: "file", language: "python" }],
      initializationOptions: { wireNames: settings.get("wireNames") },
      synchronize: { fileEvents: vscode.workspace.createFileSystemWatcher("**/{*.py,pyproject.toml}") },
    },
  );
  try {
    await client.start();
  } catch (error) {
    const hint = "Choose a Python that has `capnweb-gen[lsp]` in the setting capnweb-gen.interpreter.";
    vscode.window.showErrorMessage(`capnweb-gen did not start: ${error}. ${hint}`);
  }
}

async function stop() {
  const running = client;
  client = undefined;
  if (running?.isRunning()) await running.stop();
}

async function restart() {
  await stop();
  await start();
}

async function generateNow() {
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined || client === undefined) return;
  await vscode.workspace.saveAll(false); // files are generated from what is on disk
  await vscode.commands.executeCommand("capnweb-gen.generate", editor.document.uri.toString());
}

async function activate(context) {
  context.subscriptions.push(
    vscode.commands.registerCommand("capnweb-gen.generateNow", generateNow),
    vscode.commands.registerCommand("capnweb-gen.restart", restart),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("capnweb-gen")) void restart();
    }),
  );
  await start();
}

module.exports = { activate, deactivate: stop };
