"""The Python back end: templates print views and know nothing."""

from __future__ import annotations

import re
from pathlib import Path

import jinja2
import pytest

from capnweb_gen.backends.python import render as python
from capnweb_gen.backends.python.views import ModuleView

TEMPLATES = sorted((Path(python.__file__).parent / "templates").glob("*.j2"))
EMPTY = ModuleView(
    header="# header",
    doc='"""Doc."""',
    imports=(),
    api=7,
    models=(),
    codecs=(),
    type_variables=(),
    promises=(),
    interfaces=(),
)


def test_a_module_begins_with_its_header_and_the_number_of_the_contract() -> None:
    text = python.render(EMPTY)
    assert text.startswith('# header\n"""Doc."""\n\nfrom __future__ import annotations\n')
    assert "\nrpc.require(7)\n" in text


def test_a_package_has_a_header_too() -> None:
    assert python.render_package("# header").startswith('# header\n"""')


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_hold_no_logic_beyond_if_and_for(path: Path) -> None:
    statements = re.findall(r"{%-?\s*(\w+)", path.read_text("utf-8"))
    assert set(statements) <= {"if", "else", "endif", "for", "endfor", "include"}
    assert "|" not in "".join(re.findall(r"{{(.*?)}}", path.read_text("utf-8")))


def test_a_name_that_a_view_does_not_have_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError):
        python.render(object())  # type: ignore[arg-type]  # that it has no names is the point
