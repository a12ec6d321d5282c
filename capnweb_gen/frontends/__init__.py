"""Front ends: each reads one way of declaring interfaces, and gives the IR.

`files` finds and imports schema modules · `source` reads what only the source knows · `shapes` turns Python types
into IR types · `models` and `records` read what travels by value, `raising` exceptions · `generics` and `instances`
give generic types their names and their places · `protocol` reads interfaces and puts a schema together · `model`
reads interfaces that are written as models · `ir_json` reads the IR as JSON.
"""
