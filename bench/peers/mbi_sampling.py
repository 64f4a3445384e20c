"""How records are drawn from a graphical model of mbi 1.1.0, which OpenDP and SmartNoise pin.

Its default rounding gives the same rows of a group the low ranks of every column, so that columns which are independent
given their parent come out dependent, and it conditions a column on less than the model says. Both are corrected in its
repository (ryan112358/mbi#145) but not in that release. So here records are drawn one by one, which its own
`method="sample"` does, from the largest cliques of the junction tree.
"""

from __future__ import annotations

from typing import Any

from mbi import MarkovRandomField
from mbi.junction_tree import make_junction_tree

_drawn = MarkovRandomField.synthetic_data


def corrected() -> None:
    """Let every model of this process draw so, whatever method it is asked for."""
    MarkovRandomField.synthetic_data = _independent


def _independent(model: Any, rows: int | None = None, method: str = "sample") -> Any:
    tree, _ = make_junction_tree(model.domain, [set(clique) for clique in model.cliques])
    whole = model.potentials.expand(list(tree.nodes))
    return _drawn(MarkovRandomField(potentials=whole, marginals=whole, total=model.total), rows, "sample")
