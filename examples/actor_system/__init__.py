"""Actors in worker processes, passed as capabilities, under a supervisor that starts them again, and gives up in time.

feature: capabilities passed between processes
feature: arguments that are capabilities
feature: declared exceptions
feature: on_broken
problem: a process that dies takes its state and its callers with it
problem: something that dies again and again is started for ever
problem: two callers change the same state at once
pattern: actor with a mailbox
pattern: supervisor with restart strategies
pattern: journal and replay
pattern: idempotent messages
"""
