"""Schemas as people write them: from the IR to the Python module that says it.

`names` collects imports, and keeps them apart from what a class calls its members; `spelling` writes types; `lowering`
makes blocks of classes and names; `module` puts a module together and `render` prints it. What is written is compiled
to the same IR, places aside.
"""
