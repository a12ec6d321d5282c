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
    "Schemas beside the code that `capnweb-gen` makes of them. Only the classes in question are shown; the files are "
    "complete modules, which pass `mypy --strict`, pyright and `ruff format` unchanged. What the other back ends make "
    "is shown in [backends.md](backends.md)."
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
        "The call returns a promise with the methods of the object that will arrive: calling them costs no further "
        "round trip. A server overrides the methods of the target with `def` or `async def`.",
        ("PublicApi",),
        ("PublicApiSpec", "PublicApiCalls", "PublicApiStub", "PublicApiPromise", "PublicApiTarget"),
    ),
    demo(
        "A model",
        "The model is imported from the schema, never copied. One plain function encodes it, another reads its fields: "
        "they check numbers and texts themselves, and leave other types to the codec of the field. Then the class "
        "validates the whole. The promise of a model has the same fields, each as a promise.",
        ("Profile",),
        ("encode_profile", "read_profile", "decode_profile", "ProfilePromise"),
    ),
    demo(
        "A property, a callback, a stream",
        "On the calling side, a property is a promise. You can pass a plain function; the server gets a stub for it. "
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
        "The other way to declare an interface. The generated code is the same as for the equivalent `Protocol`.",
        "interface_models",
        ("Add", "Entry", "Follow", "Calculator"),
        ("CalculatorSpec", "CalculatorCalls", "CalculatorTarget"),
    ),
    golden(
        "Generic interfaces",
        "Each use with other type arguments becomes an interface of its own. Its name is made from theirs.",
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
        "An exception that a method declares is raised on the calling side as the same class, with its attributes; "
        "`message` is its text. [types.md](types.md#exceptions) says how other exceptions arrive.",
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
        "A `SturdyRef` is a string on the wire. Its type argument is for type checkers: `restore` takes what `save` "
        "returned. The target makes the object again, with the help of [`capnweb_runtime.sturdy`](sturdy.md).",
        "sturdy_refs",
        ("RoomApi", "Bookmark", "UserApi.restore"),
        ("BookmarkPromise.room", "UserApiSpec.restore", "UserApiCalls.restore", "UserApiTarget.restore"),
    ),
    golden(
        "Calls that may be made again",
        "A client that reconnects repeats calls of `@idempotent` methods; see [reconnect.md](reconnect.md).",
        "idempotent",
        ("Account", "Bank"),
        ("AccountSpec", "BankSpec"),
    ),
    golden(
        "Inheritance",
        "Tables, stubs, promises and targets inherit from each other as the interfaces do.",
        "inheritance",
        ("Closeable", "Loan"),
        ("CloseableSpec", "LoanSpec", "LoanCalls", "LoanStub", "LoanPromise", "LoanTarget"),
    ),
    golden(
        "Names on the wire",
        "A TypeScript peer sees names in camel case. A member or an interface may be excepted where it is declared.",
        "wire_names",
        ("UserStore", "LegacyStore"),
        ("UserStoreSpec", "LegacyStoreSpec"),
    ),
    golden(
        "Ways of passing parameters",
        "Positional-only, keyword-only and variadic parameters. Defaults are applied by the server.",
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
        "A Protocol whose only member is `__call__` is a function, with parameters as a method has them. The other "
        "side gets a stub that is called in that way; you may pass anything that can be called in that way.",
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
        "A call is cancelled once nobody wants its result. The table of the interface has the mark.",
        "cancellable",
        ("Search.find",),
        ("SearchSpec.find", "SearchCalls.find", "SearchTarget.find"),
    ),
    golden(
        "Values that may be null",
        "The promise of an optional capability can still be called. Awaiting it gives a stub or None.",
        "optionals",
        ("Book.page", "Book.notes"),
        ("BookCalls.page", "BookCalls.notes", "BookTarget.page", "BookTarget.notes"),
    ),
    golden(
        "Capabilities inside models",
        "A type parameter stands for a capability: a stub where the model arrives, a target or a stub where you pass "
        "it. The promise of the model has a promise of the capability.",
        "capabilities_in_models",
        ("Room", "House.room", "House.rent"),
        ("RoomUserPromise", "HouseCalls.room", "HouseCalls.rent", "HouseTarget.room", "HouseTarget.rent"),
    ),
    golden(
        "Stubs for scripts and notebooks",
        "With `--blocking`, each interface has one more stub, with ordinary methods that return values and iterators.",
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
        "With `--backend typescript`: types for the npm package. Keyword-only parameters become properties of a last "
        "parameter; see [typescript.md](typescript.md).",
        "parameters",
        ("Search",),
        ("Int", "Search", "connect"),
        output="expected.ts",
    ),
    golden(
        "TypeScript: exceptions",
        "For each exception, one function recognises it among other errors, and another makes it.",
        "raises",
        ("QuotaExceeded", "Directory.find", "Directory.owner", "Directory.download"),
        ("Directory", "QuotaExceeded", "isQuotaExceeded", "newQuotaExceeded"),
        output="expected.ts",
    ),
    golden(
        "TypeScript: functions and capabilities",
        "Parameters and fields are typed as stubs; callers may also pass the object itself.",
        "callback_protocols",
        ("OnItem", "Job", "Queue.on_item", "Queue.watch", "Queue.each", "Queue.job", "Queue.feed"),
        ("Job", "OnItem", "Queue"),
        output="expected.ts",
    ),
    golden(
        "TypeScript: enums, texts and any JSON",
        "Where JavaScript has no type of its own, a named alias says what the value is.",
        "value_types",
        ("Kind", "Card", "Cash", "Site", "Registry"),
        ("IPv4Address", "Json", "Kind", "Card", "Cash", "Site", "Registry"),
        output="expected.ts",
    ),
    golden(
        "Names that are taken",
        "The compiler reports all that cannot be compiled in one run, each with its place and what to write instead.",
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
