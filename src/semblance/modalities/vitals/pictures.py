"""Pictures of stays for the report that stays inside. Real ones are patients' data: no picture leaves with a report."""

from __future__ import annotations

from typing import Any

from semblance.core.dataset import Evidence
from semblance.modalities.vitals.data import Stays


def pictures(evidence: Evidence[Stays]) -> list[dict[str, Any]]:
    """All that there is to see, as JSON."""
    return []
