"""Synthetic medical data that is judged, gated and signed before it leaves the building.

>>> import semblance as sb                                            # doctest: +SKIP
>>> train, holdout = sb.split(sb.read("patients.csv", subject="pid"))  # doctest: +SKIP
>>> model = sb.fit(train, time_budget=60, seed=0)                      # doctest: +SKIP
>>> records = model.sample(10_000)                                     # doctest: +SKIP
>>> report = sb.evaluate(train=train, holdout=holdout, synthetic=records)  # doctest: +SKIP
>>> sb.release(report, synthetic=records, folder="RUN", model=model)   # doctest: +SKIP
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from semblance.app.asking import survey
    from semblance.app.face import evaluate, fit, load, release
    from semblance.app.records import read, split
    from semblance.privacy.ledger import Ledger

__version__ = "0.1.0"
__all__ = ["Ledger", "__version__", "evaluate", "fit", "load", "read", "release", "split", "survey"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'semblance' has no attribute '{name}'")
    if name == "Ledger":
        from semblance.privacy import ledger

        return ledger.Ledger
    from semblance.app import asking, face, records

    return getattr({"survey": asking, "read": records, "split": records}.get(name, face), name)


class _Face(ModuleType):
    """Keeps the functions `evaluate` and `release` in front of the subpackages of the same name.

    Importing a subpackage binds it to its parent; here that would hide the function after its first use.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in __all__ and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


def __dir__() -> list[str]:
    return sorted(__all__)


sys.modules[__name__].__class__ = _Face
