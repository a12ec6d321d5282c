"""Tests of the back end for TypeScript that need no Node."""
