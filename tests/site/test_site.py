"""The site: it is built without a warning, and who reads it asks no other host for anything."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.once import made_once

ROOT = Path(__file__).parents[2]
# What a browser fetches by itself. A link that is clicked may lead anywhere.
FETCHED = {"script": "src", "img": "src", "iframe": "src", "link": "href", "source": "src", "video": "src"}
NOT_FETCHED = {"canonical", "next", "prev", "index", "search", "author", "copyright"}

pytestmark = pytest.mark.any_python


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(tmp_path_factory, "site", _build) / "html"


def _build(out: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-c", "docs/site", "-b", "dirhtml", "-W", "--keep-going", "--quiet"]
    # The doctrees are not kept beside the site, so that they are not taken for a part of it.
    built = subprocess.run(
        [*command, "-d", str(out / "trees"), "docs", str(out / "html")],
        cwd=ROOT,
        env={**os.environ, "NO_COLOR": "1"},
        text=True,
        capture_output=True,
        timeout=240,
        check=False,
    )
    assert built.returncode == 0, built.stderr


class _Fetched(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        url = given.get(FETCHED.get(tag, ""))
        if url and not NOT_FETCHED & set((given.get("rel") or "").split()):
            self.urls.append(url)


def fetched(site: Path) -> Iterator[tuple[str, str]]:
    for page in site.rglob("*.html"):
        parser = _Fetched()
        parser.feed(page.read_text("utf-8"))
        yield from ((page.relative_to(site).as_posix(), url) for url in parser.urls)
    for sheet in site.rglob("*.css"):
        for url in re.findall(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)", sheet.read_text("utf-8")):
            yield sheet.relative_to(site).as_posix(), "".join(url)


def test_a_page_that_is_read_asks_no_other_host(site: Path) -> None:
    found = list(fetched(site))
    assert len(found) > 100
    assert [(page, url) for page, url in found if re.match(r"(https?:)?//", url)] == []


def test_what_pages_fetch_is_there(site: Path) -> None:
    missing = set()
    for page, url in fetched(site):
        path = url.partition("?")[0].partition("#")[0]
        if path and not path.startswith("data:") and not (site / page).parent.joinpath(path).exists():
            missing.add((page, url))
    assert missing == set()


def test_links_say_titles_and_lead_somewhere(site: Path) -> None:
    """Names of files are for who reads a checkout; a scheme in a docstring is no address."""
    wrong = {
        (page.relative_to(site).as_posix(), link)
        for page in site.rglob("*.html")
        for link in re.findall(
            r'<a [^>]*href="https?://"|<span class="std std-\w+">[\w/.-]+\.md<', page.read_text("utf-8")
        )
    }
    assert wrong == set()


def test_a_reader_chooses_the_colours_of_drawings_too(site: Path) -> None:
    """Drawings ask for the scheme of the element that shows them."""
    style = (site / "_static/site.css").read_text("utf-8")
    assert 'body[data-theme="dark"] { color-scheme: dark; }' in style
    assert all("prefers-color-scheme" in drawing.read_text("utf-8") for drawing in (site / "_images").glob("*.svg"))


def test_every_document_is_in_the_navigation(site: Path) -> None:
    home = (site / "index.html").read_text("utf-8")
    led = set(re.findall(r'class="reference internal" href="([\w/.-]+)/"', home))
    documents = {path.relative_to(ROOT / "docs").with_suffix("").as_posix() for path in (ROOT / "docs").glob("*.md")}
    assert documents - led - {"index"} == set()


def test_the_site_can_be_searched(site: Path) -> None:
    index = (site / "searchindex.js").read_text("utf-8")
    assert "troubleshooting" in index
    assert "pipelin" in index
