"""A cache of several nodes: one load for all of their misses, lifetimes with jitter, and copies that are dropped.

feature: reference counting
feature: several addresses
feature: several servers on a backplane
feature: objects with one owner
problem: every client loads the same value at the same moment
problem: values that were loaded together expire together
problem: a copy elsewhere is out of date
pattern: single flight
pattern: lifetimes with jitter
pattern: invalidation between nodes
"""
