"""Opacus' answers to the cases of bench/oracles.py (Apache-2.0): its PRV accountant (Gopi, Lee & Wutschitz 2021)."""

from __future__ import annotations

from typing import Any

from answering import serve
from opacus.accountants import PRVAccountant

ERROR = 0.001


def answer(cases: dict[str, Any]) -> None:
    """Epsilon of Gaussian noise of sensitivity one, on several queries of everybody and in steps of training on a
    Poisson sample each, and how far it may be off."""
    for case in cases["gaussian"].values():
        _told(case, [(sigma, 1.0, count) for sigma, count in case["noises"]])
    for case in cases["steps"].values():
        _told(case, [tuple(case["steps"])])


def _told(case: dict[str, Any], history: list[tuple[Any, ...]]) -> None:
    accountant, delta = PRVAccountant(), case["delta"]
    accountant.history = history
    case["answer"] = accountant.get_epsilon(delta=delta, eps_error=ERROR, delta_error=delta / 1000)
    case["error"] = ERROR


if __name__ == "__main__":
    serve("opacus", answer)
