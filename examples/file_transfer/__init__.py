"""Large files up and down as streams, with progress, and resumed where a cut connection or a killed server left off.

feature: streams in both directions
feature: callbacks
feature: declared exceptions
problem: files that do not fit into memory
problem: transfers that start again from the beginning
pattern: an upload as a capability with an offset
pattern: progress by callback
"""
