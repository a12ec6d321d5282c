"""A chat in which the server calls its members while they call it: rooms, presence, and a history with a cursor.

feature: both ends call at once
feature: on_broken
feature: objects that clients hand over, and the server calls
feature: clients that connect again
feature: a mount in an aiohttp application
feature: a page in the browser
problem: members who vanish without a word
problem: messages missed while away
problem: one slow reader who holds up all others
pattern: presence by holding a capability
pattern: one log, and a cursor for each reader
"""
