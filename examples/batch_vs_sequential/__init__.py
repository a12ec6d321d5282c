"""The same work one after the other, concurrent, pipelined, mapped and as HTTP batches, over a line that takes 20 ms.

feature: promise pipelining
feature: map()
feature: HTTP batch
problem: one network round trip for every step of a computation
problem: a program that is fast beside its server and slow everywhere else
pattern: a promise as an argument
pattern: measuring in round trips
"""
