"""Classes of heart beats after ANSI/AAMI EC57:2012, by the annotation symbols of WFDB."""

from __future__ import annotations

import numpy as np

MEMBERS = {"N": "NLRejnB", "S": "AaJS", "V": "VEr", "F": "F", "Q": "/fQ?"}
"""Normal and bundle branch block, supraventricular ectopic, ventricular ectopic, fusion, unknown and paced."""
CLASSES: dict[str, str] = {symbol: group for group, symbols in reversed(MEMBERS.items()) for symbol in symbols}
"""The class of each symbol that marks a beat."""


def classes(symbols: np.ndarray) -> np.ndarray:
    """(n,) text: the class of each symbol; a symbol of no class stays as it is, for it is a label of its own."""
    known, which = np.unique(symbols.astype(str), return_inverse=True)
    return np.array([CLASSES.get(symbol, symbol) for symbol in known], dtype=object)[which] if len(known) else symbols
