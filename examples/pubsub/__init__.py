"""Publish and subscribe over topics that servers share: whoever was away gets what they missed, or is told of a gap.

feature: callbacks
feature: topics with a type
feature: reference counting
feature: reconnection
problem: a slow subscriber fills the server's memory
problem: subscribers miss what is published while they are away
problem: subscriptions that leak
pattern: a bounded log with cursors
pattern: many servers, one stream of events
pattern: a subscription that ends with its holder
"""
