"""`python -m examples.demo`: serves schemas/accounts.py on this machine, calls it, and shows what that took.

The last line is `demo: ok`. If a result or a number of round trips is not what the demo claims, it says so and fails.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import sys
from textwrap import dedent

from rich.console import Console
from rich.syntax import Syntax
from rich.text import Text

from capnweb_runtime import Server, connect, serve
from examples.demo.client import STEPS, Step
from examples.demo.server import Accounts, Front
from generated.accounts import PublicApiStub

console = Console(highlight=False, soft_wrap=True)


def say(*parts: str | tuple[str, str]) -> None:
    """Print one line of plain and styled parts."""
    console.print(Text.assemble(*parts))


def code_of(step: Step) -> str:
    """Return the body of a step's function as it stands in the file, without its title."""
    body = inspect.getsource(step.run).split('"""', 2)[2]
    return dedent(body.lstrip("\n").rstrip())


def show_code(code: str) -> None:
    """Print lines of Python, coloured on a terminal."""
    highlighted = Syntax(code, "python", theme="ansi_dark", background_color="default").highlight(code)
    for line in highlighted.split():
        console.print(Text("    ") + line)


def times(count: int) -> str:
    """Return a number of round trips in words."""
    return f"{count} round trip" if count == 1 else f"{count} round trips"


async def show(number: int, step: Step, server: Server, accounts: Accounts) -> bool:
    """Run one step in a session of its own; return whether it did what it claims."""
    say((f"{number}  {inspect.getdoc(step.run)}", "bold"))
    show_code(code_of(step))
    session = connect(server.http_url if step.http else server.url, PublicApiStub)
    async with session as api:
        got = await step.run(api, accounts)
        took = session.stats().round_trips
    say(("  = ", "dim"), (repr(got), "green"))
    say(("    ", ""), (times(took), "cyan"), (f", where one call after the other takes {step.one_by_one}", "dim"))
    as_claimed = got == step.result and took == step.round_trips
    if not as_claimed:
        say((f"    this should have been {step.result!r} in {times(step.round_trips)}", "bold red"))
    say()
    return as_claimed


async def main() -> int:
    """Serve, call, and show; return the exit code."""
    accounts = Accounts()
    async with serve(lambda peer: Front(accounts), "127.0.0.1", 0, path="/rpc", reflection=True, plans=True) as server:
        say(("schemas/accounts.py", "bold"), " was compiled into ", ("generated/accounts.py", "bold"))
        say("examples/demo/server.py serves it at ", (server.url, "bold"))
        say("examples/demo/client.py calls it, each step in a session of its own:")
        say()
        steps = [await show(number, step, server, accounts) for number, step in enumerate(STEPS, 1)]
    failed = steps.count(False)
    if failed:
        say((f"demo: {failed} of {len(steps)} steps went wrong", "bold red"))
        return 1
    say(("demo: ok", "bold green"))
    return 0


if __name__ == "__main__":
    # The server logs what its targets raise, and one of the steps is about an error.
    logging.getLogger("capnweb_runtime").setLevel(logging.CRITICAL)
    sys.exit(asyncio.run(main()))
