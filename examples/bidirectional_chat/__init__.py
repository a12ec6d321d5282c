"""A chat in which the server calls its members while they call it: rooms and presence that servers share, and a cursor.

feature: both ends call at once
feature: on_broken
feature: topics with a type
feature: presence
feature: clients that connect again
feature: a mount in an aiohttp application
feature: a page in the browser
problem: members who vanish without a word
problem: messages missed while away
problem: one slow reader who holds up all others
pattern: presence by holding a capability
pattern: one stream of events, and a cursor for each reader
pattern: many servers, one stream of events
"""
