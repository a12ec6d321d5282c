"""A Flask application of blueprints that get what they need in a frozen context: routes, events, and RPC beside them.

feature: mounts
feature: HTTP batch
feature: validated arguments
problem: REST routes and RPC that answer differently
problem: handlers that change what all requests share
problem: a page that has to be told of changes
pattern: blueprint factory
pattern: frozen context
pattern: server-sent events
"""
