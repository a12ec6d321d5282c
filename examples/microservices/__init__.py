"""A gateway in FastAPI that speaks REST to browsers and Cap'n Web to two services, and to programs at the same port.

feature: mount in an ASGI application
feature: pools of sessions
feature: health checks
feature: deadlines
feature: typed fakes
problem: browsers and curl want REST, services want types
problem: a dependency is down, and every request hangs
problem: a web application that can be tested only with its services running
pattern: backend for frontend
pattern: dependency injection
pattern: 503 with Retry-After
compiled with: --fakes
"""
