"""Stays as vectors of numbers, and back: values by factors, times by hazards, facts by scores."""
