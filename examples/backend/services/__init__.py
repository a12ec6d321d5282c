"""Services behind an interface: cached by keys that can be invalidated, wired by Protocols, and asked how they are.

feature: health checks
feature: map()
problem: a cache whose entries expire all at the same moment
problem: many requests that load the same thing at the same time
problem: services that import each other in a circle
problem: an optional dependency whose failure takes the whole service down
pattern: cache keys with a version
pattern: time to live with jitter
pattern: single flight
pattern: cache warming
pattern: dependency injection by Protocol
pattern: required and optional dependencies
"""
