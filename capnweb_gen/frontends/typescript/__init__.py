"""Schemas declared in TypeScript: from the text to the IR.

What is here, in order: `syntax` parses a file with tree-sitter; `types` and `statements` turn its tree into `nodes`,
after which nothing knows of tree-sitter; `files` follows imports; `scope` says what a name means; `objects` says what
members a type has; `shapes` says how a type travels; `declared` describes interfaces and models; `reader` puts all
together.
"""
