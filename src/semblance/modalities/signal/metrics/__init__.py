"""What only signals can be measured by: one file per idea, and METRICS for the manifest."""

_HERE = "semblance.modalities.signal"

METRICS = (
    "semblance.evaluate.fidelity.margins:margins",
    f"{_HERE}.metrics.discriminative:discriminative",
    f"{_HERE}.metrics.gru:discriminative",
    f"{_HERE}.metrics.context:context_fid",
    f"{_HERE}.metrics.spectrum:power_spectrum",
    f"{_HERE}.metrics.spectrum:autocorrelation",
    f"{_HERE}.metrics.leads:cross_correlation",
    f"{_HERE}.metrics.leads:coherence",
    f"{_HERE}.metrics.values:amplitude",
    f"{_HERE}.metrics.values:intervals",
    f"{_HERE}.metrics.hrv:hrv",
    f"{_HERE}.metrics.morphology:morphology",
    f"{_HERE}.metrics.delineation:delineation",
    f"{_HERE}.metrics.modes:modes",
    f"{_HERE}.metrics.interpatient:interpatient",
    f"{_HERE}.metrics.predictive:predictive",
    f"{_HERE}.metrics.gru:predictive",
    f"{_HERE}.metrics.nearest:nearest",
    f"{_HERE}.copies:copies",
)
"""The judges of signals, for the manifest. Importing this is light."""
