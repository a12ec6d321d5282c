"""A gateway and two services: a wallet of one is spent by the other, traced and guarded on its way.

feature: capabilities passed between services
feature: deadlines that travel
feature: traces of OpenTelemetry
feature: interceptors
feature: connecting again
feature: draining
feature: several servers on a backplane
problem: a service that is down takes its callers with it
problem: a service that is restarted fails calls
problem: a slow service behind other services, and nobody knows which
problem: every service needs credentials for every other one
pattern: circuit breaker
pattern: API gateway
pattern: rolling restart
pattern: idempotency key
pattern: degraded answer
"""
