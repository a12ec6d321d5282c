"""Chromium, driven over its DevTools protocol. Rule: nothing is polled; a page says when something is so."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import tempfile
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp

from tests.browser.chromium import FLAGS

PATIENCE: Final = 60
"""Seconds after which a browser that says nothing is taken for hung."""
_LISTENING: Final = re.compile(rb"DevTools listening on (ws://\S+)")
_UNTIL: Final = """new Promise(resolve => {
  const look = () => { const found = (%s); if (found) { watching.disconnect(); resolve(found); } };
  const watching = new MutationObserver(look);
  watching.observe(document, {subtree: true, childList: true, characterData: true, attributes: true});
  look();
})"""


class Page:
    """A page.

    Attributes:
        requests: URLs that it has asked for, those of WebSockets too.
        complaints: what the browser has said against it: exceptions, and violations of its policy.
    """

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session
        self.requests: list[str] = []
        self.complaints: list[str] = []

    async def tell(self, method: str, **params: Any) -> Any:
        """Sends one command."""
        return await self._browser.tell(method, self._session, **params)

    async def evaluate(self, expression: str) -> Any:
        """What a JavaScript expression gives, once it is there."""
        answer = await self.tell("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(json.dumps(answer["exceptionDetails"])[:2000])
        return answer["result"].get("value")

    async def until(self, expression: str) -> Any:
        """Waits until a JavaScript expression is true of the page; it is looked at whenever the page changes."""
        try:
            return await asyncio.wait_for(self.evaluate(_UNTIL % expression), PATIENCE)
        except TimeoutError:
            text = await self.evaluate("document.body.innerText")
            raise AssertionError(f"never: {expression}; the page says:\n{text}\n{self.complaints}") from None

    async def press(self, key: str, code: int = 0) -> None:
        """Presses a key."""
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        key_code = code or {"Enter": 13, "Tab": 9, "ArrowDown": 40, "ArrowUp": 38, "Escape": 27}.get(key, ord(key[0]))
        common = {"key": key, "windowsVirtualKeyCode": key_code}
        await self.tell("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        await self.tell("Input.dispatchKeyEvent", type="keyUp", **common)

    async def screenshot(self) -> bytes:
        """Takes a picture, as PNG."""
        answer = await self.tell("Page.captureScreenshot", format="png")
        return base64.b64decode(answer["data"])

    def happened(self, method: str, params: dict[str, Any]) -> None:
        """Takes note of what the browser tells."""
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Network.webSocketCreated":
            self.requests.append(params["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(params["exceptionDetails"])[:1000])
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.complaints.append(params["entry"]["text"])


class Browser:
    """A running browser."""

    def __init__(self, line: aiohttp.ClientWebSocketResponse) -> None:
        self._line = line
        self._next = 0
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._pages: dict[str, Page] = {}

    async def listen(self) -> None:
        """Takes what the browser says, for as long as it says something."""
        async for message in self._line:
            told = json.loads(message.data)
            waiting = self._waiting.pop(told.get("id", 0), None)
            if waiting is not None and not waiting.done():
                if "error" in told:
                    waiting.set_exception(AssertionError(told["error"]["message"]))
                else:
                    waiting.set_result(told["result"])
            elif told.get("sessionId") in self._pages:
                self._pages[told["sessionId"]].happened(told["method"], told["params"])

    async def tell(self, method: str, session: str | None = None, **params: Any) -> Any:
        """Sends one command, and gives its answer."""
        self._next += 1
        answer = self._waiting[self._next] = asyncio.get_running_loop().create_future()
        to = {} if session is None else {"sessionId": session}
        await self._line.send_json({"id": self._next, "method": method, "params": params, **to})
        return await asyncio.wait_for(answer, 2 * PATIENCE)

    async def open(self, url: str, *, width: int = 1280, height: int = 800, dark: bool = False) -> Page:
        """Opens a page."""
        target = await self.tell("Target.createTarget", url="about:blank")
        session = await self.tell("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        page = self._pages[session["sessionId"]] = Page(self, session["sessionId"])
        for domain in ("Page", "Runtime", "Network", "Log"):
            await page.tell(f"{domain}.enable")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await page.tell("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await page.tell("Emulation.setEmulatedMedia", features=[scheme])
        await page.tell("Page.navigate", url=url)
        return page


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """Runs a browser for as long as the block lasts."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            *("chromium", *FLAGS, "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"),
            stdout=DEVNULL,
            stderr=PIPE,
            cwd=Path(profile),
        )
        assert process.stderr is not None
        saying: asyncio.Task[Any] | None = None
        try:
            async with asyncio.timeout(PATIENCE):
                while (found := _LISTENING.search(line := await process.stderr.readline())) is None:
                    assert line, "Chromium has ended"
            saying = asyncio.create_task(process.stderr.read())  # or it stops once the pipe is full
            async with (
                aiohttp.ClientSession() as http,
                http.ws_connect(found[1].decode(), max_msg_size=0) as line_to_it,
            ):
                made = Browser(line_to_it)
                listening = asyncio.create_task(made.listen())
                try:
                    yield made
                finally:
                    listening.cancel()
        finally:
            process.kill()
            await process.wait()
            if saying is not None:
                await saying
