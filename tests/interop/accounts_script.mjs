// Runs one short script against a server of schemas/accounts.py, so that its messages can be recorded and compared with those
// that the Python client sends for the same script (test_transcripts.py holds the other half, under the same names).
//
//     node accounts_script.mjs ws://127.0.0.1:PORT/ SCRIPT

import { newWebSocketRpcSession } from "capnweb";
import { TOKEN, WebSocket } from "./accounts.mjs";

const scripts = {
  async one_call(api) {
    const authed = await api.authenticate(TOKEN);
    authed[Symbol.dispose]();
  },
  async property_of_a_promise(api) {
    const authed = api.authenticate(TOKEN);
    await authed.user_name;
  },
  async pipelined_profile(api) {
    const authed = api.authenticate(TOKEN);
    await authed.get_profile(authed.me());
  },
  async attribute_of_a_promised_model(api) {
    const authed = api.authenticate(TOKEN);
    await authed.get_profile(2).name;
  },
  async map_to_models(api) {
    const authed = api.authenticate(TOKEN);
    await authed.friends().map(id => authed.get_profile(id));
  },
  async map_to_attributes(api) {
    const authed = api.authenticate(TOKEN);
    await authed.friends().map(id => authed.get_profile(id).name);
  },
  async held_stub_is_called_then_disposed(api) {
    const authed = await api.authenticate(TOKEN);
    await authed.me();
    await authed.friends();
    authed[Symbol.dispose]();
    await api.authenticate(TOKEN).me();
  },
  async rejected_call(api) {
    try { await api.authenticate("guess"); } catch { /* as it should */ }
  },
  async callback_is_handed_over(api) {
    const authed = await api.authenticate(TOKEN);
    const subscription = await authed.watch(() => {});
    await subscription.cancel();
    subscription[Symbol.dispose]();
    authed[Symbol.dispose]();
  },
  async watch_and_leave(api) {
    await api.authenticate(TOKEN).watch(() => {});
    console.log("watching");
  },
};

const [url, name] = process.argv.slice(2);
const socket = new WebSocket(url, { perMessageDeflate: false });
await scripts[name](newWebSocketRpcSession(socket));
socket.close();
