"""A game whose state a hundred clients share: a full state once, then a delta for each tick, and no queue for the slow.

feature: objects that clients hand over, and the server calls
feature: session.stats() and the totals of a server
feature: declared exceptions
feature: a page in the browser
problem: sending everything to everybody again and again
problem: clients that fall behind, and the memory that this takes
problem: late joiners
pattern: full state, then deltas
pattern: a bound on what is on its way, and a fresh start beyond it
pattern: an authoritative server
"""
