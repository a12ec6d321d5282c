"""Calls over a line that is cut everywhere: what is repeated, what is not, and what a client says meanwhile.

feature: reconnection
feature: idempotent methods
feature: capabilities that are got again
problem: the connection was lost, and nobody knows whether the call was carried out
problem: a payment that was made twice
problem: a page that is empty because a service is down
pattern: keys that make calls repeatable
pattern: degradation to the last known value
pattern: chaos with a fixed seed
"""
