from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance.core.errors import UsageError
from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.modalities.vitals.data import Channel, Stays, concat
from semblance.modalities.vitals.declare import Said
from semblance.modalities.vitals.generators.floor import Floor
from tests.modalities.vitals.simulated import stays


@pytest.fixture(scope="module")
def model():
    return Floor(factors=10).fit(stays(200, 0), rng=stream(0, "fit"))


def test_chunks_are_numbered_on(model):
    made = list(model.sample(150, rng=stream(0, "sample")))
    assert [len(chunk) for chunk in made] == [128, 22]
    assert np.array_equal(concat(made).subjects, np.arange(150))


def test_a_folder_that_holds_no_model_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no model"):
        Floor.load(tmp_path)


def test_orders_that_the_data_declare_are_kept():
    train = replace(stays(60, 0), said=Said(order=(("Temp", "GCS"),)))
    assert Floor(factors=10).fit(train, rng=stream(0, "fit")).encoding.what.chains == ((6, 1),)


def planted() -> tuple[Stays, list[float]]:
    """Stays of which one patient has eight, with a channel and a fact of that patient alone, a channel that seven
    patients have once, and what stands there."""
    whole = stays(80, 0)
    who = np.where(np.arange(80) < 8, 0, np.arange(80))
    alone, few = [683.0625 + i for i in range(8)], [91.03125 + 3 * i * i for i in range(7)]
    rows = pd.DataFrame({"stay": whole.stay, "minute": whole.minute, "channel": whole.channel, "value": whole.value})
    more = [(i, 30.0, 8, v) for i, v in enumerate(alone)] + [(20 + i, 45.0, 9, v) for i, v in enumerate(few)]
    rows = pd.concat([rows, pd.DataFrame(more, columns=rows.columns)]).sort_values(["stay", "minute"], kind="stable")
    dose = np.where(np.arange(80) < 8, 555.46875 + np.arange(80), np.nan)
    made = Stays(
        Schema((*whole.schema.columns, Column("dose", "numeric", decimals=5))),
        whole.frame.assign(dose=dose),
        (*whole.channels, Channel("Alone", decimals=4), Channel("Few", decimals=5)),
        np.concatenate([[0], np.cumsum(np.bincount(rows["stay"]))]),
        *(rows[name].to_numpy() for name in ("minute", "channel", "value")),
        who,
    )
    return made, [*alone, *few, *dose[:8]]


def test_no_value_of_a_single_patient_stands_in_a_saved_file_or_is_drawn(tmp_path):
    train, canaries = planted()
    model = Floor(factors=6).fit(train, rng=stream(0, "fit"))
    model.save(tmp_path / "model")
    saved = b"\0".join(file.read_bytes() for file in (tmp_path / "model").iterdir())
    assert not [v for v in canaries if struct.pack("<d", v) in saved or repr(v).encode() in saved]
    assert b"Alone" not in saved
    made = concat(list(model.sample(200, rng=stream(0, "sample"))))
    assert not set(canaries) & set(made.value)
    assert made.frame["dose"].isna().all()
    assert "Few" in made.names
