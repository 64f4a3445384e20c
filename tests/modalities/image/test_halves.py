from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance.core.errors import DataError
from semblance.modalities.image.halves import domains, judged, label_gap, told, unlike, unpaired
from tests.modalities.image import tissue


def test_channels_that_are_known_together_are_a_domain():
    data = tissue.unpaired(12, 1)
    assert domains(data) == ((0,), (1,)) and unpaired(data, rare=5)
    assert domains(tissue.paired(12, 1)) == () and not unpaired(tissue.paired(12, 1), rare=5)
    assert domains(data.take(np.arange(0, 12, 2))) == ()
    assert unlike(replace(data, pixels=np.full_like(data.pixels, np.nan)), domains(data))


def test_what_is_no_set_of_domains_is_told_at_once():
    data = tissue.unpaired(12, 1)
    pixels = data.pixels.copy()
    pixels[0, 0, 2, 2] = np.nan
    with pytest.raises(DataError, match="known in part") as found:
        unpaired(replace(data, pixels=pixels).take(np.array([0, 1, 2])), rare=2)
    assert [problem.found for problem in found.value.problems][1:] == ["'T1' of 1 patients", "'T2' of 1 patients"]


def test_masks_go_with_images_of_one_domain_each():
    data = tissue.halved(tissue.beside(tissue.paired(12, 1)))
    assert domains(data) == ((0,), (1,)) and unpaired(data, rare=5)
    seen = judged(data, reference=data)
    assert [*seen.layout.maps] == [1] and (seen.pixels[:, 1] == data.pixels[:, 2]).all()


def test_judges_see_each_domain_of_a_record_as_an_image():
    train, made = tissue.unpaired(12, 1), tissue.paired(6, 2)
    assert judged(made, reference=made) is made
    seen = judged(train, reference=train)
    assert seen.subjects.tolist() == train.subjects.tolist() and seen.labels.tolist() == train.labels.tolist()
    assert (seen.pixels[:, 0] == np.nansum(train.pixels, 1)).all()
    both = judged(made, reference=train)
    assert both.subjects.tolist() == np.repeat(np.arange(6), 2).tolist()
    assert (both.pixels.reshape(6, 2, 16, 16) == made.pixels).all() and not both.layout.channels
    few = made.take(np.array([4, 1]))
    assert (judged(few, reference=train).pixels[2:] == both.pixels[2:4]).all()


def test_domains_of_other_labels_are_told():
    data = tissue.unpaired(40, 1)
    assert label_gap(tissue.paired(4, 1)) == 0 and not list(told(tissue.paired(4, 1)))
    ill = np.where(np.arange(40) % 2, "nodule", "clear")
    ill[:10] = "clear"
    other = replace(data, frame=pd.DataFrame({"label": pd.Categorical(ill)}))
    assert label_gap(other) == pytest.approx(0.75)
    assert any("disease" in note for note in told(other))
    same = replace(data, frame=pd.DataFrame({"label": pd.Categorical(np.repeat(["clear", "nodule"], 20))}))
    assert label_gap(same) == 0 and len(list(told(same))) == 1
