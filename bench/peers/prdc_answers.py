"""prdc's answers to the cases of bench/oracles.py (MIT; Naeem et al., ICML 2020)."""

from __future__ import annotations

from typing import Any

import numpy as np
from answering import serve
from prdc import compute_prdc

NEAREST = 5


def answer(cases: dict[str, Any]) -> None:
    """Precision, recall, density and coverage with five neighbours."""
    for case in cases["clouds"].values():
        found = compute_prdc(np.array(case["real"]), np.array(case["synthetic"]), nearest_k=NEAREST)
        case["answer"] = {name: float(value) for name, value in found.items()}


if __name__ == "__main__":
    serve("prdc", answer)
