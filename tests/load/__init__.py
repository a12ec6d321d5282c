"""Load: users of Locust that hold sessions, scenarios of the examples, and the report that `make load` writes.

`user.py` is the user class, to be copied by whoever tests a service of their own; `scenarios.py` what users do,
`running.py` runs them, `report.py` writes docs/load.md.
"""
