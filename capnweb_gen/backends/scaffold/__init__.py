"""Scaffolds: a first implementation of the interfaces of a schema, which then belongs to its user.

Rule: what a user wrote is never changed. Methods are added, and signatures follow the schema only where the body is
still the one that was written here.

`skeleton` reads what there is to implement from generated modules · `names` knows what the user's file calls things ·
`update` puts it into that file.
"""
