"""Schemas of the measured interface."""
