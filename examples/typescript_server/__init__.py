"""A server written in TypeScript, and a typed Python client of it: one command reads its interfaces.

feature: a front end for TypeScript
problem: a server in another language whose client nobody wants to write by hand
pattern: an API in one shared file
"""
