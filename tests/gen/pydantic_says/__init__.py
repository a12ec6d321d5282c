"""What pydantic lets a class say, each with a schema that says it and what has to come of that.

`fields`, `settings`, `marks` and `classes` hold the cases; `tests/gen/test_pydantic_says.py` runs them, and checks that
they are those of the tables in `docs/types.md`.
"""
