"""A calculator whose sums travel as one request: results are used as arguments before they exist.

feature: promise pipelining
feature: declared exceptions
feature: validated arguments
problem: one network round trip for every step of a computation
problem: errors that arrive as text, and have to be parsed
pattern: a promise as an argument
pattern: a typed error with attributes
"""
