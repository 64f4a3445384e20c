"""Signals: recordings of ECG, EEG and other waves, with beats, states and what is known of the patient."""

from __future__ import annotations

from semblance.core.modality import Modality

_HERE = "semblance.modalities.signal"

MANIFEST = Modality(
    name="signal",
    summary="recordings: ECG, EEG and other waves at one rate, with beats or states marked and facts of the patient",
    suffixes=(".hea", ".edf", ".bdf", ".arff", ".arff.gz"),
    folders=True,
    read=f"{_HERE}.read:read",
    like=f"{_HERE}.read:like",
    write=f"{_HERE}.write:write",
    output=f"{_HERE}.read:output_name",
    judged=f"{_HERE}.pieces:pieces",
    embed=f"{_HERE}.embed:embed",
    features=f"{_HERE}.embed:features",
    generators={
        "diffusion": f"{_HERE}.generators.diffusion:Diffusion",
        "floor": f"{_HERE}.generators.floor:Floor",
    },
    default="diffusion",
    floor="floor",
    pictures=f"{_HERE}.pictures:pictures",
    metrics=(
        f"{_HERE}.metrics.discriminative:discriminative",
        f"{_HERE}.metrics.interpatient:interpatient",
        f"{_HERE}.metrics.context:context_fid",
        f"{_HERE}.metrics.spectrum:power_spectrum",
        f"{_HERE}.metrics.spectrum:autocorrelation",
        f"{_HERE}.metrics.leads:cross_correlation",
        f"{_HERE}.metrics.leads:coherence",
        f"{_HERE}.metrics.values:amplitude",
        f"{_HERE}.metrics.values:intervals",
        f"{_HERE}.metrics.hrv:hrv",
        f"{_HERE}.metrics.morphology:morphology",
        f"{_HERE}.metrics.modes:modes",
        f"{_HERE}.metrics.predictive:predictive",
        f"{_HERE}.metrics.nearest:nearest",
        f"{_HERE}.copies:copies",
    ),
)
