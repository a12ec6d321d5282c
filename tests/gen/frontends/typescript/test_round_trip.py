"""From Python to TypeScript and back: the same IR, of everything that both can say.

Both can say everything but: where things stand; how a model is declared (`form`) and what its own validation calls
a field (`accepts`), since an object is an object; that a type was made of a generic one, and whether its module is
another; the names of parameters in Python, where `snake(camel(name))` is another name (`value_0`); whether a
parameter can be given by name, if it can be given by position; and the class and the stack level of a deprecation's
warning. A constant in what comes back as a typed dictionary has no default. An interface that overrides what it
inherits extends `Omit<Base, "member">`, and so has the members of that. Every Error has a message, so that it is said
of none whether that is an attribute in Python; and an attribute that may be left out may be None, whatever its default
was.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from capnweb_gen import ir, naming
from capnweb_gen.backends.typescript import generate
from capnweb_gen.cli.from_typescript import printed
from capnweb_gen.compiler import read
from capnweb_gen.frontends.typescript.reader import read_typescript
from tests.gen.frontends.typescript.test_cases import comparable
from tests.gen.golden_cases import GOLDEN
from tests.gen.random_schemas import RandomSchema, schemas

_NOT_SAID = {"position", "path", "output", "form", "accepts", "module"}


def there_and_back(folder: Path, found: tuple[ir.Schema, ...]) -> tuple[Any, Any]:
    """What schemas say, and what is read of the TypeScript that is made of them."""
    files = generate(found, "capnweb-gen")
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    again = read_typescript([folder / name for name in files])
    assert again.faults == ()
    keys = {model.name for schema in again.schemas for model in schema.models if model.form == "typed_dict"}
    return [said(schema, keys) for schema in found], [said(schema, keys) for schema in again.schemas]


def said(schema: ir.Schema, keys: set[str]) -> Any:
    """What both languages can say of a schema; `keys` are the models that come back as typed dictionaries."""
    written = schema.model_dump(mode="json")
    for model in written["models"]:
        for field in model["fields"] if model["name"] in keys else ():
            field["required"] |= field["type"]["kind"] == "literal"
    for error in written["errors"]:
        error["fields"] = [field for field in error["fields"] if field["name"] != "message"]
        for field in error["fields"]:
            if not field["required"] and field["type"]["kind"] == "optional":
                field["type"] = field["type"]["item"]
    return _said(written)


def _said(node: Any) -> Any:
    if isinstance(node, list):
        return [_said(one) for one in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _said(value) for key, value in node.items() if key not in _NOT_SAID}
    if "generic" in kept:
        kept["generic"] = None
    if "passing" in kept:
        kept["name"] = naming.camel(kept["name"])
        kept["passing"] = kept["passing"].replace("positional_only", "positional")
        kept["wire"] = kept["wire"] if kept["passing"] == "keyword" else None
    return kept


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(schema=schemas())
def test_a_random_schema_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, schema: RandomSchema) -> None:
    folder = tmp_path_factory.mktemp("there_and_back", numbered=True)
    module = folder / f"{folder.name}_schema.py"
    module.write_text(schema.text)
    found, faults = read([module])
    assert faults == []
    before, after = there_and_back(folder / "typescript", found)
    assert after == before


SAYABLE = [
    "scalars", "collections", "optionals", "streams", "parameters", "empty_interface", "web_values",
    "unions", "tagged_unions", "tuples", "callbacks", "dictionary_keys", "moments", "special_numbers",
    "callbacks", "records", "constraints", "standard_types", "foreign_models", "long_names", "open_types",
    "raises", "callback_protocols", "cancellable", "costs", "idempotent", "reflection", "sturdy_refs",
]  # fmt: skip


@pytest.mark.parametrize("case", SAYABLE)
def test_a_golden_case_comes_back_as_it_was(tmp_path: Path, case: str) -> None:
    written = json.loads((GOLDEN / case / "ir.json").read_text("utf-8"))
    listed = written if isinstance(written, list) else [written]
    before, after = there_and_back(tmp_path, tuple(ir.Schema.model_validate(one) for one in listed))
    assert after == before


PRINTED = ["tagged_unions", "open_types", "raises", "callback_protocols", "cancellable", "costs", "idempotent"]


@pytest.mark.parametrize("case", PRINTED)
def test_the_schema_written_of_what_came_back_says_the_same(
    tmp_path: Path, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = ir.Schema.model_validate(json.loads((GOLDEN / case / "ir.json").read_text("utf-8")))
    for name, text in generate((schema,), "capnweb-gen").items():
        (tmp_path / name).write_text(text)
    package = tmp_path / f"printed_{case}"
    package.mkdir()
    (package / "__init__.py").touch()
    again = read_typescript(sorted(tmp_path.glob("*.ts")), package.name)
    for one, module in printed(again):
        (package / one.output).write_text(module.text)
    monkeypatch.syspath_prepend(str(tmp_path))
    compiled, faults = read([package])
    assert faults == []
    assert [comparable(one) for one in compiled] == [comparable(one) for one in again.schemas]
