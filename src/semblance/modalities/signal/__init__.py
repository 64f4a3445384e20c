"""Signals: recordings of ECG, EEG and other waves, with beats, states and what is known of the patient."""

from __future__ import annotations

from semblance.core.modality import Modality
from semblance.modalities.signal.metrics import METRICS

_HERE = "semblance.modalities.signal"

MANIFEST = Modality(
    name="signal",
    summary="recordings: ECG, EEG and other waves at one rate, with beats or states marked and facts of the patient",
    suffixes=(".hea", ".edf", ".bdf", ".arff", ".arff.gz"),
    folders=True,
    read=f"{_HERE}.read:read",
    declared=f"{_HERE}.public:read",
    private="diffusion",
    audit=f"{_HERE}.audit:audit",
    like=f"{_HERE}.read:like",
    further=f"{_HERE}.read:further",
    prepared=f"{_HERE}.read:prepared",
    write=f"{_HERE}.write:write",
    output=f"{_HERE}.read:output_name",
    judged=f"{_HERE}.pieces:pieces",
    embed=f"{_HERE}.embed:embed",
    features=f"{_HERE}.embed:features",
    generators={
        "diffusion": f"{_HERE}.generators.diffusion:Diffusion",
        "wgan_gp": f"{_HERE}.generators.wgan_gp:WganGp",
        "rcgan": f"{_HERE}.generators.rgan:RcGan",
        "rgan": f"{_HERE}.generators.rgan:RGan",
        "tts_gan": f"{_HERE}.generators.tts_gan:TtsGan",
        "timegan": f"{_HERE}.generators.timegan:TimeGan",
        "timevae": f"{_HERE}.generators.timevae:TimeVae",
        "floor": f"{_HERE}.generators.floor:Floor",
    },
    default="diffusion",
    floor="floor",
    pictures=f"{_HERE}.pictures:pictures",
    metrics=METRICS,
)
