"""Metrics that need only a modality's `embed` and `features`."""
