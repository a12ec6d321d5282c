"""Two workers on one port with a backplane: one is killed, and whoever followed a topic there misses nothing.

feature: several servers on a backplane
feature: topics
feature: reconnection
problem: a worker that dies takes what its clients were to be told with it
problem: what was said while a client was away is lost
pattern: resuming from a cursor
pattern: calls that may be repeated
"""
