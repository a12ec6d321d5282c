"""Rows stream in and windows stream out of one call, exactly; a slow reader slows the source down, and fills no memory.

feature: streams in both directions
feature: flow control
feature: validated chunks
feature: a page in the browser
problem: sums over windows of time, while the rows still come
problem: a slow consumer that fills the memory
problem: rows that come late, or are malformed
pattern: a stream as argument and a stream as result
pattern: backpressure from end to end
pattern: tumbling and sliding windows made of panes
"""
