"""Vitals: irregular records of stays as (time, channel, value), with statics and outcomes."""

from __future__ import annotations

from semblance.core.modality import Modality
from semblance.modalities.vitals.metrics import METRICS

_HERE = "semblance.modalities.vitals"

MANIFEST = Modality(
    name="vitals",
    summary="stays: vital signs and laboratory values as (time, channel, value), irregular and gappy, with an outcome",
    suffixes=(".vitals.csv", ".vitals.parquet"),
    folders=True,
    read=f"{_HERE}.read:read",
    declared=f"{_HERE}.public:read",
    private="diffusion",
    audit=f"{_HERE}.audit:audit",
    like=f"{_HERE}.read:like",
    further=f"{_HERE}.read:further",
    write=f"{_HERE}.write:write",
    output=f"{_HERE}.read:output_name",
    embed=f"{_HERE}.embed:embed",
    features=f"{_HERE}.embed:features",
    generators={
        "diffusion": f"{_HERE}.generators.diffusion:Diffusion",
        "floor": f"{_HERE}.generators.floor:Floor",
        "mtts_gan": f"{_HERE}.generators.mtts_gan:MttsGan",
    },
    default="diffusion",
    floor="floor",
    pictures=f"{_HERE}.pictures:pictures",
    metrics=METRICS,
)
