"""A folder served as capabilities: who holds the reading one cannot write, and nobody gets out of the folder.

feature: interfaces that extend one another
feature: streams
feature: streams inside models
problem: path traversal
problem: files that are sent again though they have not changed
pattern: attenuation of a capability
pattern: cache validation with tags
"""
