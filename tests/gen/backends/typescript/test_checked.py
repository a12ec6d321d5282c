"""Classes that check for a target: complete, and by the names on the wire."""

from __future__ import annotations

from capnweb_gen import ir
from capnweb_gen.backends.typescript import generate

PLACE = ir.Position(line=1, column=1)
TEXT = ir.Scalar(name="str")


def test_every_member_is_handed_on_also_inherited_ones_and_odd_names() -> None:
    base = ir.Interface(
        name="Base", members=(ir.Method(name="get", wire="get-it", result=TEXT, position=PLACE),), position=PLACE
    )
    member = ir.Property(name="size", wire="size", type=TEXT, position=PLACE)
    api = ir.Interface(name="Api", members=(member,), bases=(ir.Reference(module="m", name="Base"),), position=PLACE)
    schema = ir.Schema(module="m", path="m.py", output="m.py", interfaces=(base, api))
    text = generate((schema,), "capnweb-gen", validate=True)["m.ts"]
    checked = text[text.index("export class CheckedApi extends RpcTarget implements Api {") :]
    assert 'get size(): Api["size"] {\n    return this.#target.size;' in checked
    call = '"get-it"(...args: Parameters<Api["get-it"]>): ReturnType<Api["get-it"]> {'
    assert f'{call}\n    return this.#target["get-it"](...args);' in checked


def test_nothing_is_checked_of_what_has_no_members_and_nothing_unless_asked() -> None:
    schema = ir.Schema(module="m", path="m.py", output="m.py", interfaces=(ir.Interface(name="Api", position=PLACE),))
    assert "capnweb-validate" not in generate((schema,), "capnweb-gen", validate=True)["m.ts"]
    assert "void | null" not in generate((schema,), "capnweb-gen")["m.ts"]


def test_a_result_that_is_nothing_may_be_null_where_it_is_checked() -> None:
    nothing = ir.Method(name="close", wire="close", result=ir.Scalar(name="none"), position=PLACE)
    schema = ir.Schema(
        module="m",
        path="m.py",
        output="m.py",
        interfaces=(ir.Interface(name="Api", members=(nothing,), position=PLACE),),
    )
    assert "close(): Promise<void | null>;" in generate((schema,), "capnweb-gen", validate=True)["m.ts"]
    assert "close(): Promise<void>;" in generate((schema,), "capnweb-gen")["m.ts"]
