"""Where members of a class stand, and what is written below them."""

from __future__ import annotations

from pathlib import Path

from capnweb_gen.frontends.python.places import doc_of, positions
from capnweb_gen.frontends.python.source import TOP, read_source
from capnweb_gen.ir import Position

TEXT = 'class A:\n    x: int\n    """How many."""\n    y = 1\n\n    def z(self):\n        """What is left."""\n'


def test_a_member_stands_where_it_is_written_and_an_inherited_one_where_the_class_is(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(TEXT, "utf-8")
    source = read_source(tmp_path / "a.py").classes["A"]
    assert positions("x", source) == (Position(line=2, column=5), Position(line=2, column=8))
    assert positions("y", source) == (Position(line=4, column=5), Position(line=4, column=5))
    assert positions("inherited", source) == (source.position, source.position)
    assert positions("x", None) == (TOP, TOP)
    assert [doc_of(name, source) for name in "xyz"] == ["How many.", None, "What is left."]
