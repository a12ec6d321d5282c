"""Writing a schema again: what was changed by hand stays, or nothing is written."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capnweb_gen.backends.schema.keeping import Kept, NotPythonError, keep, record
from capnweb_gen.backends.schema.module import Printed
from capnweb_gen.cli.from_typescript import printed
from capnweb_gen.frontends.typescript.reader import read_typescript

BOOKS = """
export interface Book { title: string; year: number }
export interface Library { book(number: number): Promise<Book>; count(): Promise<number> }
"""
MORE = """
export type Genre = "novel" | "other";
export interface Author { name: string; born: Date }
export interface Book { title: string; year: number }
export interface Library { book(number: number): Promise<Book>; count(): Promise<number> }
export interface Shop { buy(genre: Genre): Promise<Author> }
"""
CHANGED = BOOKS.replace("year: number", "year: number; pages: bigint")
FEWER = "export interface Library { count(): Promise<number> }"


def module(folder: Path, text: str) -> Printed:
    """What is printed of a text of TypeScript."""
    (folder / "books.ts").write_text(text)
    read = read_typescript([folder / "books.ts"], "schemas")
    assert read.faults == ()
    (found,) = [one for _, one in printed(read)]
    return found


def edited(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new, 1)


def test_a_file_that_nobody_has_touched_is_written_anew(tmp_path: Path) -> None:
    before = record(module(tmp_path, BOOKS))
    for text in (MORE, CHANGED, FEWER):
        after = module(tmp_path, text)
        assert keep(before, after) == Kept(record(after))


def test_what_was_changed_stays_while_its_source_is_the_same(tmp_path: Path) -> None:
    before = edited(record(module(tmp_path, BOOKS)), "year: float", "year: int")
    kept = keep(before, module(tmp_path, MORE))
    assert (kept.conflicts, kept.changed) == ([], ["Book"])
    assert "    year: int\n" in kept.text
    assert "class Shop(Protocol):" in kept.text
    assert 'Genre = Literal["novel", "other"]' in kept.text
    ast.parse(kept.text)
    again = keep(kept.text, module(tmp_path, MORE))
    assert again.text == kept.text


def test_what_was_changed_on_both_sides_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    before = edited(record(module(tmp_path, BOOKS)), "year: float", "year: int")
    (conflict,) = keep(before, module(tmp_path, CHANGED)).conflicts
    assert conflict.message == "Book was changed here, and would be written otherwise than before"
    assert before.splitlines()[conflict.line - 1] == "class Book(BaseModel):"
    assert "year: int" in conflict.before
    assert "pages: int" in conflict.after


def test_what_was_changed_here_and_is_gone_there_is_told(tmp_path: Path) -> None:
    before = edited(record(module(tmp_path, BOOKS)), "year: float", "year: int")
    (conflict,) = keep(before, module(tmp_path, FEWER)).conflicts
    assert conflict.message == "Book was changed here, and is not declared any more"


def test_what_was_taken_away_stays_away_while_its_source_is_the_same(tmp_path: Path) -> None:
    text = record(module(tmp_path, MORE))
    start, end = text.index("\n\nclass Shop"), text.index("\n\n# What from")
    without = text[:start] + text[end:]
    kept = keep(without, module(tmp_path, MORE))
    assert (kept.conflicts, kept.text) == ([], without)
    changed = MORE.replace("buy(genre", "sell(genre")
    (conflict,) = keep(without, module(tmp_path, changed)).conflicts
    assert conflict.message == "Shop was removed here, and has changed since"


def test_what_people_add_stays_with_what_it_imports(tmp_path: Path) -> None:
    before = edited(record(module(tmp_path, BOOKS)), "from pydantic", "from decimal import Decimal\n\nfrom pydantic")
    before = edited(before, "\n\nclass Library", "\n\nclass Price(BaseModel):\n    amount: Decimal\n\n\nclass Library")
    kept = keep(before, module(tmp_path, MORE))
    assert kept.conflicts == []
    assert "class Price(BaseModel):\n    amount: Decimal\n" in kept.text
    assert "from decimal import Decimal\n" in kept.text
    assert "from datetime import datetime\n" in kept.text


def test_a_class_of_somebodys_own_is_not_replaced_by_a_new_one(tmp_path: Path) -> None:
    before = edited(
        record(module(tmp_path, BOOKS)), "\n\nclass Library", "\n\nclass Shop:\n    pass\n\n\nclass Library"
    )
    (conflict,) = keep(before, module(tmp_path, MORE)).conflicts
    assert conflict.message == "Shop is something else here"


def test_imports_that_changed_classes_need_stay(tmp_path: Path) -> None:
    dated = "export interface Day { at: Date }\nexport interface Days { day(): Promise<Day>; now(): Promise<Date> }"
    before = edited(record(module(tmp_path, dated)), "at: datetime", "at: datetime\n    until: datetime")
    kept = keep(before, module(tmp_path, dated.replace("Promise<Date>", "Promise<string>")))
    assert kept.conflicts == []
    assert "from datetime import datetime\n" in kept.text


def test_either_text_may_be_preferred(tmp_path: Path) -> None:
    before = edited(record(module(tmp_path, BOOKS)), "year: float", "year: int")
    after = module(tmp_path, CHANGED)
    assert keep(before, after, prefer="ours").text == record(after)
    theirs = keep(before, after, prefer="theirs")
    assert theirs.conflicts == []
    assert "year: int" in theirs.text
    assert keep(theirs.text, after) == Kept(theirs.text, [], ["Book"])  # from now on it is known


def test_a_file_that_was_not_written_here_is_not_replaced(tmp_path: Path) -> None:
    after = module(tmp_path, BOOKS)
    (conflict,) = keep("class Book: ...\n", after).conflicts
    assert "was not written by from-typescript" in conflict.message
    assert keep(after.text, after).text == record(after)


def test_a_file_that_is_not_python_is_an_error(tmp_path: Path) -> None:
    after = module(tmp_path, BOOKS)
    with pytest.raises(NotPythonError):
        keep(record(after).replace("class Book", "class class"), after)


LINES = st.sampled_from(["# a remark", "x = 1", "class Own:\n    pass", "    note: str", "import json", "", "@final"])


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    places=st.lists(st.tuples(st.floats(0, 1), LINES, st.booleans()), min_size=1, max_size=5),
    text=st.sampled_from([BOOKS, MORE, CHANGED, FEWER]),
)
def test_no_line_that_somebody_wrote_is_ever_lost(
    tmp_path: Path, places: list[tuple[float, str, bool]], text: str
) -> None:
    written = record(module(tmp_path, BOOKS)).split("\n")
    known, lines = set(written), list(written)
    for share, line, instead in places:
        place = int(share * len(lines))
        lines[place : place + instead] = [line]
    before = "\n".join(lines)
    try:
        kept = keep(before, module(tmp_path, text))
    except NotPythonError:
        return
    if not kept.conflicts:
        own = [line for line in before.split("\n") if line.strip() and line not in known]
        after = kept.text.split("\n")
        assert all(after.count(line) >= own.count(line) for line in own)
