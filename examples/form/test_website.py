"""A page and the mount that it calls are on one port, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import ClientSession

from capnweb_runtime import connect
from capnweb_runtime.mounts.aiohttp import CapnwebAiohttp
from examples.calculator.generated.calculator import CalculatorStub
from examples.calculator.server import Calculator
from examples.form.website import installed_capnweb, serve_page


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A page, beside something that is nobody's business, in a project with an npm package."""
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "node_modules/capnweb/dist").mkdir(parents=True)
    (tmp_path / "node_modules/capnweb/dist/index.js").write_text("export {};")
    page = tmp_path / "page"
    page.mkdir()
    (page / "index.html").write_text("<title>A page</title>")
    (page / "page.js").write_text("// a script")
    return page


def calculator() -> CapnwebAiohttp:
    return CapnwebAiohttp(lambda peer: Calculator())


async def test_page_package_and_mount_are_served_and_scripts_of_others_are_not_run(folder: Path) -> None:
    async with (
        serve_page(folder, calculator(), capnweb=installed_capnweb(folder)) as website,
        ClientSession() as client,
    ):
        for path, text in (("", "<title>A page"), ("page.js", "// a script"), ("capnweb/index.js", "export")):
            async with client.get(website.page + path) as answer:
                assert answer.status == 200
                assert (await answer.text()).startswith(text)
                assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        for path in ("%2e%2e/secret.txt", "capnweb/%2e%2e/%2e%2e/%2e%2e/secret.txt", "secret.txt"):
            async with client.get(website.page + path) as answer:
                assert answer.status in {403, 404}
        async with connect(website.rpc, CalculatorStub) as api:
            assert await api.add(1, 2) == 3


async def test_without_the_package_the_page_says_how_to_get_it_and_programs_are_served(folder: Path) -> None:
    async with serve_page(folder, calculator()) as website, ClientSession() as client:
        async with client.get(website.page) as answer:
            assert answer.status == 503
            assert "npm install capnweb" in await answer.text()
        async with connect(website.rpc, CalculatorStub) as api:
            assert await api.add(1, 2) == 3


def test_the_package_is_found_in_a_folder_above(folder: Path) -> None:
    assert installed_capnweb(folder) == folder.parent / "node_modules/capnweb"
    (folder.parent / "node_modules/capnweb/dist/index.js").unlink()
    assert installed_capnweb(folder) != folder.parent / "node_modules/capnweb"
