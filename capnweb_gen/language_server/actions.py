"""What an editor offers to do at a place in a schema: mend a fault, settle what a member is called on the wire, or have
files generated.

Rule: edits of the schema alone. What writes other files is a command, which somebody has to choose.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lsprotocol import types

from capnweb_gen.frontends.python.source import FunctionSource, ModuleSource
from capnweb_gen.language_server.faults import told
from capnweb_gen.language_server.fixes import Fix, fixes
from capnweb_gen.language_server.marking import marked, unmarked
from capnweb_gen.language_server.protocol import Converter
from capnweb_gen.language_server.reading import Reading, source_of, spot_at
from capnweb_gen.language_server.renaming import entry_of, is_marked
from capnweb_gen.language_server.text import Place, Span, Text


def offered(
    params: types.CodeActionParams, path: Path, text: Text, reading: Reading, converter: Converter, command: str
) -> list[types.CodeAction]:
    """All that is offered for a part of a schema, of the kinds that the editor asks for.

    Args:
        params: what the editor asks.
        path: the schema.
        text: what is in it.
        reading: what was read.
        converter: converts for the editor.
        command: the name of the command that generates.
    """
    source, span = source_of(text, path), converter.span(params.range, text)
    actions: list[types.CodeAction] = []
    if source is not None:
        for fix, where in quick_fixes(path, text, span, source, reading):
            shown = converter.range(where, text)
            action = _action(fix, types.CodeActionKind.QuickFix, path, converter)
            action.diagnostics = [one for one in params.context.diagnostics if one.range == shown] or None
            action.is_preferred = True
            actions.append(action)
        for fix in wire_names(path, text, span.start, source, reading):
            actions.append(_action(fix, types.CodeActionKind.RefactorRewrite, path, converter))
    title = "capnweb-gen: generate now"
    run = types.Command(title, command, arguments=[params.text_document.uri])
    actions.append(types.CodeAction(title, types.CodeActionKind.Source, command=run))
    only = params.context.only
    return [one for one in actions if only is None or any(_is_kind(one.kind, wanted) for wanted in only)]


def _action(fix: Fix, kind: types.CodeActionKind, path: Path, converter: Converter) -> types.CodeAction:
    return types.CodeAction(fix.title, kind, edit=converter.edit({path: fix.edits}, versioned=False))


def _is_kind(kind: types.CodeActionKind | str | None, wanted: types.CodeActionKind | str) -> bool:
    mine, theirs = (one.value if isinstance(one, types.CodeActionKind) else str(one) for one in (kind, wanted))
    return not theirs or mine == theirs or mine.startswith(f"{theirs}.")


def quick_fixes(
    path: Path, text: Text, span: Span, source: ModuleSource, reading: Reading
) -> Iterator[tuple[Fix, Span]]:
    """What would mend the faults in a part of a schema, and where each is shown."""
    for fault, where, severity in told(path, text, reading):
        if severity == types.DiagnosticSeverity.Error and where.start <= span.end and span.start <= where.end:
            for fix in fixes(fault, where, text, source):
                yield fix, where


def wire_names(path: Path, text: Text, place: Place, source: ModuleSource, reading: Reading) -> Iterator[Fix]:
    """Writing down the name that a member has on the wire, so that it stays; or having it follow the name in Python."""
    schema, spot = reading.schema_of(path), spot_at(source, text, place)
    if schema is None or spot is None or spot.owner is None or spot.parameter is not None:
        return
    for interface, _ in reading.interfaces(spot.owner, schema):
        member = next((one for one in interface.members if one.name == spot.member), None)
        entry = entry_of(member.position, source) if member else None
        if member is None or entry is None:
            continue
        if not is_marked(entry):
            edits = tuple(sorted(marked(entry, member.wire, text, source)))
            yield Fix(f"Keep {member.wire} as the name on the wire, whatever it is called here", edits)
        elif isinstance(entry, FunctionSource) and (edit := unmarked(entry, text)) is not None:
            yield Fix(f"Have the name on the wire, now {member.wire}, follow the one here: this breaks peers", (edit,))
        return
