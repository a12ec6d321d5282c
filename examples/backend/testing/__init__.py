"""How a service is tested: with doubles for what it depends on, its health, its routes, its calls, and a bad line.

feature: testing kit
feature: generated fakes
feature: health checks
problem: mocks that go on to pass when the interface has changed
problem: a test that waits for a server of somebody else
pattern: double by Protocol
pattern: fault injection
pattern: test of a required and of an optional dependency
compiled with: --fakes
"""
