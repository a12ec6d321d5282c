"""A cache storm, a fallback that is never tried, a server that answers 503: what each looks like, and what cures it.

feature: deadlines
feature: health checks
feature: limits
problem: cache storm
problem: a fallback that is not triggered
problem: 503 Service Unavailable
pattern: single flight
pattern: fallback chain that says why
pattern: diagnosis of a refusal
"""
