"""Whether the records look real: metrics that need only a modality's `embed` and `features`."""
