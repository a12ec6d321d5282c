"""Front ends: each reads one way of declaring interfaces, and gives the IR.

`python` reads Python modules · `ir_json` reads the IR as JSON · `unions` says which types may stand side by side,
whoever wrote them.
"""
