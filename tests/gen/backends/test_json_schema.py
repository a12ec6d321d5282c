"""Schemas of JSON: they are valid, and say of values on the wire what is so."""

from __future__ import annotations

import json
import posixpath
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capnweb_gen.backends.python.module_names import constant
from capnweb_runtime.core.devaluate import encode_sent
from capnweb_runtime.core.loopback import Loopback
from capnweb_runtime.core.raises import Raises, is_declared
from capnweb_runtime.core.text import dumps, loads
from tests.gen.backends.documents import GOLDEN_IR, made, references, schema_faults, value_faults
from tests.gen.conftest import Write
from tests.gen.golden.constraints import expected as constraints
from tests.gen.golden.constraints.schema import Offer
from tests.gen.golden.dictionary_keys import expected as keys
from tests.gen.golden.dictionary_keys.schema import Size, Stock
from tests.gen.golden.dictionary_keys.schema import User as Owner
from tests.gen.golden.model_kinds import expected as kinds
from tests.gen.golden.model_kinds.schema import Item, Names, Price
from tests.gen.golden.models import expected as models
from tests.gen.golden.models.schema import Address, Member, Tree
from tests.gen.golden.named_types import expected as named
from tests.gen.golden.named_types.schema import Access, Colour, Level, User
from tests.gen.golden.raises import expected as raising
from tests.gen.golden.raises.schema import NotFound, Profile, QuotaExceeded, StorageError
from tests.gen.golden.standard_types import expected as standard
from tests.gen.golden.standard_types.schema import Invoice
from tests.gen.random_schemas import schemas
from tests.gen.test_random_schemas import QUICK, imported
from tests.runtime.codec_ends import encode
from tests.runtime.pair import SyncHost

GOLDEN = Path(__file__).parents[1] / "golden"
TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
INTEGERS = st.integers(-(2**70), 2**70)


@pytest.mark.parametrize("path", GOLDEN_IR, ids=lambda path: path.parent.name)
def test_documents_of_every_golden_case_are_valid_and_refer_to_what_there_is(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = made("json-schema", path, monkeypatch)
    for name, document in documents.items():
        assert schema_faults(document) == []
        assert next(iter(document)) == "$schema"
        for reference in references(document):
            file, _, key = reference.partition("#/$defs/")
            found = documents[posixpath.normpath(posixpath.join(posixpath.dirname(name), file))] if file else document
            assert key in found["$defs"], reference


@pytest.mark.parametrize("path", GOLDEN_IR, ids=lambda path: path.parent.name)
def test_every_model_enum_new_type_exception_and_callback_is_defined(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = made("json-schema", path, monkeypatch)
    written = json.loads(path.read_text("utf-8"))
    for schema in written if isinstance(written, list) else [written]:
        defined = documents[schema["output"].removesuffix(".py") + ".schema.json"]["$defs"]
        for declared in (*schema["models"], *schema["errors"], *schema.get("callbacks", [])):
            assert declared["name"] in defined


# ---- what generated codecs send


def hold(value: Any, case: str, module: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the schema of a golden case says against the wire form of an instance of one of its models."""
    documents = made("json-schema", GOLDEN / case / "ir.json", monkeypatch)
    name = type(value).__name__
    return value_faults(encode(getattr(module, constant(name)), value), f"schema.schema.json#/$defs/{name}", documents)


TREES = st.recursive(
    st.builds(Tree, label=TEXTS),
    lambda inner: st.builds(Tree, label=TEXTS, children=st.lists(inner, max_size=3), parent=inner),
)
INSTANT = datetime(2024, 1, 31, tzinfo=UTC)
INSTANTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))
INSTANCES = {
    "models": (
        models,
        TREES
        | st.builds(Address, street=TEXTS, zip=st.text(min_size=4, max_size=6))
        | st.builds(
            Member,
            name=TEXTS,
            address=st.builds(Address, street=TEXTS, zip=st.text(min_size=4, max_size=6)),
            from_=TEXTS,
            bornAt=st.none() | INSTANTS,
            number=INTEGERS,
            meta=st.dictionaries(st.sampled_from("abc"), INTEGERS | TEXTS | st.binary(max_size=4) | st.floats()),
        ),
    ),
    "standard_types": (
        standard,
        st.builds(
            Invoice,
            number=st.uuids(),
            issued=st.dates(),
            total=st.decimals(allow_nan=False, allow_infinity=False),
            opens=st.none() | st.times(),
            due=st.timedeltas(timedelta(days=-999), timedelta(days=999)),
            tags=st.frozensets(TEXTS, max_size=3),
            lines=st.lists(st.tuples(TEXTS, st.decimals(allow_nan=False, allow_infinity=False)), max_size=2).map(tuple),
            paid_on=st.lists(st.dates(), max_size=3),
        ),
    ),
    "named_types": (
        named,
        st.builds(
            User,
            id=INTEGERS,
            colour=st.sampled_from(Colour),
            access=st.sampled_from([Access.READ, Access.BOTH, Access(0)]),
            levels=st.sets(st.sampled_from(Level)),
        ),
    ),
    "dictionary_keys": (
        keys,
        st.builds(
            Stock,
            by_number=st.dictionaries(INTEGERS, st.builds(Owner, name=TEXTS), max_size=3),
            by_id=st.dictionaries(st.sampled_from("abc"), st.lists(INTEGERS, max_size=3)),
            by_size=st.dictionaries(st.sampled_from(Size), TEXTS),
        ),
    ),
    "model_kinds": (
        kinds,
        st.builds(
            Item, name=st.text(st.characters(codec="utf-8"), min_size=1, max_size=5), price=st.integers(14, 2**60)
        )
        | st.builds(Names, st.lists(TEXTS))
        | st.builds(Price, st.integers(0, 2**60)),
    ),
    "constraints": (
        constraints,
        st.builds(Offer, discount=st.floats(0, 100), code=st.none() | st.from_regex(r'\A[A-Z]{2}"?\Z', fullmatch=True)),
    ),
}


@pytest.mark.parametrize("case", INSTANCES)
def test_what_the_codecs_of_golden_cases_send_is_what_their_schemas_say(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, instances = INSTANCES[case]

    @settings(deadline=None, max_examples=60)
    @given(value=instances)
    def check(value: Any) -> None:
        assert hold(value, case, module, monkeypatch) == []

    check()


@settings(QUICK, max_examples=25)
@given(data=st.data())
def test_what_the_codecs_of_any_schema_send_is_what_its_schema_of_json_says(
    tmp_path: Path, data: st.DataObject
) -> None:
    schema = data.draw(schemas().filter(lambda schema: schema.models))
    with pytest.MonkeyPatch.context() as monkeypatch, imported(tmp_path, schema) as (module, generated):
        assert module.__file__
        documents = made("json-schema", Path(module.__file__), monkeypatch)
        ((path, document),) = documents.items()
        for form in schema.model_forms:
            value = data.draw(form.values(module))
            wire = encode(getattr(generated, constant(form.text)), value)
            assert value_faults(wire, f"{path}#/$defs/{form.text}", documents) == [], (schema.text, document)


def test_exceptions_that_are_sent_are_what_their_schemas_say(monkeypatch: pytest.MonkeyPatch) -> None:
    documents = made("json-schema", GOLDEN / "raises" / "ir.json", monkeypatch)
    failed = StorageError("gone")
    failed.disk = "sda"
    sent = [
        (NotFound("no 7"), raising.NOT_FOUND),
        (QuotaExceeded("full", 5, INSTANT, [Profile(id=1, name="a")]), raising.QUOTA_EXCEEDED),
        (failed, raising.STORAGE_ERROR),
    ]
    for error, declaration in sent:
        assert is_declared(error, Raises([declaration]))
        wire = loads(dumps(encode_sent(error, Loopback(SyncHost()))))
        reference = f"schema.schema.json#/$defs/{type(error).__name__}"
        assert value_faults(wire, reference, documents) == []
        assert value_faults(["error", "Other", *wire[2:]], reference, documents)
        assert len(wire) == 3 or value_faults([*wire[:3], None, {}], reference, documents)


# ---- what they refuse


@pytest.mark.parametrize(
    ("case", "name", "value", "message"),
    [
        ("models", "Address", {"street": "x"}, "'zip' is a required property"),
        ("models", "Address", {"street": "x", "zip": "1234", "more": 1}, "Additional properties are not allowed"),
        ("models", "Tree", {"label": "x", "children": []}, "[] should be non-empty"),
        ("constraints", "Offer", {"discount": 101}, "101 is greater than the maximum of 100"),
        ("constraints", "Offer", {"discount": ["inf"]}, "['inf'] is not of type 'number'"),
        ("named_types", "Colour", "green", "'green' is not one of ['red', 'blue']"),
        ("named_types", "Level", 2**60, f"{2**60} is not one of [1, ['bigint', '{2**60}']]"),
        ("dictionary_keys", "Stock", {"by_number": {"x": {"name": "a"}}}, "'x' does not match"),
        ("standard_types", "Invoice", {"number": "x", "issued": "2024-01-31", "total": "1"}, "'x' does not match"),
    ],
)
def test_what_is_not_of_a_type_is_refused(
    case: str, name: str, value: object, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = made("json-schema", GOLDEN / case / "ir.json", monkeypatch)
    assert any(message in fault for fault in value_faults(value, f"schema.schema.json#/$defs/{name}", documents))


def test_what_json_schema_cannot_say_is_kept_beside(project: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    root = project(
        {
            "j1/__init__.py": "",
            "j1/api.py": """
                from dataclasses import dataclass
                from decimal import Decimal
                from typing import Annotated
                from annotated_types import Ge
                from pydantic import Field, PastDatetime

                @dataclass
                class M:
                    price: Annotated[Decimal, Ge(1)]
                    code: Annotated[str, Field(pattern="(?i)^a$", min_length=1)]
                    born: PastDatetime
                    big: Annotated[int, Ge(2**60)]
                    data: Annotated[bytes, Field(min_length=2, max_length=4)]
            """,
        }
    )
    ((_, document),) = made("json-schema", root / "j1/api.py", monkeypatch).items()
    fields = document["$defs"]["M"]["properties"]
    assert fields["price"]["x-capnweb-limits"] == {"ge": 1}
    assert (fields["code"]["x-capnweb-limits"], fields["code"]["minLength"]) == ({"pattern": "(?i)^a$"}, 1)
    assert fields["born"]["x-capnweb-limits"] == {"when": "past"}
    assert fields["big"]["anyOf"][1]["x-capnweb-limits"] == {"ge": 2**60}
    assert (fields["data"]["prefixItems"][1]["minLength"], fields["data"]["prefixItems"][1]["maxLength"]) == (3, 6)
