"""The modalities that ship: one line each."""

from __future__ import annotations

from semblance.core.errors import UsageError
from semblance.core.modality import Modality, load

MODALITIES: dict[str, str] = {
    "table": "semblance.modalities.table:MANIFEST",
    "signal": "semblance.modalities.signal:MANIFEST",
    "vitals": "semblance.modalities.vitals:MANIFEST",
    "image": "semblance.modalities.image:MANIFEST",
}


def modality(name: str) -> Modality:
    """The manifest of a modality. Raises UsageError for a name that is not in the catalogue."""
    if name not in MODALITIES:
        raise UsageError.of(
            f"modality '{name}'", rule="a modality of the catalogue", fix=f"--modality {' | '.join(MODALITIES)}"
        )
    manifest: Modality = load(MODALITIES[name])
    return manifest
