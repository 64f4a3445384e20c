from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.errors import DataError
from semblance.core.rng import stream
from semblance.modalities.image.data import Images
from semblance.modalities.image.encode import Encoding
from semblance.modalities.image.generators.cyclegan import CycleGan
from semblance.modalities.image.generators.translator import Sides
from semblance.modalities.image.generators.unpaired import UnpairedTranslator, aimed
from tests.modalities.image import tissue


def test_each_side_of_an_image_is_learned_as_an_image_of_its_own():
    encoding, learned = Encoding.fit(tissue.paired(20, 1), rare=5)
    source, both = CycleGan().parted(learned, Sides.of(encoding))
    assert len(source.labels) == 20 and len(both.labels) == 40
    known = np.isfinite(both.coefficients).all(1), np.isfinite(both.given).all(1)
    assert (known[0] != known[1]).all() and known[0].sum() == 20
    encoding, learned = Encoding.fit(tissue.unpaired(60, 1), rare=5)
    source, both = CycleGan().parted(learned, Sides.of(encoding))
    assert (len(source.labels), len(both.labels)) == (30, 60) and np.isfinite(source.coefficients).all()


def test_the_first_domain_is_given_where_none_is_declared():
    data = tissue.unpaired(20, 1)
    free = replace(data, layout=replace(data.layout, given=()))
    assert aimed(free).layout.given == ("T1",) and aimed(data) is data
    assert aimed(tissue.masked(4, 1)).layout.given == ()


def test_a_translation_leads_from_a_domain_to_another():
    data = tissue.unpaired(20, 1)
    with pytest.raises(DataError, match="one domain to another"):
        CycleGan().refuse_unfit(replace(data, layout=replace(data.layout, given=("T1", "T2"))))
    with pytest.raises(DataError, match="one domain to another"):
        CycleGan().plan(three(), rng=stream(0, "plan"))


def three() -> Images:
    """Images of three contrasts, of each of which one is known."""
    data = tissue.unpaired(30, 1)
    pixels = np.concatenate([data.pixels, np.full_like(data.pixels[:, :1], np.nan)], 1)
    pixels[::5, 2], pixels[::5, :2] = 9.0, np.nan
    channels = (*data.layout.channels, replace(data.layout.channels[0], name="PD"))
    return replace(data, pixels=pixels, layout=replace(data.layout, channels=channels))


def test_a_subclass_says_what_is_trained():
    with pytest.raises(TypeError, match="what is trained"):
        UnpairedTranslator().objective(None, None, None)
