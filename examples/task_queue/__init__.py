"""Tasks that survive workers and servers that are killed: leases that are capabilities, over a file of SQLite.

feature: capabilities in models
feature: callbacks
feature: reconnection
feature: draining
problem: a worker that dies takes its task with it
problem: a worker that was slow answers after somebody else has
problem: a server that stops loses what was queued
pattern: a lease that ends with its session
pattern: at-least-once delivery, completed once
pattern: dead letters
"""
