from __future__ import annotations

import numpy as np
import pytest

from semblance.core.errors import UsageError
from semblance.core.model import Wanted
from semblance.core.rng import stream
from semblance.modalities.image.data import concat
from semblance.modalities.image.generators.floor import Floor
from tests.modalities.image import tissue
from tests.modalities.image.simulated import GAINS, images, scanned


def test_means_of_labels_and_spreads_of_pixels_are_those_of_the_data():
    data = images(400, 1)
    made = concat(list(Floor().fit(data, rng=stream(0, "fit")).sample(400, rng=stream(0, "sample"))))
    for label in ("clear", "nodule"):
        one, other = (part.pixels[part.labels == label] for part in (made, data))
        assert np.abs(one.mean(0) - other.mean(0)).mean() < 8
        assert np.corrcoef(one.std(0).ravel(), other.std(0).ravel())[0, 1] > 0.9


def mean_of(made, scanner):
    return float(made.pixels.mean((1, 2, 3))[(made.frame["scanner"] == scanner).to_numpy()].mean())


def test_quotas_of_label_age_and_scanner_are_kept_to_the_image_and_the_scanner_is_seen():
    """Domain randomisation: as many of each as is asked for, and images look as those of their scanner do."""
    data = scanned(300, 1)
    model = Floor().fit(data, rng=stream(0, "fit"))
    bands = {(18, 60): 0.25, (60, 95): 0.75}
    wanted = Wanted(quota={"label": {"nodule": 0.4, "clear": 0.6}, "age": bands, "scanner": "balanced"})
    made = concat(list(model.sample(300, rng=stream(0, "sample"), wanted=wanted)))
    assert (made.labels == "nodule").sum() == 120 and (made.frame["age"] < 60).sum() == 75
    assert made.frame["age"].between(18, 95).all() and (made.frame["scanner"].value_counts() == 100).all()
    for name, gain in GAINS.items():
        assert mean_of(made, name) / mean_of(made, "A") == pytest.approx(gain, abs=0.12)


def test_what_is_drawn_freely_belongs_together_and_does_not_depend_on_how_many_follow():
    data = scanned(300, 1)
    model = Floor().fit(data, rng=stream(0, "fit"))
    made = concat(list(model.sample(300, rng=stream(0, "sample"))))
    (few,) = model.sample(5, rng=stream(0, "sample"))
    assert few.frame.equals(made.take(np.arange(5)).frame) and (few.pixels == made.pixels[:5]).all()
    ages = made.frame.groupby("label", observed=True)["age"].mean()
    assert ages["nodule"] > ages["clear"] + 4
    assert made.frame["age"].isna().mean() == pytest.approx(0.1, abs=0.05)
    with pytest.raises(UsageError, match="does not know"):
        next(model.sample(5, rng=stream(0, "sample"), wanted=Wanted(given={"scanner": "Z"})))


def test_directions_have_enough_patients_behind_each():
    model = Floor().fit(images(40, 1), rng=stream(0, "fit"))
    assert model.learned.components.axes.shape == (8, 144)


def test_volumes_are_drawn_by_the_same_code():
    data = images(60, 1, (8, 9, 10))
    (made,) = Floor().fit(data, rng=stream(0, "fit")).sample(5, rng=stream(0, "sample"))
    assert made.pixels.shape == (5, 1, 8, 9, 10)


def test_masks_go_with_one_domain_where_nothing_is_paired(tmp_path):
    data = tissue.halved(tissue.beside(tissue.paired(60, 1)))
    model = Floor().fit(data, rng=stream(0, "fit"))
    drawn = concat(list(model.sample(60, rng=stream(0, "sample"))))
    assert np.isfinite(drawn.pixels).all() and set(np.unique(drawn.pixels[:, 2])) == {0, 1}
    inside = drawn.pixels[:, 2] > 0
    around = ~inside & (drawn.pixels[:, 0] > 60)
    assert drawn.pixels[:, 0][inside].mean() > drawn.pixels[:, 0][around].mean() + 15
    model.save(tmp_path)
    again = concat(list(Floor.load(tmp_path).sample(60, rng=stream(0, "sample"))))
    assert (again.pixels == drawn.pixels).all()
