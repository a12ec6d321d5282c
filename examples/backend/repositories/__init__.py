"""Customers in SQLite, PostgreSQL or MongoDB behind one repository, chosen by a URL, served to typed clients.

feature: declared exceptions
feature: streams
problem: ids that arrive in three spellings
problem: a database user who may not list collections
problem: queries all over the code
pattern: repository
pattern: factory by URL
pattern: safe discovery
pattern: normalised ids
"""
