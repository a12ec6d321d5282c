"""Patterns of back ends around RPC: Flask, services, Socket.IO, tests, troubleshooting, repositories."""
