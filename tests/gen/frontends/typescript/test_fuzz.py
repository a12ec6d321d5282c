"""Whatever stands in a file, it is read or refused: no text ends in a traceback."""

from __future__ import annotations

import string
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capnweb_gen.cli.from_typescript import faults_of, printed
from capnweb_gen.frontends.typescript.reader import read_typescript
from tests.gen.typescript_golden import cases, source

SOURCES = [source(name).read_text("utf-8") for name in cases()]
WORDS = [
    *Path(__file__).with_name("words.txt").read_text("utf-8").split(),
    "\n",
    " ",
]


def read_text(folder: Path, text: str, name: str = "schema.ts") -> None:
    """Reads a text as the command does. Whatever it is, it must not raise."""
    path = folder / name
    path.write_bytes(text.encode("utf-8", "replace"))
    read = read_typescript([path], "schemas")
    if not faults_of(read):
        assert all(module.text for _, module in printed(read))


BOUNDED = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@BOUNDED
@given(text=st.text(st.characters(codec="utf-8"), max_size=200))
def test_any_text_is_read_or_refused(tmp_path: Path, text: str) -> None:
    read_text(tmp_path, text)


@BOUNDED
@given(words=st.lists(st.sampled_from(WORDS) | st.text(string.ascii_letters, min_size=1, max_size=3), max_size=60))
def test_any_words_of_the_language_are_read_or_refused(tmp_path: Path, words: list[str]) -> None:
    read_text(tmp_path, " ".join(words))


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A case, parts of which are gone, doubled, moved or replaced."""
    text = draw(st.sampled_from(SOURCES))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 40)))
        piece = draw(st.sampled_from(["", text[start:end] * 2, *WORDS]) | st.text(max_size=4))
        text = text[:start] + piece + text[end:]
    return text


@BOUNDED
@given(text=mutated(), name=st.sampled_from(["schema.ts", "schema.tsx", "schema.d.ts"]))
def test_a_case_that_was_damaged_is_read_or_refused(tmp_path: Path, text: str, name: str) -> None:
    read_text(tmp_path, text, name)


def test_types_as_deep_as_memory_are_refused(tmp_path: Path) -> None:
    deep = "[" * 5000 + "]" * 5000
    read_text(tmp_path, f"export interface A {{ a(x: string{deep}): void; b: {'Promise<' * 3000}string{'>' * 3000} }}")
    read_text(tmp_path, f"export type U = {' | '.join(f'{chr(34)}v{n}{chr(34)}' for n in range(3000))};")
    read_text(tmp_path, f"export interface A {{ a(x: {'(' * 3000}string{')' * 3000}): void }}")
    read_text(tmp_path, "export const x = " + "[" * 4000 + "]" * 4000 + " as const; export type X = typeof x;")
    chain = "".join(f"type T{n} = T{n + 1};" for n in range(500))
    read_text(tmp_path, f"export interface A {{ a(x: T0): void }} {chain} type T500 = string;")
