"""What only stays can be measured by: one file per idea, and METRICS for the manifest."""

_HERE = "semblance.modalities.vitals.metrics"

METRICS = (
    "semblance.evaluate.fidelity.margins:margins",
    f"{_HERE}.discriminative:discriminative",
    f"{_HERE}.presence:presence",
    f"{_HERE}.presence:gaps",
    f"{_HERE}.values:values",
    f"{_HERE}.values:change",
    f"{_HERE}.correlation:correlation",
    f"{_HERE}.outcome:missingness",
    f"{_HERE}.order:order",
    f"{_HERE}.mortality:transfer",
    f"{_HERE}.mortality:reverse",
    f"{_HERE}.copies:copies",
)
"""The judges of stays, for the manifest. Importing this is light."""
