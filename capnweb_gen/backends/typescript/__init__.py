r"""TypeScript: types and a few functions for the npm package `capnweb`, one `.ts` for each schema.

Lowering makes views of the IR, and `render` prints them as they are: `names` are names that TypeScript can have ·
`text` writes strings and comments · `survey` looks at all schemas of a run · `scope` collects imports and aliases ·
`aliases` name what TypeScript has no type for · `spelling` spells types · `members` makes methods and fields ·
`module` puts it together · `views` are the result.

It is a `.ts` and no `.d.ts`, because enums, guards of errors and `connect` are there at run time.

What TypeScript has no words for, so that a reader of the output can tell what the schema said:

- A type that JavaScript has no type for is an alias in the same file, not exported, whose comment ends with a tag:
  `/** A whole number. @capnweb int */ type Int = number;`. The tag decides, the name of the alias does not: it gets a
  `_` where something else has that name. After `@capnweb` comes

      int decimal uuid date time timedelta exact_datetime local_datetime json    the scalar of that name
      set frozenset               of a generic alias: `type SetOf<T> = T[];`; a `readonly T[]` is a `tuple[T, ...]`
      text MODULE.CLASS FORMAT    a string that a class reads
      sturdy_ref                  of a generic alias: `SturdyRef<RoomApi>`
      stub                        any capability
      new_type                    exported, under its own name
      constrained {"ge":0,...}    the limits as in the IR, as JSON on the rest of the line

  `number` is a float, `string` a str, `Uint8Array` bytes, `ArrayBuffer` a bytearray, `Date` a datetime, `unknown`
  Any, `null` None (as a result: `Promise<void>` or `Promise<void | null>`), `T[]` a list, `[A, B]` a tuple of that
  length, `Record<K, V>` or, where keys are constants, `Partial<Record<K, V>>` a dict (all of an alias writes `{ [key:
  K]: V }` and `{ [K in ...]?: V }` instead), `A | B` a union, `"a" | 1` a literal, `Blob`, `URL`, `Headers`,
  `Request`, `Response`, `ReadableStream<T>`, `WritableStream<T>` themselves, a function type a callable.
- `Open<T>`, tagged `@capnweb open`, is an enum, a literal or a union to which later versions may add.
- An enum is `export const Colour = {RED: "red"} as const` with a type of the same name; `@capnweb flag` on the
  constant of one whose numbers add up, `@capnweb partial` if it has members that are never allowed; some of its
  members are `typeof Colour.RED | typeof Colour.BLUE`.
- An interface is an `interface` that extends RpcTarget, or others that do; of a base some members of which it
  declares anew it extends `Omit<Base, "member">`. One that only has one base's members is `export type X =
  RpcTarget`, or another name, tagged `@capnweb interface`.
- A model is an alias of an object type, because npm's types let callers put promises and targets into the fields of
  those alone. One without fields is `Record<string, never>`, tagged `@capnweb model`; a root model is any other type,
  tagged `@capnweb root`. `[key: string]: unknown` says `extra="allow"`, `@capnweb forbid_extra` says
  `extra="forbid"`.
- A callback is an `interface` with nothing but a call signature. An error is one that extends Error, `readonly
  errorName: "..."` being its name on the wire; of its fields, `message` is not shown, which every Error has.
- A capability in a parameter, a model or a stream is `RpcStub<X>`; as a result, `X`. Both mean the interface.
- `?` is a field or parameter that may be left out. A field that tells the models of a union apart may not; where it
  has a default in Python, it is tagged `@capnweb optional`. The default of a parameter, unless it is None, stands in
  its documentation as JSON in backquotes: ``@param limit - Defaults to `50`.``; of a keyword-only one, in the comment
  on its property. `-Infinity`, `Infinity` and `NaN` are written so.
- Keyword-only parameters are the properties of a last parameter `options`, whose type is written out in place.
  Variadic ones are `...rest: T[]`; where keywords follow, an array whose documentation is ``@param rest - Any number
  of them.``
- `@throws {@link NotFound}` is a declared exception, `@deprecated` a deprecation; `@capnweb` with `idempotent`,
  `cancellable`, `cost 5`, `items 20`, `secret` or, on a field, `computed` says that. ``@param token - Secret.`` marks
  a parameter.
- Names are those on the wire, quoted where they are no identifiers. The name in Python is `naming.snake` of it, with
  an underscore after a keyword; where it is another, `@capnweb name e_mail` says which.
- In comments `*/` is written `*\/`, an `@` that begins a line `\@`, and `{@` `\{@`.

What is not said: whether a parameter can be given by name in Python, how a model is declared, `accepts`, the category
of a deprecation's warning, the default of an exception's attribute, and that something was made of a generic type.
"""

from __future__ import annotations

from capnweb_gen import ir
from capnweb_gen.backends.typescript import names
from capnweb_gen.backends.typescript.module import lower
from capnweb_gen.backends.typescript.render import render
from capnweb_gen.backends.typescript.survey import survey


def generate(schemas: tuple[ir.Schema, ...], command: str, /, *, validate: bool = False) -> dict[str, str]:
    """Types for the npm package `capnweb`, what tells errors apart, and what opens sessions: one file for each schema.

    Args:
        schemas: all schemas of the run.
        command: what a reader should run instead of editing a file.
        validate: check calls and results with the npm package `capnweb-validate`.

    Returns:
        Texts by path relative to the output folder.
    """
    run = survey(schemas)
    return {names.output(schema): render(lower(schema, run, command, validate=validate)) for schema in schemas}
