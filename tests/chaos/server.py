"""A server in this process that can be cut off, and what it has done. Time and chance are the test's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from capnweb_runtime import Reconnect, SessionClosed
from capnweb_runtime.connecting.lasting import MainLastingHook
from capnweb_runtime.connecting.succession import Succession
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.sturdy import MemoryRevocations, Restorer, SturdyRef, SturdyRefs, TokenCodec, TokenKey
from capnweb_runtime.transports.memory import join
from tests.chaos.generated.bank import AccountStub, AccountTarget, BankStub, BankTarget
from tests.chaos.schema import bank as schema
from tests.chaos.schema.bank import Listing


class State:
    """What outlives sessions: what was run, and gates that calls wait at."""

    def __init__(self) -> None:
        self.ran: list[tuple[str, Any]] = []
        self.total = 0
        self.balances: dict[str, int] = {}
        self.gates: dict[str, asyncio.Event] = {}
        self.come: dict[str, asyncio.Event] = {}
        codec = TokenCodec([TokenKey("k", b"k" * 32)], issuer="https://bank.example", audience="bank")
        self.refs = SturdyRefs(codec, MemoryRevocations())
        self.accounts: Restorer[schema.Account, str, Account] = Restorer(
            "account", str, lambda name, _: Account(self, name)
        )

    def gate(self, name: str) -> asyncio.Event:
        return self.gates.setdefault(name, asyncio.Event())

    def at(self, name: str) -> asyncio.Event:
        return self.come.setdefault(name, asyncio.Event())

    def count(self, what: str) -> int:
        return sum(1 for name, _ in self.ran if name == what)

    async def pass_through(self, gate: str) -> str:
        self.at(gate).set()
        await self.gate(gate).wait()
        return gate


class Account(AccountTarget):
    def __init__(self, state: State, name: str) -> None:
        self.state = state
        self.name = name

    def balance(self) -> int:
        self.state.ran.append(("balance", self.name))
        return self.state.balances.get(self.name, 0)

    def deposit(self, amount: int) -> int:
        self.state.ran.append(("deposit", amount))
        self.state.balances[self.name] = self.state.balances.get(self.name, 0) + amount
        return self.state.balances[self.name]

    @property
    def owner(self) -> str:
        return self.name

    def sub(self, name: str) -> Account:
        self.state.ran.append(("sub", name))
        return Account(self.state, f"{self.name}/{name}")


class Bank(BankTarget):
    def __init__(self, state: State) -> None:
        self.state = state

    def get(self, key: str) -> int:
        self.state.ran.append(("get", key))
        return len(key)

    def add(self, amount: int) -> int:
        self.state.ran.append(("add", amount))
        self.state.total += amount
        return self.state.total

    def echo(self, values: list[int]) -> list[int]:
        return values

    def fail(self, message: str) -> int:
        raise LookupError(message)

    def account(self, name: str) -> Account:
        self.state.ran.append(("account", name))
        return Account(self.state, name)

    def open(self, name: str) -> Account:
        self.state.ran.append(("open", name))
        return Account(self.state, name)

    def listing(self, names: list[str]) -> Listing:
        self.state.ran.append(("listing", tuple(names)))
        accounts: list[Any] = [Account(self.state, name) for name in names]
        return Listing(title="all", first=accounts[0], rest=accounts[1:])

    async def of(self, account: AccountStub) -> str:
        return await account.owner

    def named(self, name: str) -> str:
        self.state.ran.append(("named", name))
        return name

    async def told(self, tell: Any) -> Account:
        self.state.ran.append(("told", None))
        await tell(1)
        return Account(self.state, "told")

    async def total(self, numbers: Any) -> int:
        self.state.ran.append(("total", None))
        return sum([number async for number in numbers])

    async def read(self, count: int) -> AsyncIterator[int]:
        for number in range(count):
            yield number

    async def wait(self, gate: str) -> str:
        self.state.ran.append(("wait", gate))
        return await self.state.pass_through(gate)

    async def hold(self, gate: str) -> str:
        self.state.ran.append(("hold", gate))
        return await self.state.pass_through(gate)

    def keep(self, name: str) -> SturdyRef[schema.Account]:
        return self.state.refs.mint(self.state.accounts, name, principal="client")

    async def restore(self, ref: SturdyRef[schema.Account]) -> Account:
        self.state.ran.append(("restore", None))
        return await self.state.refs.restore(ref, self.state.accounts, principal="client")

    async def seek(self, gate: str) -> str:
        self.state.ran.append(("seek", gate))
        try:
            return await self.state.pass_through(gate)
        except asyncio.CancelledError:
            self.state.at(f"{gate} given up").set()
            raise


class Clock:
    """Time that passes when the test says so: sleepers wake in the order in which they are due."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []
        self._news = asyncio.Event()

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.now + seconds, future))
        self._news.set()
        await future

    async def until_sleeping(self, count: int = 1) -> None:
        """Waits until that many have gone to sleep and not woken."""
        while len(self.sleeping) < count:
            self._news.clear()
            await self._news.wait()

    @property
    def sleeping(self) -> list[tuple[float, asyncio.Future[None]]]:
        return [(due, future) for due, future in self._sleepers if not future.done()]

    def advance(self, seconds: float) -> None:
        self.now += seconds
        due = [future for at, future in self.sleeping if at <= self.now]
        self._sleepers = self.sleeping
        for future in due:
            future.set_result(None)


class Line:
    """What a client dials: a server, in this process, whose connections can be cut."""

    def __init__(self, state: State | None = None) -> None:
        self.state = state or State()
        self.refuse: list[BaseException | None] = []  # what the next attempts come to
        self.dialled = 0
        self.client: Connection | None = None
        self.server: Connection | None = None
        self.closing = False  # whether the server closes each session at once
        self._awaited: tuple[int, asyncio.Event] = (0, asyncio.Event())

    async def dial(self) -> Connection:
        self.dialled += 1
        if self.dialled == self._awaited[0]:
            self._awaited[1].set()
        refusal = self.refuse.pop(0) if self.refuse else None
        if refusal is not None:
            raise refusal
        client, server = Connection(), Connection(Bank(self.state))
        join(client, server)
        self.client, self.server = client, server
        if self.closing:
            server.abort(SessionClosed("closed at once"), notify=False)
        return client

    async def until_dialled(self, count: int) -> None:
        """Waits until there have been that many attempts."""
        self._awaited = (count, asyncio.Event())
        if self.dialled < count:
            await self._awaited[1].wait()

    def cut(self, error: BaseException | None = None) -> None:
        """The connection is gone, with what was on its way in either direction."""
        assert self.client is not None
        assert self.server is not None
        lost = error or SessionClosed("the connection was lost")
        self.client.lost(lost)
        self.server.lost(lost)

    def policy(self, clock: Clock | None = None, **settings: Any) -> Reconnect:
        if clock is not None:
            settings |= {"clock": clock, "sleep": clock.sleep}
        else:
            settings.setdefault("sleep", lambda seconds: asyncio.sleep(0))
        settings.setdefault("random", lambda: 1.0)
        return Reconnect(**settings)


class Client:
    """One client of a line: `async with Client(line) as api`."""

    def __init__(self, line: Line, policy: Reconnect | None = None) -> None:
        self.line = line
        self.policy = policy or line.policy()

    async def __aenter__(self) -> BankStub:
        self.succession = Succession(self.line.dial, self.policy, BankStub)
        await self.succession.wait_ready()
        return BankStub(MainLastingHook(self.succession.root))

    async def __aexit__(self, *exc: object) -> None:
        self.succession.shut_down()
        await self.succession.wait_closed()


async def turns(count: int = 8) -> None:
    """Lets everything go on that can."""
    for _ in range(count):
        await asyncio.sleep(0)
