"""Back ends: each writes one language. What it writes depends on the schemas and on nothing else.

`python` writes stubs and skeletons, from views, with templates and nothing else · `scaffold` writes what then belongs
to its user · `plugins` finds back ends that others have written.
"""
