"""Opacus' answers to the cases of bench/oracles.py (Apache-2.0): its PRV accountant (Gopi, Lee & Wutschitz 2021)."""

from __future__ import annotations

from typing import Any

from answering import serve
from opacus.accountants import PRVAccountant

ERROR = 0.001


def answer(cases: dict[str, Any]) -> None:
    """Epsilon of Gaussian noise on several queries of sensitivity one, without sampling, and how far it may be off."""
    for case in cases["gaussian"].values():
        accountant = PRVAccountant()
        accountant.history = [(sigma, 1.0, count) for sigma, count in case["noises"]]
        delta = case["delta"]
        case["answer"] = accountant.get_epsilon(delta=delta, eps_error=ERROR, delta_error=delta / 1000)
        case["error"] = ERROR


if __name__ == "__main__":
    serve("opacus", answer)
