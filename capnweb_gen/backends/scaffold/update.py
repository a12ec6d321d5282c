"""Putting skeletons into the user's file: all of them into a new one, what is missing into one that is there.

Rule: the text of the user stays as it is, byte for byte. Only signatures change, of methods that still consist of
`raise NotImplementedError`.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import libcst as cst

from capnweb_gen.backends.python import layout
from capnweb_gen.backends.scaffold.names import Names, bound, code, comes_from
from capnweb_gen.backends.scaffold.skeleton import Method, Skeleton

_Body = list[cst.BaseStatement | cst.SimpleStatementLine]


@dataclass
class Updated:
    """The new text of a file, and what its user should know of it."""

    text: str
    notes: list[str] = field(default_factory=list[str])


def create(skeletons: Sequence[Skeleton], origin: str) -> Updated:
    """A new file. `origin` says of which schema."""
    doc = f"Implements {origin}. This file is yours: `capnweb-gen scaffold` only adds what is missing."
    names = Names(cst.Module([]))
    named = [(names.reserve(skeleton.name), skeleton) for skeleton in skeletons]
    classes = "\n\n".join(_class(name, skeleton, names) for name, skeleton in named)
    blocks = ["from __future__ import annotations", *_import_blocks(names.added)]
    return Updated(layout.docstring(doc, indent="") + "\n\n" + "\n\n".join(blocks) + f"\n\n\n{classes}")


def update(text: str, skeletons: Sequence[Skeleton]) -> Updated:
    """A file that is there already.

    Raises:
        libcst.ParserSyntaxError: it is not Python.
    """
    return _Update(cst.parse_module(text)).run(skeletons)


class _Update:
    """The update of one file."""

    def __init__(self, module: cst.Module) -> None:
        self._module = module
        self._body: _Body = list(module.body)
        self._classes = {node.name.value: node for node in module.body if isinstance(node, cst.ClassDef)}
        self._names = Names(module)
        self._notes: list[str] = []

    def run(self, skeletons: Sequence[Skeleton]) -> Updated:
        """Add and change what has to be."""
        modules = frozenset(skeleton.module for skeleton in skeletons)
        missing: list[tuple[str, Skeleton]] = []
        for skeleton in skeletons:
            found = [name for name, node in self._classes.items() if self._derives(node, skeleton, modules)]
            for name in found:
                self._fill(name, skeleton)
            if not found and skeleton.name in self._classes:
                self._notes.append(f"{skeleton.name} does not derive from {skeleton.target}, and was left alone")
            elif not found and self._names.is_bound(skeleton.name):
                self._notes.append(
                    f"{skeleton.name} is something else here, so that no class of that name was added: write one that "
                    f"derives from {skeleton.target}"
                )
            elif not found:
                missing.append((self._names.reserve(skeleton.name), skeleton))
        for name, skeleton in missing:
            self._body.extend(self._parsed(f"\n\n{_class(name, skeleton, self._names)}"))
        self._add_imports()
        return Updated(self._module.with_changes(body=self._body).code, self._notes)

    def _derives(self, node: cst.ClassDef, skeleton: Skeleton, modules: frozenset[str]) -> bool:
        return any(comes_from(base, skeleton, modules) for base in self._names.bases(node))

    def _fill(self, name: str, skeleton: Skeleton) -> None:
        node = self._classes[name]
        if not isinstance(node.body, cst.IndentedBlock):
            self._notes.append(f"{name} is written on one line, and was left alone")
            return
        wanted = {method.name: method for method in skeleton.methods}
        body: _Body = []
        for statement in node.body.body:
            if isinstance(statement, cst.FunctionDef) and statement.name.value in wanted:
                body.append(self._follow(name, statement, wanted[statement.name.value]))
            else:
                self._note_removed(name, statement)
                body.append(statement)
        known, unseen = self._defined(node)
        missing = [method for method in skeleton.methods if method.name not in known]
        if missing and unseen:
            names = ", ".join(method.name for method in missing)
            self._notes.append(f"{name} was not given {names}: it may inherit them from {', '.join(unseen)}")
            missing = []
        for method in missing:
            body.extend(self._parsed(f"\n{self._names.use(self._names.method(method))}"))
        changed = node.with_changes(body=node.body.with_changes(body=body))
        self._body = [changed if statement is node else statement for statement in self._body]
        self._classes[name] = changed

    def _follow(self, owner: str, node: cst.FunctionDef, method: Method) -> cst.FunctionDef:
        """A method that is there: with the signature of the schema, if nobody has written it yet."""
        spelled = self._names.method(method)
        (wanted,) = cst.parse_module(spelled.text).body
        if not isinstance(wanted, cst.FunctionDef) or _signature(node) == _signature(wanted):
            return node
        if not _is_untouched(node):
            if _parameter_names(node) != _parameter_names(wanted):
                takes = ", ".join(_parameter_names(wanted)) or "nothing"
                self._notes.append(f"{owner}.{method.name} is yours, and was left alone; the schema says: {takes}")
            return node
        self._names.use(spelled)
        return node.with_changes(
            params=wanted.params,
            returns=wanted.returns,
            asynchronous=wanted.asynchronous,
            decorators=wanted.decorators,
            whitespace_before_params=wanted.whitespace_before_params,
        )

    def _note_removed(self, owner: str, statement: cst.BaseStatement | cst.BaseSmallStatement) -> None:
        if isinstance(statement, cst.FunctionDef) and _is_untouched(statement):
            self._notes.append(f"{owner}.{statement.name.value} is not in the schema")

    def _defined(self, node: cst.ClassDef) -> tuple[set[str], list[str]]:
        """The names that a class has from this file, and its bases that are elsewhere."""
        known = {name for statement in node.body.body for name in bound(statement)}
        unseen: list[str] = []
        for base in self._names.bases(node):
            if base.text in self._classes:
                more, others = self._defined(self._classes[base.text])
                known |= more
                unseen += others
            elif not base.name.endswith("Target"):
                unseen.append(base.text)
        return known, unseen

    def _add_imports(self) -> None:
        missing = sorted(self._names.added)
        if not missing:
            return
        places = [i for i, statement in enumerate(self._body) if _is_import(statement)]
        at = places[-1] + 1 if places else _after_docstring(self._body)
        lines = "".join(f"{_import(module, [name])}\n" for module, name in missing)
        self._body[at:at] = self._parsed(lines if places else f"\n{lines}")

    def _parsed(self, text: str) -> Iterator[cst.BaseStatement]:
        """Statements for this file. Where nothing else is said, they are indented and ended as its own lines are."""
        parsed = cst.parse_module(text.replace("\n", self._module.default_newline))
        first, *others = parsed.body
        before = [*parsed.header, *_leading_lines(first)]
        yield first.with_changes(leading_lines=[line.with_changes(indent=False) for line in before])
        yield from others


def _class(name: str, skeleton: Skeleton, names: Names) -> str:
    lines = [f"class {name}({names.target(skeleton)}):"]
    if skeleton.doc:
        lines.append(layout.STEP + layout.docstring(skeleton.doc, indent=layout.STEP))
    elif not skeleton.methods:
        lines.append(f'{layout.STEP}"""Has nothing to implement."""')
    text = "\n".join(lines) + "\n"
    for index, method in enumerate(skeleton.methods):
        written = names.use(names.method(method)).splitlines(keepends=True)
        lines = [f"{layout.STEP}{line}" if line.strip() else line for line in written]
        text += ("\n" if index or skeleton.doc else "") + "".join(lines)
    return text


def _import(module: str, names: Sequence[str]) -> str:
    return layout.imported(module, names) if module else f"import {', '.join(names)}"


def _import_blocks(imports: Iterable[tuple[str, str]]) -> Iterator[str]:
    by_module: dict[str, list[str]] = {}
    for module, name in sorted(imports):
        by_module.setdefault(module, []).append(name)
    standard = [module for module in by_module if module.partition(".")[0] in {"", *sys.stdlib_module_names}]
    for block in (standard, [module for module in by_module if module not in standard]):
        if block:
            yield "\n".join(_import(module, by_module[module]) for module in block)


def _leading_lines(node: cst.CSTNode) -> Sequence[cst.EmptyLine]:
    match node:
        case cst.SimpleStatementLine() | cst.ClassDef() | cst.FunctionDef():
            return node.leading_lines
        case _:
            return ()


def _is_untouched(node: cst.FunctionDef) -> bool:
    """Whether a method is as a scaffold wrote it, docstring aside."""
    if any(code(decorator.decorator) != "property" for decorator in node.decorators):
        return False
    body = ast.parse(code(node.with_changes(leading_lines=[])).strip()).body[0]
    if not isinstance(body, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    statements = body.body[1:] if ast.get_docstring(body) is not None else body.body
    return [ast.unparse(statement) for statement in statements] == ["raise NotImplementedError"]


def _signature(node: cst.FunctionDef) -> str:
    """What a signature says, however it is laid out."""
    bare = node.with_changes(body=cst.SimpleStatementSuite([cst.Pass()]), leading_lines=[])
    return ast.unparse(ast.parse(code(bare).strip()))


def _parameter_names(node: cst.FunctionDef) -> list[str]:
    groups = (node.params.posonly_params, node.params.params, node.params.kwonly_params)
    return [parameter.name.value for group in groups for parameter in group if parameter.name.value != "self"]


def _is_import(statement: cst.CSTNode) -> bool:
    return isinstance(statement, cst.SimpleStatementLine) and any(
        isinstance(small, cst.Import | cst.ImportFrom) for small in statement.body
    )


def _after_docstring(body: Sequence[cst.CSTNode]) -> int:
    first = body[0] if body else None
    return 1 if isinstance(first, cst.SimpleStatementLine) and isinstance(first.body[0], cst.Expr) else 0
