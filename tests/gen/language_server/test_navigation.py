"""From schemas to what was made of them, and back."""

from __future__ import annotations

from tests.gen.language_server.conftest import ACCOUNTS, SETTINGS, Write, command
from tests.gen.language_server.editor import Editor, editing

SCHEMA, GENERATED = "schemas/accounts.py", "generated/accounts.py"
SERVER = """\
from generated import accounts
from generated.accounts import AuthedApiTarget as Base


class Authed(Base):
    def me(self) -> int:
        return 1


class Loud(Authed):
    async def me(self) -> int:
        return 2


class Front(accounts.PublicApiTarget):
    async def authenticate(self, token: str) -> Authed:
        return Authed()


class Other:
    def me(self) -> int:
        return 3
"""


async def test_a_method_leads_to_stub_and_target_and_back(editor: Editor) -> None:
    assert await editor.definition(SCHEMA, "def get_prof|ile") == [
        f"{GENERATED}: def get_profile(self, user_id: int | rpc.RpcPromise[int]) -> ProfilePromise:",
        f"{GENERATED}: def get_profile(self, user_id: int) -> Profile | Awaitable[Profile]:",
    ]
    there = "async def get_profile(self, user_id: int) -> Profile:"
    for before, after in (
        ("    def get_pro", "file(self, user_id: int | rpc"),
        ("return self._call(AuthedApiSpec.get_pro", "file"),
        ("    get_pro", "file = rpc.method"),
        ("def get_profile", "(self, user_id: int) -> Profile | Awaitable"),
    ):
        assert await editor.definition_at(GENERATED, before, after) == [f"{SCHEMA}: {there}"]


async def test_interfaces_and_models_lead_to_their_classes_and_types_to_their_declarations(editor: Editor) -> None:
    assert await editor.definition(SCHEMA, "class Authed|Api") == [
        f"{GENERATED}: class AuthedApiStub(AuthedApiCalls, rpc.RpcStub):",
        f"{GENERATED}: class AuthedApiTarget(rpc.RpcTarget, spec=AuthedApiSpec):",
    ]
    assert await editor.definition(SCHEMA, "class Pro|file") == [
        f"{GENERATED}: class ProfilePromise(rpc.RpcPromise[ProfileR]):"
    ]
    assert await editor.definition(SCHEMA, "|tags: list") == [
        f"{GENERATED}: def tags(self) -> rpc.ListPromise[str, rpc.RpcPromise[str]]:"
    ]
    assert await editor.definition(SCHEMA, "token: str) -> Authed|Api") == [f"{SCHEMA}: class AuthedApi(Protocol):"]
    assert await editor.definition(GENERATED, "class ProfileProm|ise") == [f"{SCHEMA}: class Profile(BaseModel):"]
    assert await editor.definition(GENERATED, "class AuthedApiPro|mise") == [f"{SCHEMA}: class AuthedApi(Protocol):"]
    assert await editor.definition(GENERATED, "PROFILE_BUILD|ER = ") == []


async def test_methods_lead_to_their_implementations_and_back(editor: Editor) -> None:
    (editor.folder / "app").mkdir()
    (editor.folder / "app/server.py").write_text(SERVER)
    (editor.folder / ".hidden").mkdir()
    (editor.folder / ".hidden/server.py").write_text(SERVER)
    everywhere = ["app/server.py: def me(self) -> int:", "app/server.py: async def me(self) -> int:"]
    assert await editor.implementation(SCHEMA, "def m|e(") == everywhere
    assert await editor.implementation(SCHEMA, "class Authed|Api") == [
        "app/server.py: class Authed(Base):",
        "app/server.py: class Loud(Authed):",
    ]
    assert await editor.implementation_at(GENERATED, "    def m", "e(self) -> int | Awaitable[int]:") == everywhere
    assert await editor.implementation(SCHEMA, "class Pro|file") == []
    editor.open("app/server.py")
    assert await editor.definition("app/server.py", "async def m|e(") == [f"{SCHEMA}: async def me(self) -> int:"]
    assert await editor.definition("app/server.py", "class Fro|nt") == [f"{SCHEMA}: class PublicApi(Protocol):"]
    assert await editor.definition("app/server.py", "class Oth|er") == []
    editor.change("app/server.py", "class ")
    assert await editor.implementation(SCHEMA, "def m|e(") == []


async def test_scaffolds_are_implementations(editor: Editor) -> None:
    assert command(editor.folder, "scaffold", SCHEMA, "--out", "server.py").returncode == 0
    assert await editor.implementation(SCHEMA, "def authen|ticate") == [
        "server.py: async def authenticate(self, token: str) -> AuthedApiTarget | AuthedApiStub:"
    ]


async def test_inherited_and_generic_members_lead_to_every_class_that_has_them(project: Write) -> None:
    text = (
        "from typing import Protocol, TypeVar\n\nT = TypeVar('T')\n\n\n"
        "class Page(Protocol[T]):\n    def items(self) -> T: ...\n\n\n"
        "class Base(Protocol):\n    def get(self) -> Page[int]: ...\n\n\n"
        "class Sub(Base, Protocol):\n    def put(self) -> Page[str]: ...\n"
    )
    root = project(
        {
            "schemas/api.py": text,
            "server.py": "from generated.api import SubTarget\n\n\nclass Mine(SubTarget):\n    def get(self): ...\n",
        }
    )
    assert command(root).returncode == 0
    async with editing(root) as editor:
        editor.open("schemas/api.py")
        found = await editor.definition("schemas/api.py", "def ite|ms")
        assert [one.partition(": ")[2].partition("(")[0] for one in found] == ["def items"] * 4
        assert await editor.definition("generated/api.py", "class PageStrStu|b(") == [
            "schemas/api.py: class Page(Protocol[T]):"
        ]
        assert await editor.implementation("schemas/api.py", "def ge|t") == ["server.py: def get(self): ..."]
        assert await editor.implementation("schemas/api.py", "class Ba|se") == ["server.py: class Mine(SubTarget):"]


async def test_without_generated_code_nothing_leads_there(project: Write) -> None:
    async with editing(project({"schemas/accounts.py": ACCOUNTS, "pyproject.toml": SETTINGS})) as editor:
        editor.open(SCHEMA)
        assert await editor.definition(SCHEMA, "def get_prof|ile") == []
        assert await editor.implementation(SCHEMA, "def get_prof|ile") == []


async def test_a_link_to_the_project_is_the_project(project: Write) -> None:
    root = project({"schemas/accounts.py": ACCOUNTS})
    assert command(root).returncode == 0
    link = root.parent / "link"
    link.symlink_to(root)
    async with editing(link) as editor:
        editor.open(SCHEMA)
        editor.replace(SCHEMA, "-> list[int]", "-> list[object]")
        assert len(await editor.faults(SCHEMA)) == 1
        assert len(await editor.definition(SCHEMA, "def get_prof|ile")) == 2
