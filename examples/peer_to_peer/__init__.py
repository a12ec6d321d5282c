"""Peers that serve and call each other over one session, introduce each other, and take introductions back.

feature: both ends call at once
feature: capabilities passed to third parties
feature: keepalive
feature: declared exceptions
problem: permissions that cannot be taken back
problem: peers that vanish without a word
problem: two that are to work together, and neither may know the other's address
pattern: introduction
pattern: revocable forwarder (caretaker)
pattern: both ends have the same interface
"""
