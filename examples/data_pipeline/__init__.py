"""A pipeline over batches of rows, recorded once with `map()` and run where the rows are, in one round trip.

feature: map(), nested
feature: promise pipelining
feature: declared exceptions
feature: @batched
feature: plans
problem: one network round trip for every row
problem: a query to the database for every row
problem: a round trip for every decision
problem: one malformed row spoils a batch, and nobody says which
pattern: validate, enrich and join on the server, composed by the client
pattern: errors as values, with index and path
"""
