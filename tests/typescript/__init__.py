"""Talks to the npm package in generated TypeScript, and what it is checked and run with."""
