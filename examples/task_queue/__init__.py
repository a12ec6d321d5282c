"""Tasks that survive workers and servers that are killed: leases that are capabilities, on a backplane and a file.

feature: capabilities in models
feature: callbacks
feature: reconnection
feature: draining
feature: several servers on a backplane
problem: a worker that dies takes its task with it
problem: a worker that was slow answers after somebody else has
problem: a server that stops loses what was queued
pattern: a lease that ends with its session
pattern: fences
pattern: at-least-once delivery, completed once
pattern: dead letters
"""
