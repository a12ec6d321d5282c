"""What pydantic lets a class say either holds in generated code or is refused; and docs/types.md says which.

Each case is compiled. One that holds is tried at both ends, with the code that was generated for it.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pydantic
import pytest
from pydantic import ConfigDict

from capnweb_gen.compiler import Compiled, compile_schemas
from tests.gen.pydantic_says import classes, fields, marks, settings
from tests.gen.pydantic_says.cases import HEAD, TAIL, VERSION, Case, Cases, Ends, Holds, Refused

TYPES = (Path(__file__).parents[2] / "docs/types.md").read_text("utf-8")
TABLES: Mapping[str, Cases] = {
    "Fields": fields.CASES,
    "Configuration": settings.CASES,
    "Marks and types": marks.CASES,
    "Classes": classes.CASES,
}
ALL: Mapping[str, Case] = {
    f"{table}-{name}-{index}": case
    for table, cases in TABLES.items()
    for name, found in cases.items()
    for index, case in enumerate(found)
    if case.since <= VERSION
}
HELD = {name: case for name, case in ALL.items() if isinstance(case, Holds)}
REFUSED = {name: case for name, case in ALL.items() if isinstance(case, Refused)}

# Types of pydantic that are told of where all types are, and what stands inside other types or makes them.
ELSEWHERE = {
    *("SecretStr", "SecretBytes", "FilePath", "DirectoryPath", "NewPath", "SocketPath", "AwareDatetime", "JsonValue"),
    *("EncoderProtocol", "Base64Encoder", "Tag"),
}
BESIDE_TYPES = {
    *("PlainSerializer", "WrapSerializer", "SerializeAsAny", "BeforeValidator", "AfterValidator", "PlainValidator"),
    *("WrapValidator", "SkipValidation", "InstanceOf", "ValidateAs", "WithJsonSchema", "MISSING"),
}
DECORATORS = {
    *("field_validator", "model_validator", "field_serializer", "model_serializer", "computed_field", "validate_call"),
    *("validator", "root_validator", "with_config", "create_model", "PrivateAttr", "RootModel"),
}


def module(name: str) -> str:
    return re.sub(r"\W+", "_", name).lower()


def compile_all(root: Path, package: str, cases: Mapping[str, Case]) -> Compiled:
    folder = root / package
    folder.mkdir()
    for name, case in cases.items():
        (folder / f"{module(name)}.py").write_text(HEAD + case.text + TAIL, "utf-8")
    (folder / "__init__.py").touch()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydantic has deprecated some of what is said
        return compile_schemas([folder], "capnweb-gen")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where schemas are imported from; they are forgotten again."""
    path = tmp_path_factory.mktemp("says")
    before = list(sys.path)
    sys.path.insert(0, str(path))
    yield path
    sys.path[:] = before
    for name in [name for name in sys.modules if name.partition(".")[0] in ("held", "refused", "made")]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def refusals(root: Path) -> Mapping[str, Sequence[tuple[int, str, str]]]:
    """The lines, messages and hints of what is refused, by module."""
    found: dict[str, list[tuple[int, str, str]]] = {}
    for diagnostic in compile_all(root, "refused", REFUSED).diagnostics:
        told = diagnostic.line, diagnostic.message, diagnostic.hint
        found.setdefault(Path(diagnostic.file).stem, []).append(told)
    return found


@pytest.fixture(scope="module")
def made(root: Path) -> None:
    """The generated modules of all that holds."""
    compiled = compile_all(root, "held", HELD)
    assert compiled.diagnostics == ()
    for name, text in compiled.files.items():
        (root / "made" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "made" / name).write_text(text, "utf-8")
    importlib.invalidate_caches()


@pytest.mark.parametrize("name", HELD)
@pytest.mark.usefixtures("made")
def test_it_holds_at_both_ends(name: str) -> None:
    schema, generated = (importlib.import_module(f"{package}.{module(name)}") for package in ("held", "made"))
    HELD[name].check(Ends(schema, generated))


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_where_it_stands(name: str, refusals: Mapping[str, Sequence[tuple[int, str, str]]]) -> None:
    case = REFUSED[name]
    lines = (HEAD + case.text).split("\n")
    (expected,) = (number for number, line in enumerate(lines, 1) if line.endswith("# here"))
    told = refusals.get(module(name), [])
    assert [line for line, *_ in told] == [expected], told
    ((_, message, hint),) = told
    assert case.message in message
    assert case.hint in hint


# ---- the tables


def rows(table: str) -> Mapping[str, str]:
    """What becomes of each thing that a table of the document names."""
    (text,) = re.findall(rf"^### {re.escape(table)}\n(.*?)(?=^#|\Z)", TYPES, re.MULTILINE | re.DOTALL)
    found: dict[str, str] = {}
    for line in re.findall(r"^\| `.*\|$", text, re.MULTILINE):
        names, verdict, reason = (cell.strip() for cell in line.strip("|").split(" | "))
        assert reason, line
        for name in re.findall(r"`([^`]+)`", names):
            assert name not in found, f"{name} stands in two rows"
            found[name] = verdict
    return found


def verdict(cases: Sequence[Case]) -> str:
    kinds = {type(case) for case in cases}
    return "in part" if kinds == {Holds, Refused} else "holds" if kinds == {Holds} else "refused"


@pytest.mark.parametrize("table", TABLES)
def test_the_document_says_of_each_what_its_cases_show(table: str) -> None:
    assert rows(table) == {name: verdict(cases) for name, cases in TABLES[table].items()}


def test_everything_that_this_pydantic_has_stands_in_a_table() -> None:
    arguments = inspect.signature(pydantic.Field).parameters.keys() - {"extra"}
    assert arguments <= TABLES["Fields"].keys()
    assert ConfigDict.__annotations__.keys() <= TABLES["Configuration"].keys()
    assert {*pydantic.types.__all__, *BESIDE_TYPES} - ELSEWHERE <= TABLES["Marks and types"].keys()
    assert TABLES["Classes"].keys() >= DECORATORS
