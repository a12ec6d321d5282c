"""What stands between a demo and a service: sessions, state, caches, retries, limits and a report of how it goes.

feature: sturdy references
feature: interceptors
feature: limits
feature: health checks
feature: declared exceptions
problem: sessions that expire, and have to be refreshed without a new password
problem: state that has to survive kill -9
problem: a dependency that fails now and then, or for an hour
problem: one client that asks for too much
pattern: refresh tokens that are used once
pattern: retries with backoff and jitter
pattern: circuit breaker
pattern: graceful degradation
pattern: cache with a time to live
"""
