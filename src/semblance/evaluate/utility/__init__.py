"""Whether an analysis of the synthetic records reaches the same end."""
