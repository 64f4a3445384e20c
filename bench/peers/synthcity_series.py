"""synthcity's TimeGAN and TimeVAE with their defaults (Apache-2.0; Yoon et al., NeurIPS 2019; Desai et al., 2021): a
model for each class of beats, for as many epochs as time allows, at most their default number.

Beats come as arrays (bench/recorded.py) and go as such; their intervals are static data. synthcity makes a frame of
every beat and a mixture model of all samples, and one step of a recurrent network over 256 samples takes 15 to 30 s
here: an epoch of 300 beats took TimeVAE 285 s of a processor. So a model learns at most MOST beats of its class, drawn
at random, which ten minutes for four classes allow one epoch of. Told to be strict, as by default, it throws away and
draws again what lies outside of the range of train, up to 500 times: after one epoch that took over ten minutes for a
class, so it is not. What it draws it makes frames of as well, at about two beats a second.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import synthcity_without  # noqa: F401
from exchange import affordable
from judging import peak
from synthcity.plugins.core.dataloader import TimeSeriesDataLoader
from synthcity.plugins.time_series.plugin_timegan import TimeGANPlugin
from synthcity.plugins.time_series.plugin_timevae import TimeVAEPlugin

PARTS = {"timegan": TimeGANPlugin, "timevae": TimeVAEPlugin}
EPOCHS = 1000  # their default
MOST = 100  # beats of a class that are learned
DRAWN = 300  # beats of the commonest class that are drawn; of others by their share, but at least FEWEST
FEWEST = 150

Beats = dict[str, np.ndarray]


def main() -> None:
    """Read the job, learn a model for each class, draw, write."""
    job = json.loads(Path(sys.argv[1]).read_text())
    with np.load(job["train"], allow_pickle=False) as held:
        train = dict(held)
    labels, count = np.unique(train["label"], return_counts=True)
    order = labels[np.argsort(-count)].tolist()
    each = {label: some(train, train["label"] == label, seed=job["seed"]) for label in order}
    share = job["time_budget"] / len(order)
    job["epochs"] = affordable(lambda n: took(each[order[0]], {**job, "epochs": n}), EPOCHS, time_budget=share)
    out = Path(job["out"])
    out.with_suffix(".begun").touch()
    begun = now()
    models = {label: fit(beats, job) for label, beats in each.items()}
    fitted = now()
    most = {label: max(round(DRAWN * n / count.max()), FEWEST) for label, n in zip(labels.tolist(), count, strict=True)}
    drawn = [sample(model, most[label], label) for label, model in models.items()]
    made = {key: np.concatenate([one[key] for one in drawn]) for key in drawn[0]}
    done = now()
    np.savez(out.parent / "new.npz", **made)
    answer = {"fit": fitted[0] - begun[0], "cpu": fitted[1] - begun[1], "sample": done[0] - fitted[0], "peak": peak()}
    answer |= {"sample_cpu": done[1] - fitted[1], "beats": len(made["label"]), "epochs": job["epochs"]}
    out.with_suffix(".json").write_text(json.dumps(answer))


def some(train: Beats, rows: np.ndarray, *, seed: int) -> Beats:
    """At most MOST of the beats."""
    chosen = np.random.default_rng(seed).permutation(np.flatnonzero(rows))[:MOST]
    return {key: value[chosen] for key, value in train.items()}


def took(beats: Beats, job: dict[str, Any]) -> float:
    """Seconds of a processor that a fit takes."""
    begun = time.process_time()
    fit(beats, job)
    return time.process_time() - begun


def fit(beats: Beats, job: dict[str, Any]) -> Any:
    """One plugin on beats of one class. Its outcome, which it needs, is not used."""
    names = [f"lead{i}" for i in range(beats["waves"].shape[1])]
    static = pd.DataFrame({"before": beats["before"], "after": beats["after"]})
    loader = TimeSeriesDataLoader(
        temporal_data=[pd.DataFrame(wave.T.astype(float), columns=names) for wave in beats["waves"]],
        observation_times=[np.arange(beats["waves"].shape[2]).tolist()] * len(static),
        static_data=static,
        outcome=pd.DataFrame({"ratio": static["before"] / static["after"]}),
    )
    workspace = Path(tempfile.mkdtemp(dir="."))
    model = PARTS[job["part"]](n_iter=job["epochs"], random_state=job["seed"], workspace=workspace)
    model.strict = False  # it takes no such argument
    model.fit(loader)
    return model


def sample(model: Any, n: int, label: str) -> Beats:
    """`n` beats."""
    static, temporal, _, _ = model.generate(count=n).unpack()
    waves = np.stack([np.asarray(one, dtype=np.float32).T for one in temporal])
    told = {name: static[name].to_numpy(dtype=float) for name in ("before", "after")}
    return {"waves": waves, "label": np.repeat(label, len(waves)), **told}


def now() -> tuple[float, float]:
    """Seconds of the clock and of processors."""
    return time.perf_counter(), time.process_time()


if __name__ == "__main__":
    main()
