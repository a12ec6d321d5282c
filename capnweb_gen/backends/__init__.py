"""Back ends: each writes one language or format. What it writes depends on the schemas and on nothing else.

`python` writes stubs and skeletons, from views, with templates and nothing else · `scaffold` writes what then belongs
to its user · `markdown`, `openrpc` and `json_schema` write documents, with `json_text` · `plugins` finds back ends by
name, `options` what each can be told.
"""
