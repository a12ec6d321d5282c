"""A cache in two processes: one load for a hundred misses, lifetimes with jitter, and copies that are dropped.

feature: reference counting
feature: capabilities as arguments
feature: several addresses
problem: every client loads the same value at the same moment
problem: values that were loaded together expire together
problem: a copy elsewhere is out of date
pattern: single flight
pattern: lifetimes with jitter
pattern: invalidation between nodes
"""
