"""Auctions that each live on one of several workers and are reached from all: made once, handed over, never doubled.

feature: objects with one owner
feature: stubs that outlast owners
feature: callbacks through another worker
feature: fenced writes
problem: two processes both believe that something is theirs
problem: a bid that is taken twice, or on two machines at once
problem: what lives in a process is gone with it
pattern: one owner per object
pattern: leader election
pattern: fencing token
"""
