"""Programs that check implementations of the protocol against each other: a server of the conformance interface, and a
client that checks any server of it.
"""
