"""A database behind capabilities: transactions that roll back when they are dropped, and cursors that are streams.

feature: objects that hear of their end
feature: streams with backpressure
feature: promise pipelining
feature: declared exceptions
problem: transactions left open by clients that vanish
problem: results that do not fit into memory
problem: a round trip for every statement
pattern: a transaction as a capability
pattern: a bounded pool, and an error that says how long one has waited
"""
