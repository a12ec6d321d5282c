// The start of the page: the token, and the connection to the server. Rule: the token is in no request line and in no history:
// it comes behind the "#" of the address, is taken from there, and is kept for this tab alone.

const KEPT = "capnweb-inspector-token";

function connectTo(token) {
  const session = new Session(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${location.pathname.replace(/\/$/, "")}/session`);
  return { session, inspection: new Inspection(session, token) };
}

async function start(token) {
  setState("lost", "Connecting");
  const { session, inspection } = connectTo(token);
  let about;
  try {
    about = await inspection.about();
  } catch (error) {
    session.close();
    if (error.name === "PermissionError") return askForToken(error.message);
    return again(token);
  }
  sessionStorage.setItem(KEPT, token);
  app.inspection = inspection;
  app.about = about;
  app.skew = about.now - Date.now();
  say(where, about.url);
  session.onclosed = () => {
    app.inspection = null;
    setState("lost");
    again(token);
  };
  app.views.try.link.hidden = !about.calls;
  root.replaceChildren(header, main);
  setState(app.paused ? "paused" : "live");
  route();
}

/** The server went away: it may come back, and know the token still if it is one of its maker's. */
function again(token) {
  setState("lost", "Not connected; trying again");
  setTimeout(() => start(token), 2000);
}

function askForToken(why) {
  sessionStorage.removeItem(KEPT);
  const field = h("input", { type: "password", ariaLabel: "Token", placeholder: "Token", autocomplete: "off", required: true });
  const submit = (event) => {
    event.preventDefault();
    start(field.value);
  };
  root.replaceChildren(
    h("form.door", { onsubmit: submit }, h("h1", {}, "Inspector"), h("p", {}, why), field, h("button.strong", { type: "submit" }, "Open")),
  );
  field.focus();
}

const header = h("header", {}, h("a.brand", { href: "#/overview" }, "Inspector"), where, nav, h("span.gap"), state, pause, theme);

document.body.append(root);
setTheme(localStorage.getItem("capnweb-inspector-theme") ?? "auto");

// A token has no slash in front, and the name of a view has.
const given = location.hash.slice(1);
if (given && !given.startsWith("/")) {
  history.replaceState(null, "", `${location.pathname}#/overview`);
  start(given);
} else {
  const token = sessionStorage.getItem(KEPT);
  if (token) start(token);
  else askForToken("Open the URL that the server has printed, or enter its token.");
}
