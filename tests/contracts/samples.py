"""Small data for every modality of the catalogue: what the contract tests run on. A new modality adds one entry.

The worked example of CONTRIBUTING is held to the same contracts as the catalogue's generators.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from semblance import catalog
from semblance.core.modality import Modality, ReadOptions
from semblance.core.model import Wanted
from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.modalities.image.data import Images
from semblance.modalities.signal.data import Marks, Recording, Recordings
from semblance.modalities.table.data import Table, from_frame
from semblance.modalities.vitals.data import Channel, Stays
from tests.modalities.image import simulated as phantoms
from tests.modalities.image import tissue
from tests.modalities.signal import simulated
from tests.modalities.vitals import simulated as wards

Corrupt = Callable[[Any, np.random.Generator], Any]


@cache
def thirds(modality: str, n: int, seed: int) -> tuple[Any, Any, Any]:
    """Three parts of what judges see of 3 n records: no patient stands in two."""
    whole = SAMPLES[modality].judged(3 * n, seed)
    third = np.unique(whole.subjects, return_inverse=True)[1] * 3 // len(np.unique(whole.subjects))
    one, two, three = (whole.take(np.flatnonzero(third == i)) for i in range(3))
    return one, two, three


def worked_example() -> tuple[str, str]:
    """The manifest line that CONTRIBUTING tells a newcomer to write."""
    text = (Path(__file__).resolve().parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    ((name, path),) = re.findall(r'^\s*"(\w+)": "(examples\.\w+:\w+)",$', text, re.MULTILINE)
    return name, path


def manifest(name: str) -> Modality:
    """The manifest of a modality; that of tables with the worked example's line added."""
    known = catalog.modality(name)
    if name != "table":
        return known
    generator, path = worked_example()
    return replace(known, generators={**known.generators, generator: path})


@dataclass(frozen=True)
class Samples:
    """`make(n, seed)` draws n independent records; `judged(n, seed)` what judges see of about n records, no two of
    which share a patient; `wanted` holds what may be asked, and whether a data set is so.

    `gaps` are partial records, `completes` says of these and others whether the others complete them. The other fields
    are what can go wrong with records. `many` is how many records a generator needs for a test, `drawn` how many are
    enough to compare two draws, and `quick` names a format that is written quickly, where the first one of the modality
    is not. `enough` is how many records judges need on a side, and `small` has options that make a generator quick.
    """

    make: Callable[[int, int], Any]
    judged: Callable[[int, int], Any]
    weird: Mapping[str, Callable[[], Any]]
    planted: Callable[[], tuple[Any, tuple[str | float, ...]]]
    floor: Corrupt
    corruptions: Mapping[str, Corrupt]
    wanted: Mapping[str, tuple[Wanted, Callable[[Any], bool]]]
    gaps: Callable[[], Any]
    completes: Callable[[Any, Any], bool]
    many: int = 400
    drawn: int = 80
    quick: str = ""
    enough: int = 500
    small: Mapping[str, Any] = field(default_factory=dict)


def bytes_at(path: Path) -> bytes:
    """A file's bytes, or the names and bytes of all files of a folder."""
    if not path.is_dir():
        return path.read_bytes()
    return b"\0".join(one.name.encode() + b"\0" + one.read_bytes() for one in sorted(path.rglob("*")) if one.is_file())


def patients(n: int, seed: int) -> pd.DataFrame:
    """A cohort with every kind of column, missing values that mean something, columns that depend on each other, and a
    rule that no record breaks: only women smoke."""
    rng = stream(seed, "patients")
    age = np.clip(rng.normal(66, 12, n), 18, 99).round().astype(int)
    creatinine = np.exp(0.012 * (age - 66) + rng.normal(0, 0.3, n)).round(2)
    sick = rng.random(n) < 1 / (1 + np.exp(-(0.12 * (age - 66) + 2.5 * (creatinine - 1))))
    measured = rng.random(n) < np.where(sick, 0.97, 0.75)
    cardiac = rng.random(n) < np.where(sick, 0.8, 0.3)
    days = rng.integers(0, 1500, n)
    female = rng.random(n) < 0.5
    return pd.DataFrame(
        {
            "pid": [f"P{i:06d}" for i in range(n)],
            "age": age,
            "creatinine": np.where(measured, creatinine, np.nan),
            "sex": np.where(female, "F", "M"),
            "stage": pd.Categorical(
                rng.choice(["I", "II", "III"], n, p=[0.5, 0.3, 0.2]), ["I", "II", "III"], ordered=True
            ),
            "icd code": np.where(cardiac, rng.choice(["I50.1", "N18.3"], n), rng.choice(["I10", "Z00.0", "E11.9"], n)),
            "smoker": (rng.random(n) < 0.6) & female,
            "admitted": pd.Timestamp("2018-01-01") + pd.to_timedelta(days, unit="D"),
            "died": sick,
        }
    )


def table(frame: pd.DataFrame, **options: Any) -> Table:
    """A frame as the reader makes it."""
    made, _ = from_frame(frame, ReadOptions(**options))
    return made


def cohort(n: int, seed: int) -> Table:
    """`patients` as a Table."""
    return table(patients(n, seed), subject="pid", target="died")


def _planted() -> tuple[Table, tuple[str | float, ...]]:
    frame = patients(300, 9)
    frame["creatinine"] = frame["creatinine"].fillna(1.0)
    frame["sex"] = frame["sex"].astype(object)
    frame.loc[5, "sex"] = "Zanzibarite"
    frame.loc[6, "icd code"] = "Q99.77"
    frame["weight"] = stream(9, "weight").normal(80, 12, 300).round(1)
    frame.loc[7, "weight"] = 683.27
    frame.loc[8, "creatinine"] = 1.0123457
    frame.loc[9, "admitted"] = pd.Timestamp("1931-07-19")
    seconds = pd.Timestamp("1931-07-19").timestamp()
    return table(frame, subject="pid", target="died"), (
        "Zanzibarite",
        "Q99.77",
        683.27,
        1.0123457,
        seconds,
        "1931-07-19",
    )


def _repeated() -> Table:
    frame = patients(120, 3)
    frame = frame.loc[frame.index.repeat(stream(3, "visits").integers(1, 5, 120))].reset_index(drop=True)
    frame["creatinine"] = stream(3, "c").lognormal(size=len(frame)).round(2)
    return table(frame, subject="pid", target="died")


def _numbers(**columns: Any) -> Table:
    return table(pd.DataFrame(columns))


WEIRD: dict[str, Callable[[], Table]] = {
    "one row": lambda: cohort(1, 0),
    "two rows": lambda: cohort(2, 0),
    "one column": lambda: _numbers(x=stream(0, "x").normal(size=50).round(3)),
    "constant": lambda: _numbers(a=[1.5] * 40, b=["same"] * 40, x=stream(0, "x").normal(size=40).round(2)),
    "all null": lambda: _numbers(a=[np.nan] * 40, b=[None] * 40, x=stream(0, "x").normal(size=40).round(2)),
    "collinear": lambda: _numbers(a=np.arange(60) * 0.5, b=np.arange(60) * 1.0 + 0.25, c=-np.arange(60) * 1.5),
    "infinite": lambda: _numbers(a=[np.inf, -np.inf] * 10 + list(np.linspace(0, 1, 40)), b=["x", "y"] * 30),
    "many categories": lambda: table(
        pd.DataFrame({"c": [f"v{i}" for i in range(300)] * 2, "x": np.arange(600) % 7}),
        declared={"columns": {"c": {"kind": "categorical"}}},
    ),
    "odd names": lambda: _numbers(**{"a b": [1, 2] * 20, "größe-µ": [0.5, 1.5] * 20, "x.y/z": ["p", "q"] * 20}),
    "repeated visits": _repeated,
}


def shuffled(data: Table, rng: np.random.Generator) -> Table:
    """Every column on its own: marginals kept, relations lost."""
    frame = pd.DataFrame({name: data.frame[name].array[rng.permutation(len(data))] for name in data.frame})
    return replace(data, frame=frame)


def shifted(data: Table, rng: np.random.Generator) -> Table:
    """Every number moved by one standard deviation, categories replaced by their first one half of the time."""
    frame = data.frame.copy()
    for column in data.schema.learned:
        values = frame[column.name]
        if column.continuous:
            frame[column.name] = values + np.nanstd(values)
        else:
            codes = np.where(rng.random(len(values)) < 0.5, 0, values.cat.codes)
            frame[column.name] = pd.Categorical.from_codes(codes, dtype=values.dtype)
    return replace(data, frame=frame)


def followed(data: Table) -> Table:
    """The same records with a follow-up: days, and whether it ended with the event (that of the first one did)."""
    rng = stream(len(data), "followed")
    days, dead = rng.exponential(400, len(data)).round() + 1, np.arange(len(data)) % 3 == 0
    columns = (Column("days", "integer", "time", dtype="int64"), Column("dead", "boolean", "event", dtype="bool"))
    schema = data.schema.with_columns((*data.schema, *columns))
    return replace(data, schema=schema, frame=data.frame.assign(days=days, dead=pd.Categorical(dead.astype(str))))


def ready(samples: Samples, kind: Any) -> Samples:
    """The same samples as a generator wants them: with columns of its roles, for a private one as declared."""
    for change in (
        *([followed] if "time" in getattr(kind, "roles", ()) else []),
        *([given] if "given" in getattr(kind, "roles", ()) else []),
        *([declared] if kind.card.only_private else []),
    ):
        changed = _changed(samples, change)
        # Bounds of partial records are those of the declaration, and not of these few.
        samples = replace(changed, gaps=samples.gaps) if change is declared else changed
    return samples


def given(data: Images) -> Images:
    """The same images with a mask, from which they are painted."""
    return data if data.layout.maps else tissue.beside(data)


def _changed(samples: Samples, change: Callable[[Any], Any]) -> Samples:
    def planted() -> tuple[Any, tuple[str | float, ...]]:
        data, canaries = samples.planted()
        return change(data), canaries

    return replace(
        samples,
        make=lambda n, seed: change(samples.make(n, seed)),
        weird={name: lambda make=make: change(make()) for name, make in samples.weird.items()},
        planted=planted,
        gaps=lambda: change(samples.gaps()),
    )


def declared(data: Table) -> Table:
    """The same records under declarations that nobody's own value enters: at least FEW patients are at both bounds."""
    columns = (_declared(column, data) if column.learned else column for column in data.schema)
    schema = replace(data.schema.with_columns(columns), public=True, n_public=PUBLIC)
    return Table(schema, data.frame, data.subjects, data.names)


FEW, PUBLIC = 5, 400


def _declared(column: Column, data: Table) -> Column:
    values = data.frame[column.name]
    if column.continuous:
        known = np.sort(values[np.isfinite(values)].to_numpy())
        low, high = (known[[FEW - 1, -FEW]]) if len(known) >= 2 * FEW else (0.0, 1.0)
        return replace(column, min=float(low), max=float(max(high, low)), bound="declared")
    common = values.value_counts()
    listed = tuple(map(str, common.index[common >= FEW])) or ("nothing",)
    return replace(column, categories=listed, bound="declared")


def collapsed(data: Table, rng: np.random.Generator) -> Table:
    """A handful of records again and again."""
    return data.take(rng.integers(0, 5, len(data)))


WANTED: dict[str, tuple[Wanted, Callable[[Table], bool]]] = {
    "given": (
        Wanted(given={"sex": "F", "age": (60, 70), "stage": {"I", "III"}}),
        lambda t: bool(
            (t.frame["sex"] == "F").all()
            and t.frame["age"].between(60, 70).all()
            and t.frame["stage"].isin(["I", "III"]).all()
        ),
    ),
    "missing": (Wanted(given={"creatinine": None}), lambda t: bool(t.frame["creatinine"].isna().all())),
    "date": (
        Wanted(given={"admitted": ("2019-03-01", "2019-03-31")}),
        lambda t: bool((pd.to_datetime(t.frame["admitted"], unit="s").dt.strftime("%Y-%m") == "2019-03").all()),
    ),
    "quota": (
        Wanted(quota={"sex": {"F": 1 / 3, "M": 2 / 3}, "age": {(18, 65): 0.6, (65, 99): 0.4}}),
        lambda t: (int((t.frame["sex"] == "F").sum()), int((t.frame["age"] < 65).sum())) == (19, 34),
    ),
}


def gaps() -> Table:
    """Patients of whom some things are not known."""
    frame, rng = patients(60, 5), stream(5, "gaps")
    for name in ("age", "sex", "icd code", "admitted"):
        frame[name] = frame[name].where(rng.random(60) < 0.7)
    return replace(cohort(60, 5), frame=table(frame, subject="pid", target="died").frame)


def completes(given: Table, made: Table) -> bool:
    """Whether nothing is missing in `made`, and all that is known in `given` stands there unchanged."""
    known = given.frame.notna()
    same = all(made.frame.loc[known[n], n].astype(str).equals(given.frame.loc[known[n], n].astype(str)) for n in known)
    return same and not made.frame.isna().any(axis=None)


def recordings(n: int, seed: int) -> Recordings:
    """Simulated ECG of `n` patients."""
    return simulated.recordings(n, seed)


def _changed_recordings(change: Callable[[Recording], Recording], n: int = 12) -> Recordings:
    whole = recordings(n, 5)
    return replace(whole, recordings=tuple(map(change, whole.recordings)))


def _with_values(one: Recording, change: Callable[[np.ndarray], np.ndarray], **more: Any) -> Recording:
    return replace(one, values=lambda: change(one.values()).astype(np.float32), **more)


def _flat(one: Recording) -> Recording:
    return _with_values(one, lambda v: v * (1, 0))


def _single(one: Recording) -> Recording:
    return _with_values(one, lambda v: v[:, :1], leads=one.leads[:1])


def _bare(one: Recording) -> Recording:
    return replace(one, beats=Marks())


def _short(one: Recording) -> Recording:
    return _with_values(_bare(one), lambda v: v[:300], length=300)


def _stateful(one: Recording) -> Recording:
    at = np.arange(0, one.length, 700)
    return replace(_bare(one), states=Marks(at, np.array(["open", "shut"], dtype=object)[np.arange(len(at)) % 2]))


def _without_facts(data: Recordings) -> Recordings:
    return replace(data, schema=Schema(()), frame=data.frame[[]])


SILENT: dict[str, Callable[[], Recordings]] = {
    "one recording": lambda: recordings(1, 0),
    "two recordings": lambda: recordings(2, 0),
    "one lead": lambda: _changed_recordings(_single),
    "a flat lead": lambda: _changed_recordings(_flat),
    "microvolts": lambda: _changed_recordings(lambda one: _with_values(one, lambda v: 1e6 * v)),
    "no beats": lambda: _changed_recordings(_bare),
    "no facts, no marks": lambda: _without_facts(_changed_recordings(_bare)),
    "an offset": lambda: _changed_recordings(lambda one: _with_values(_bare(one), lambda v: 4200 + v)),
    "states": lambda: _changed_recordings(_stateful),
    "short windows": lambda: _changed_recordings(_short, n=40),
}


def _planted_recordings() -> tuple[Recordings, tuple[str | float, ...]]:
    whole = recordings(40, 9)
    ones = list(whole.recordings)
    ones[3] = replace(ones[3], name="Zanzibarite")
    ones[4] = _with_values(ones[4], lambda v: v + 683.27 * (np.arange(len(v)) == 1000)[:, None])
    symbols = ones[5].beats.symbol.copy()
    symbols[3] = "E"
    ones[5] = replace(ones[5], beats=Marks(ones[5].beats.at, symbols))
    frame = whole.frame.assign(age=np.where(np.arange(40) == 6, 127.25, whole.frame["age"]))
    return replace(whole, recordings=tuple(ones), frame=frame), ("Zanzibarite", 683.27, 127.25)


def gappy() -> Recordings:
    """Recordings of which seconds of one lead, of both, a whole lead, and all after a while are missing."""
    whole = recordings(4, 3)
    gone = (slice(900, 1100), 0), (slice(700, 950), slice(None)), (slice(None), 1), (slice(2000, None), slice(None))
    ones = list(whole.recordings)
    for i, (one, where) in enumerate(zip(whole.recordings, gone, strict=True)):
        values = one.values().copy()
        values[where] = np.nan
        seen = one.beats.take(one.beats.at < 2000) if i == 3 else one.beats
        ones[i] = replace(one, values=lambda values=values: values, beats=seen)
    return replace(whole, recordings=tuple(ones))


def fills(given: Recordings, made: Recordings) -> bool:
    """Whether nothing is missing in `made`, all that is known in `given` stands there, and rhythms go on."""
    for one, other in zip(given.recordings, made.recordings, strict=True):
        values, found = one.values(), other.values()
        known = np.isfinite(values)
        if not np.isfinite(found).all() or not np.array_equal(found[known], values[known]):
            return False
        if not set(one.beats.at) <= set(other.beats.at) or np.abs(found).max() > 20:
            return False
    last = made.recordings[3]
    return bool(last.beats.at[-1] > last.length - 2 * last.rate and np.diff(last.beats.at).max() < 3 * last.rate)


def _mixed(data: Recordings) -> bool:
    """Whether a third of the beats of each recording are V, and the others N."""
    shares = [(one.beats.symbol == "V").mean() for one in data.recordings]
    return all(abs(share - 1 / 3) <= 1 / len(one.beats) for share, one in zip(shares, data.recordings, strict=True))


def _heart_rates(data: Recordings) -> np.ndarray:
    return np.array([60 / np.median(np.diff(one.beats.at) / one.rate) for one in data.recordings])


WANTED_RECORDINGS: dict[str, tuple[Wanted, Callable[[Any], bool]]] = {
    "mix": (Wanted(quota={"beat": {"N": 2 / 3, "V": 1 / 3}}), _mixed),
    "sex and age": (
        Wanted(given={"sex": "F", "age": (60, 70)}),
        lambda d: bool((d.frame["sex"] == "F").all() and d.frame["age"].between(60, 70).all()),
    ),
    "slow": (
        Wanted(given={"heart_rate": (60, 70), "beat": "N"}),
        lambda d: bool(((_heart_rates(d) >= 60) & (_heart_rates(d) <= 70)).all()),
    ),
}


SIGNALS = Samples(
    make=recordings,
    judged=lambda n, seed: simulated.cut(recordings(max(n // 20, 3), seed)),
    weird=SILENT,
    planted=_planted_recordings,
    floor=simulated.unrelated,
    corruptions=simulated.CORRUPTIONS,
    wanted=WANTED_RECORDINGS,
    gaps=gappy,
    completes=fills,
    many=40,
    drawn=12,
    quick=".npz",
)


def _some_stays(n: int = 24, **changes: Any) -> Stays:
    return replace(wards.stays(n, 5), **changes)


def _stays_without_facts() -> Stays:
    whole = wards.stays(24, 5)
    return replace(whole, schema=Schema(whole.schema.columns[:1]), frame=whole.frame[[]])


def _stays_of_null() -> Stays:
    frame = wards.stays(24, 5).frame
    return _some_stays(frame=frame.assign(age=np.nan, sex=pd.Categorical([None] * 24, ["F"])))


def _constant_stays() -> Stays:
    whole = wards.stays(24, 5)
    return replace(whole, value=np.where(whole.channel == 2, 80.0, whole.value))


def _odd_stays() -> Stays:
    names = ("a b", "größe-µ", "x.y/z", "Lactate", "M A P", "Sys", "T", "pH")
    whole = wards.stays(24, 5)
    return replace(whole, channels=tuple(replace(c, name=n) for c, n in zip(whole.channels, names, strict=True)))


UNWELL: dict[str, Callable[[], Stays]] = {
    "one stay": lambda: wards.stays(1, 0),
    "two stays": lambda: wards.stays(2, 0),
    "nothing measured": lambda: _some_stays().kept(wards.stays(24, 5).channel < 0),
    "one measurement a stay": lambda: _some_stays().kept(np.diff(wards.stays(24, 5).stay, prepend=-1) > 0),
    "one channel": lambda: _some_stays().coded((Channel("HR"),)),
    "no facts": _stays_without_facts,
    "facts of null": _stays_of_null,
    "a constant channel": _constant_stays,
    "whole hours": lambda: _some_stays(minute=wards.stays(24, 5).minute // 60 * 60),
    "months": lambda: _some_stays(minute=wards.stays(24, 5).minute * 60),
    "odd names": _odd_stays,
}


def _planted_stays() -> tuple[Stays, tuple[str | float, ...]]:
    whole = wards.stays(60, 9)
    value = whole.value.copy()
    value[np.flatnonzero(whole.channel == 2)[40]] = 683.27
    channel = whole.channel.copy()
    channel[np.flatnonzero(whole.stay == 6)[3]] = len(whole.channels)
    sex = whole.frame["sex"].astype(object).where(np.arange(60) != 4, "Zanzibarite").astype("category")
    frame = whole.frame.assign(age=np.where(np.arange(60) == 6, 127.25, whole.frame["age"]), sex=sex)
    channels = (*whole.channels, Channel("Quetzalase"))
    canaries = ("Zanzibarite", "Quetzalase", 683.27, 127.25)
    return replace(whole, value=value, channel=channel, channels=channels, frame=frame), canaries


WANTED_STAYS: dict[str, tuple[Wanted, Callable[[Any], bool]]] = {
    "died": (Wanted(given={"died": "1"}), lambda d: bool((d.frame["died"].astype(str) == "1").all())),
    "all known": (Wanted(quota={"died": "balanced"}), lambda d: bool(d.frame["died"].notna().all())),
}


def _gappy_stays() -> Stays:
    """Stays of which every third value is missing."""
    whole = wards.stays(12, 3)
    return replace(whole, value=np.where(np.arange(len(whole.value)) % 3 == 0, np.nan, whole.value))


def _stays_are_filled(given: Stays, made: Stays) -> bool:
    known = ~np.isnan(given.value)
    same = (made.minute == given.minute).all() and (made.channel == given.channel).all()
    return bool(same and np.isfinite(made.value).all() and (made.value[known] == given.value[known]).all())


VITALS = Samples(
    make=wards.stays,
    judged=wards.stays,
    weird=UNWELL,
    planted=_planted_stays,
    floor=wards.unrelated,
    corruptions=wards.CORRUPTIONS,
    wanted=WANTED_STAYS,
    gaps=_gappy_stays,
    completes=_stays_are_filled,
    many=60,
    drawn=24,
    enough=250,
    small={"factors": 6, "blocks": 3, "width": 16, "depth": 1},
)


def _some_images(change: Callable[[np.ndarray], np.ndarray], n: int = 40) -> Images:
    whole = phantoms.images(n, 5)
    return replace(whole, pixels=change(whole.pixels).astype(np.float32))


def _images_without_labels() -> Images:
    whole = phantoms.images(40, 5)
    return replace(whole, schema=Schema(whole.schema.columns[:1]), frame=whole.frame[[]])


def _images_of_null() -> Images:
    return replace(phantoms.images(40, 5), frame=pd.DataFrame({"label": pd.Categorical([None] * 40, ["clear"])}))


BLIND: dict[str, Callable[[], Images]] = {
    "one image": lambda: phantoms.images(1, 0),
    "two images": lambda: phantoms.images(2, 0),
    "all alike": lambda: _some_images(lambda x: np.repeat(x[:1], len(x), 0)),
    "all black": lambda: _some_images(lambda x: 0 * x),
    "three channels": lambda: _some_images(lambda x: np.repeat(x, 3, 1)),
    "odd sizes": lambda: phantoms.images(20, 5, (9, 13)),
    "volumes": lambda: phantoms.images(20, 5, (8, 9, 10)),
    "Hounsfield units": lambda: replace(
        _some_images(lambda x: 8 * x - 1024), layout=replace(phantoms.LAYOUT, stored="int16", intercept=-1024.0)
    ),
    "masks": lambda: tissue.masked(20, 5),
    "masks of volumes": lambda: tissue.masked(20, 5, (8, 9, 10)),
    "no labels": _images_without_labels,
    "labels of null": _images_of_null,
    "one patient": lambda: replace(phantoms.images(20, 5), subjects=np.zeros(20, dtype=np.int64)),
}


def _planted_images() -> tuple[Images, tuple[str | float, ...]]:
    whole = phantoms.images(60, 9)
    pixels = whole.pixels.copy()
    pixels[7, 0, 3, 3] = 683.27
    label = whole.frame["label"].astype(object).where(np.arange(60) != 4, "Zanzibarite").astype("category")
    return replace(whole, pixels=pixels, frame=pd.DataFrame({"label": label})), ("Zanzibarite", 683.27)


def _holed() -> Images:
    """Images of which a region is unknown, and one of which all is."""
    whole = phantoms.images(3, 0)
    pixels = whole.pixels.copy()
    pixels[:2, :, 3:8, 4:9], pixels[2] = np.nan, np.nan
    return replace(whole, pixels=pixels)


def _same_pixels(given: Images, made: Images) -> bool:
    """Whether all pixels of `made` are known, and those of `given` stand there unchanged."""
    known = np.isfinite(given.pixels)
    return bool(np.isfinite(made.pixels).all() and (made.pixels[known] == given.pixels[known]).all())


WANTED_IMAGES: dict[str, tuple[Wanted, Callable[[Any], bool]]] = {
    "a label": (Wanted(given={"label": "nodule"}), lambda d: bool((d.frame["label"] == "nodule").all())),
    "labels": (
        Wanted(quota={"label": "balanced"}),
        lambda d: bool(d.frame["label"].notna().all()),
    ),
}

IMAGES = Samples(
    make=phantoms.images,
    judged=phantoms.images,
    weird=BLIND,
    planted=_planted_images,
    floor=phantoms.unrelated,
    corruptions=phantoms.CORRUPTIONS,
    wanted=WANTED_IMAGES,
    gaps=_holed,
    completes=_same_pixels,
    many=60,
    drawn=24,
    quick=".npz",
)

SAMPLES: dict[str, Samples] = {
    "table": Samples(
        make=cohort,
        judged=cohort,
        weird=WEIRD,
        planted=_planted,
        floor=shuffled,
        corruptions={"shuffled": shuffled, "shifted": shifted, "collapsed": collapsed},
        wanted=WANTED,
        gaps=gaps,
        completes=completes,
    ),
    "signal": SIGNALS,
    "vitals": VITALS,
    "image": IMAGES,
}
