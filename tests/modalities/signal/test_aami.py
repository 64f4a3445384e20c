from __future__ import annotations

import numpy as np

from semblance.modalities.signal.aami import MEMBERS, classes


def test_symbols_get_the_class_of_the_standard_and_other_labels_stay():
    symbols = np.array(["N", "L", "R", "e", "j", "A", "a", "J", "S", "V", "E", "F", "/", "f", "Q", "closed"])
    assert "".join(classes(symbols)[:-1]) == "NNNNNSSSSVVFQQQ"
    assert classes(symbols)[-1] == "closed"
    assert len(classes(np.empty(0, dtype=object))) == 0


def test_no_symbol_is_in_two_classes():
    every = "".join(MEMBERS.values())
    assert len(set(every)) == len(every)
