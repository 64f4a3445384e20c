"""Generators of stays."""
