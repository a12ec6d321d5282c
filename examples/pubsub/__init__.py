"""Publish and subscribe over a bounded log: whoever was away gets what they missed, or is told how much is gone.

feature: callbacks
feature: reference counting
feature: reconnection
problem: a slow subscriber fills the server's memory
problem: subscribers miss what is published while they are away
problem: subscriptions that leak
pattern: a bounded log with cursors
pattern: a subscription that ends with its holder
"""
