"""Python: client stubs and server skeletons.

Lowering makes views of the IR, and `render` prints them as they are. Every decision about generated code is made on the
way: `layout` lays out lines · `scope` spells names and collects imports · `spelling` spells types · `members`, `fields`
and `blocking` make parts · `views` are the result · `module` puts it together · `reflected` is the IR as data ·
`module_names` are the names of a generated module, `check` what these cannot be · `generate` is the back end.
"""
