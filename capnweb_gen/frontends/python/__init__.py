"""Schemas that are Python modules.

`files` finds them, `texts` has what is in them, `importing` imports them · `source` reads what only the source knows,
`statements` and `branches` which part of it counts · `aliases` and `annotations` tell what names mean · `shapes` turns
Python types into IR types, `values` those of libraries · `models` and `records` read what travels by value,
`pydantic_fields` what pydantic says of it, `raising` exceptions, `callback_reader` functions · `generics` and
`instances` give generic types their names and their places · `protocol` reads interfaces and puts a schema together ·
`pydantic_interfaces` reads interfaces that are written as pydantic classes · `forgotten` recognises what was meant as
an interface · `undeclared` finds files and folders of which nothing came, `unmarked` folders that should be packages ·
`type_names` and `failures` put types and faults into words.
"""
