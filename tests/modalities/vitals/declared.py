"""The simulated ward as it is read under declarations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from semblance.core.schema import Column, Schema
from semblance.modalities.vitals.data import Public, Stays
from semblance.modalities.vitals.declare import Said
from tests.modalities.vitals.simulated import CHANNELS, HOURS, stays

LIMITS = {
    "DiasABP": [10, 200], "GCS": [3, 15], "HR": [20, 300], "Lactate": [0.1, 30],
    "MAP": [10, 250], "SysABP": [20, 300], "Temp": [25, 45], "pH": [6.6, 7.9],
}  # fmt: skip
DIGITS = {channel.name: channel.decimals for channel in CHANNELS if channel.decimals}
PANELS = [["SysABP", "MAP", "DiasABP"], ["GCS", "Temp"], ["Lactate", "pH"]]
ORDER = (("SysABP", "MAP", "DiasABP"),)
VITALS: dict[str, Any] = {
    "clock": "minutes", "hours": HOURS, "step": 60, "limits": LIMITS,
    "digits": DIGITS, "panels": PANELS, "order": [list(chain) for chain in ORDER],
}  # fmt: skip
COLUMNS: dict[str, Any] = {
    "age": {"kind": "integer", "min": 18, "max": 99},
    "sex": {"categories": ["F", "M"]},
    "died": {"categories": ["0", "1"], "role": "target"},
}
DECLARED: dict[str, Any] = {"cohort": {"id": "ward", "n_public": 100}, "vitals": VITALS, "columns": COLUMNS}
SCHEMA = Schema(
    (
        Column("stay", "identifier", "subject"),
        Column("age", "integer", dtype="int64", min=18, max=99, bound="declared"),
        Column("sex", "categorical", categories=("F", "M"), bound="declared"),
        Column("died", "categorical", "target", categories=("0", "1"), bound="declared"),
    ),
    "ward",
    100,
    public=True,
)
PUBLIC = Public(
    tuple((float(low), float(high)) for low, high in LIMITS.values()),
    ((0, 4, 5), (1, 6), (2,), (3, 7)),
    HOURS * 60.0,
    60.0,
)


def declared(n: int, seed: int) -> Stays:
    """`n` stays, as `public.read` gives them; those beyond the declared hours are left out."""
    whole = stays(n, seed)
    return replace(whole.kept(whole.minute < PUBLIC.horizon), schema=SCHEMA, public=PUBLIC, said=Said(order=ORDER))
