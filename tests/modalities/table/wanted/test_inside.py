from __future__ import annotations

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.core.schema import Column
from semblance.modalities.table.codes import Numbers
from semblance.modalities.table.wanted.inside import code_means, draw_inside, share_inside


def numbers(decimals: int = 0, *, tokens: int = 1, gaps: bool = True) -> Numbers:
    rng = stream(0, "numbers")
    values = rng.gamma(3, 10, 2000).round(decimals)
    values[:300] = 0
    if gaps:
        values[300:400] = np.nan
    column = Column("x", "numeric", decimals=decimals)
    return Numbers.fit(values, np.arange(2000), column, rare=5, tokens=tokens, bins=8)


SPANS = [[(0.0, 25.0)], [(12.5, 31.25)], [(10.0, 10.0)], [(-5.0, 1e9)], [(3.0, 7.0), (20.0, 24.0), (60.0, np.inf)]]


@pytest.mark.parametrize("decimals", [0, 1, 12])
@pytest.mark.parametrize("spans", SPANS)
def test_the_share_of_a_code_is_how_often_it_is_decoded_inside(decimals, spans):
    coder = numbers(decimals)
    told = share_inside(coder, spans, missing=False)
    for code in range(coder.size):
        values = coder.decode(np.full(20_000, code), stream(1, code))
        inside = np.any([(values >= low) & (values <= high) for low, high in spans], axis=0)
        assert told[code] == pytest.approx(inside.mean(), abs=0.015)


@pytest.mark.parametrize("decimals", [0, 1, 12])
@pytest.mark.parametrize("spans", SPANS)
def test_what_is_drawn_inside_is_what_a_rejection_loop_would_keep(decimals, spans):
    coder = numbers(decimals)
    for code in np.flatnonzero(share_inside(coder, spans, missing=False) > 0.02):
        drawn = draw_inside(coder, np.full(4000, code), spans, stream(2, int(code)))
        free = coder.decode(np.full(200_000, code), stream(3, int(code)))
        kept = free[np.any([(free >= low) & (free <= high) for low, high in spans], axis=0)]
        assert np.isin(drawn, free).all() or decimals == 12
        assert all(np.any([(low <= x) & (x <= high) for low, high in spans]) for x in drawn)
        for share in (0.1, 0.5, 0.9):
            scale = max(np.ptp(kept), 1.0)
            assert abs(np.quantile(drawn, share) - np.quantile(kept, share)) <= max(0.06 * scale, 10.0**-decimals)


def test_the_missing_value_is_inside_only_where_it_is_asked_for():
    coder = numbers()
    assert coder.missing and share_inside(coder, [], missing=True)[0] == 1
    assert share_inside(coder, [(0.0, 9.0)], missing=False)[0] == 0
    assert np.isnan(draw_inside(coder, np.zeros(5, dtype=int), [], stream(0))).all()


def test_the_codes_of_disjoint_ranges_that_cover_the_line_share_each_code():
    coder = numbers(1)
    parts = [[(-np.inf, 20.0)], [(20.1, 20.1)], [(20.2, np.inf)]]
    assert np.allclose(sum(share_inside(coder, part, missing=True) for part in parts)[1:], 1)


@pytest.mark.parametrize("decimals", [0, 12])
def test_means_of_codes_are_those_of_what_is_decoded(decimals):
    coder = numbers(decimals)
    for code, mean in enumerate(code_means(coder)):
        values = coder.decode(np.full(20_000, code), stream(4, code))
        assert np.isnan(mean) if np.isnan(values).all() else mean == pytest.approx(values.mean(), rel=0.02, abs=0.05)
