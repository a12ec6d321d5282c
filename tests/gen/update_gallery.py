"""Writes docs/gallery.md: pairs of what is declared and what is generated, out of files that other tests keep true.

python -m tests.gen.update_gallery
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
GALLERY = ROOT / "docs" / "gallery.md"
UPDATE = "python -m tests.gen.update_gallery"

_GOLDEN = "tests/gen/golden"
_INTRODUCTION = (
    "What one writes, and what `capnweb-gen` makes of it. Only the classes in question are shown; the files are "
    "complete modules, which pass `mypy --strict`, pyright and `ruff format` as they are."
)


@dataclass(frozen=True)
class Exhibit:
    """One pair. `declared` and `generated` name what is shown of the two files: `Class` or `Class.member`."""

    title: str
    text: str
    schema: str
    declared: tuple[str, ...]
    output: str
    generated: tuple[str, ...]


def golden(
    title: str, text: str, case: str, declared: tuple[str, ...], generated: tuple[str, ...], output: str = "expected.py"
) -> Exhibit:
    """An exhibit from a golden case."""
    return Exhibit(title, text, f"{_GOLDEN}/{case}/schema.py", declared, f"{_GOLDEN}/{case}/{output}", generated)


def demo(title: str, text: str, declared: tuple[str, ...], generated: tuple[str, ...]) -> Exhibit:
    """An exhibit from the schema of the demo."""
    return Exhibit(title, text, "schemas/accounts.py", declared, "generated/accounts.py", generated)


EXHIBITS = (
    demo(
        "A method that returns a capability",
        "The call returns a promise that has the methods of what it promises: calling them costs no further round "
        "trip. The skeleton takes `def` and `async def` alike.",
        ("PublicApi",),
        ("PublicApiSpec", "PublicApiCalls", "PublicApiStub", "PublicApiPromise", "PublicApiTarget"),
    ),
    demo(
        "A model",
        "It is imported, never copied. Two plain functions encode it and read its fields: they look at numbers and "
        "texts themselves and leave all else to the field's codec; then the builder has the class validate the whole. "
        "The promise of one has its fields, each a promise.",
        ("Profile",),
        ("encode_profile", "read_profile", "decode_profile", "ProfilePromise"),
    ),
    demo(
        "A property, a callback, a stream",
        "Properties are promises on the calling side. A plain function can be passed; the server gets a stub of it. "
        "Streams are read with `async for`.",
        ("AuthedApi.user_name", "AuthedApi.watch", "AuthedApi.download"),
        (
            "AuthedApiSpec.user_name",
            "AuthedApiSpec.watch",
            "AuthedApiSpec.download",
            "AuthedApiCalls.user_name",
            "AuthedApiCalls.watch",
            "AuthedApiCalls.download",
            "AuthedApiTarget.user_name",
            "AuthedApiTarget.watch",
            "AuthedApiTarget.download",
        ),
    ),
    golden(
        "An interface as a pydantic schema",
        "The other way to declare. What is generated is what the equivalent `Protocol` gives.",
        "interface_models",
        ("Add", "Entry", "Follow", "Calculator"),
        ("CalculatorSpec", "CalculatorCalls", "CalculatorTarget"),
    ),
    golden(
        "Generic interfaces",
        "Each use with other type arguments is an interface of its own, whose name is made of theirs.",
        "generic_interfaces",
        ("Page", "ProfilePage", "Api.profiles", "Api.nested"),
        (
            "PageProfileSpec",
            "PageProfileCalls",
            "PageProfileTarget",
            "ProfilePageCalls",
            "ApiCalls.profiles",
            "ApiCalls.nested",
        ),
    ),
    golden(
        "Exceptions",
        "What a method declares is raised on the calling side as the very class, with its attributes; `message` is the "
        "text. Everything else arrives as an `RpcError`.",
        "raises",
        ("NotFound", "QuotaExceeded", "Directory.find", "Directory.owner"),
        (
            "NOT_FOUND",
            "QUOTA_EXCEEDED",
            "DirectorySpec.find",
            "DirectorySpec.owner",
            "DirectoryCalls.find",
            "DirectoryTarget.find",
        ),
    ),
    golden(
        "References that outlive a session",
        "A `SturdyRef` is a string on the wire, and the type argument is for type checkers: what `save` gives, "
        "`restore` takes. Making the object again is the target's business, with `capnweb_runtime.sturdy`.",
        "sturdy_refs",
        ("RoomApi", "Bookmark", "UserApi.restore"),
        ("BookmarkPromise.room", "UserApiSpec.restore", "UserApiCalls.restore", "UserApiTarget.restore"),
    ),
    golden(
        "Calls that may be made again",
        "What is marked as idempotent is repeated by a client that reconnects; see [reconnect.md](reconnect.md).",
        "idempotent",
        ("Account", "Bank"),
        ("AccountSpec", "BankSpec"),
    ),
    golden(
        "Inheritance",
        "Tables, stubs, promises and skeletons inherit as the interfaces do.",
        "inheritance",
        ("Closeable", "Loan"),
        ("CloseableSpec", "LoanSpec", "LoanCalls", "LoanStub", "LoanPromise", "LoanTarget"),
    ),
    golden(
        "Names on the wire",
        "A TypeScript peer sees camel case. Exceptions are made where they are declared.",
        "wire_names",
        ("UserStore", "LegacyStore"),
        ("UserStoreSpec", "LegacyStoreSpec"),
    ),
    golden(
        "Ways of passing parameters",
        "Positional-only, keyword-only and variadic parameters, with defaults that are the server's to apply.",
        "parameters",
        ("Search.find", "Search.by_position", "Search.any_number"),
        (
            "SearchSpec.find",
            "SearchSpec.by_position",
            "SearchSpec.any_number",
            "SearchCalls.find",
            "SearchTarget.find",
            "SearchTarget.by_position",
            "SearchTarget.any_number",
        ),
    ),
    golden(
        "Functions with a signature of their own",
        "A Protocol with `__call__` alone is a function whose parameters are those of a method. It arrives as a stub "
        "that is called like that; whatever can be called so may be passed.",
        "callback_protocols",
        ("OnItem", "Queue.on_item", "Queue.watch"),
        (
            "OnItemSpec",
            "OnItemCalls",
            "OnItemStub",
            "OnItemPromise",
            "OnItemLike",
            "QueueCalls.watch",
            "QueueTarget.on_item",
            "QueueTarget.watch",
        ),
    ),
    golden(
        "Methods that may be cancelled",
        "Their calls are cancelled once nobody wants the result; in the table of the interface it says so.",
        "cancellable",
        ("Search.find",),
        ("SearchSpec.find", "SearchCalls.find", "SearchTarget.find"),
    ),
    golden(
        "Values that may be null",
        "The promise of an optional capability is still one to call; awaiting it says whether there is something.",
        "optionals",
        ("Book.page", "Book.notes"),
        ("BookCalls.page", "BookCalls.notes", "BookTarget.page", "BookTarget.notes"),
    ),
    golden(
        "Capabilities inside models",
        "A type parameter stands for a capability: a stub where the model arrives, a target or a stub where it is "
        "given. The promise of the model has the capability's promise.",
        "capabilities_in_models",
        ("Room", "House.room", "House.rent"),
        ("RoomUserPromise", "HouseCalls.room", "HouseCalls.rent", "HouseTarget.room", "HouseTarget.rent"),
    ),
    golden(
        "Stubs for scripts and notebooks",
        "With `--blocking`, each interface has one more stub: ordinary methods, values, iterators.",
        "blocking",
        ("Bench.take", "Bench.visit", "Workshop.motto", "Workshop.bench", "Workshop.read", "Workshop.total"),
        (
            "BenchBlockingStub.take",
            "BenchBlockingStub.visit",
            "WorkshopBlockingStub.motto",
            "WorkshopBlockingStub.bench",
            "WorkshopBlockingStub.read",
            "WorkshopBlockingStub.total",
        ),
    ),
    golden(
        "TypeScript: parameters",
        "With `--backend typescript`: types for the npm package. Keyword-only parameters are properties of the last "
        "one; see [typescript.md](typescript.md).",
        "parameters",
        ("Search",),
        ("Int", "Search", "connect"),
        output="expected.ts",
    ),
    golden(
        "TypeScript: exceptions",
        "A function tells each of them from other errors, and another one makes it.",
        "raises",
        ("QuotaExceeded", "Directory.find", "Directory.owner", "Directory.download"),
        ("Directory", "QuotaExceeded", "isQuotaExceeded", "newQuotaExceeded"),
        output="expected.ts",
    ),
    golden(
        "TypeScript: functions and capabilities",
        "What is held is a stub, for which callers may give what it is a stub of.",
        "callback_protocols",
        ("OnItem", "Job", "Queue.on_item", "Queue.watch", "Queue.each", "Queue.job", "Queue.feed"),
        ("Job", "OnItem", "Queue"),
        output="expected.ts",
    ),
    golden(
        "TypeScript: enums, texts and any JSON",
        "What JavaScript has no type for has a name that says what it is.",
        "value_types",
        ("Kind", "Card", "Cash", "Site", "Registry"),
        ("IPv4Address", "Json", "Kind", "Card", "Cash", "Site", "Registry"),
        output="expected.ts",
    ),
    golden(
        "Names that are taken",
        "Whatever cannot be compiled is told with its place and what to write instead, all of it in one run.",
        "reserved_names",
        ("Refused",),
        (),
        output="diagnostics.txt",
    ),
)


def gallery() -> str:
    """The text of the gallery."""
    parts = [
        "# Gallery",
        f"<!-- Made by `{UPDATE}` from files that the tests keep true. -->",
        _INTRODUCTION,
        "\n".join(f"- [{exhibit.title}](#{_anchor(exhibit.title)})" for exhibit in EXHIBITS),
        *(_section(exhibit) for exhibit in EXHIBITS),
    ]
    return "\n\n".join(parts) + "\n"


def _section(exhibit: Exhibit) -> str:
    output = (ROOT / exhibit.output).read_text("utf-8")
    if not exhibit.generated:
        shown = f"```text\n{output}```"
    elif exhibit.output.endswith(".ts"):
        shown = f"```ts\n{typescript_excerpt(output, exhibit.generated)}\n```"
    else:
        shown = f"```python\n{excerpt(output, exhibit.generated)}\n```"
    declared = excerpt((ROOT / exhibit.schema).read_text("utf-8"), exhibit.declared)
    return (
        f"## {exhibit.title}\n\n{exhibit.text}\n\n"
        f"[{exhibit.schema}](../{exhibit.schema})\n\n```python\n{declared}\n```\n\n"
        f"[{exhibit.output}](../{exhibit.output})\n\n{shown}"
    )


def typescript_excerpt(text: str, names: tuple[str, ...]) -> str:
    """Declarations out of a generated file for TypeScript, with their comments: an empty line comes before each."""
    pieces = [
        piece
        for name in names
        for piece in re.split(r"\n\n(?=\S)", text.rstrip("\n"))
        if re.search(rf"^(export )?(type|interface|const|function) {name}\b", piece, re.MULTILINE)
    ]
    assert len(pieces) == len(names), names
    return "\n\n".join(pieces)


def _anchor(title: str) -> str:
    return "".join(letter for letter in title.lower().replace(" ", "-") if letter.isalnum() or letter == "-")


def excerpt(text: str, names: tuple[str, ...]) -> str:
    """Definitions out of a module, as they stand there; of a class of which members are named, only those."""
    lines = text.splitlines()
    found = {_name(node): node for node in ast.parse(text).body}
    pieces: list[str] = []
    for owner in dict.fromkeys(name.partition(".")[0] for name in names):
        node = found[owner]
        members = [name.partition(".")[2] for name in names if name.partition(".")[0] == owner and "." in name]
        if not members:
            pieces.append("\n".join(_lines(node, lines)))
            continue
        assert isinstance(node, ast.ClassDef)
        shown = ["\n".join(_lines(item, lines)) for member in members for item in node.body if _name(item) == member]
        assert len(shown) == len(members), (owner, members)
        gap = "\n" if all(piece.count("\n") == 0 for piece in shown) else "\n\n"
        pieces.append("\n".join([lines[node.lineno - 1], "    ...", gap.join(shown)]))
    return "\n\n\n".join(pieces)


def _lines(node: ast.stmt, lines: list[str]) -> Iterator[str]:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    yield from lines[min([node.lineno, *(decorator.lineno for decorator in decorators)]) - 1 : node.end_lineno]


def _name(node: ast.stmt) -> str:
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    return getattr(node, "name", "")


def main() -> None:
    GALLERY.write_text(gallery(), "utf-8")


if __name__ == "__main__":
    main()
