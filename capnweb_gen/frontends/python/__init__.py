"""Schemas that are Python modules.

`files` finds and imports them · `source` reads what only the source knows · `shapes` turns Python types into IR types ·
`models` and `records` read what travels by value, `raising` exceptions · `generics` and `instances` give generic types
their names and their places · `protocol` reads interfaces and puts a schema together · `pydantic_interfaces` reads
interfaces that are written as pydantic classes · `forgotten` recognises what was meant as an interface · `undeclared`
finds files and folders of which nothing came, `unmarked` folders that should be packages.
"""
