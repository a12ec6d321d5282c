"""Socket.IO and RPC in one application: events for the pages that exist, calls for the programs that come.

feature: mounts
feature: validated arguments
problem: an event handler that raises, and a client that waits for ever
problem: payloads of events that nobody has checked
pattern: registration of event handlers with a context
pattern: one error event of one form
pattern: RPC beside an older protocol
"""
