"""Records as a person gives them to the Python face, a path or a frame, and as they leave it."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from semblance.app import choose, config, stages
from semblance.app.frames import columns_of, from_pandas, is_frame, library_of, write_csv, write_parquet
from semblance.app.private import marks
from semblance.app.versions import fingerprint
from semblance.core.errors import DataError, UsageError
from semblance.core.modality import Modality, Profile, ReadOptions
from semblance.core.modality import load as attribute
from semblance.core.promise import Ledger
from semblance.core.schema import Schema


@dataclass(frozen=True)
class Data:
    """Records as read: the data set of its modality, what the reader says, and the frame library of the person."""

    records: Any
    profile: Profile
    modality: Modality
    library: str = "pandas"
    marks: tuple[str, ...] = ()
    """Of what was read privately: digests of its files, for the ledger that pays for what is measured."""
    fewest: int | None = None
    """Patients who may be alone with something that was kept, where fewer than usual were asked for."""

    def __len__(self) -> int:
        return len(self.records)

    @property
    def schema(self) -> Schema:
        """The columns."""
        schema: Schema = self.records.schema
        return schema

    def take(self, rows: np.ndarray) -> Data:
        """Some of the records."""
        return replace(self, records=self.records.take(rows))

    @property
    def tabular(self) -> bool:
        """Whether the records are rows of a frame."""
        return of_frames(self.modality)

    def to_frame(self) -> Any:
        """The records as a frame of the library that they came in. Raises UsageError for records that are no rows."""
        if not self.tabular:
            raise UsageError.of(
                f"records of modality '{self.modality.name}' as a frame",
                rule="only rows of a table are a frame",
                fix="data.records holds them; data.write(path) writes them",
            )
        return from_pandas(self.records.to_pandas(), self.library)

    def write(self, path: str | Path) -> Path:
        """Write the records in the format of the path's name; they appear whole or not at all."""
        made: Path = attribute(self.modality.write)([self.records], Path(path))
        return made


def read(
    source: Any,
    *,
    subject: str | None = None,
    target: str | None = None,
    schema: Mapping[str, Any] | str | Path | None = None,
    na: Sequence[str] | None = None,
    rare: int = 5,
    modality: str = "auto",
    private: bool = False,
    ledger: Ledger | None = None,
) -> Data:
    """Read a path, several paths, or a frame (pandas, polars, pyarrow).

    `private` reads a path under what `schema` declares and nothing else, as differential privacy asks. What it declares
    as "measured" is measured with a tenth of what is left in `ledger`, every time that it is read.

    `subject` names the patient, `target` what others shall predict, `schema` is a schema file or its parsed content.
    Warns of columns that may identify a patient and are not declared. Raises DataError with every problem of the data.
    """
    if ledger is not None and not private:
        raise UsageError.of("a ledger without private=True", rule="it pays for a private read", fix="private=True")
    declared = config.read_toml(Path(schema)) if isinstance(schema, str | Path) else schema
    options = ReadOptions(subject, target, declared, None if na is None else tuple(na), rare)
    if is_frame(source):
        if private:
            raise UsageError.of("a frame with private=True", rule="private reads a file", fix="give the path")
        manifest = choose.modality_of(("frame.parquet",), modality)
        if not of_frames(manifest):
            raise UsageError.of(
                f"a frame of modality '{manifest.name}'", rule="only rows of a table are a frame", fix="give a path"
            )
        records, profile = stages.beside(manifest, "from_frame")(source, options)
        return _warned(Data(records, profile, manifest, library_of(source)))
    paths = (str(source),) if isinstance(source, str | Path) else tuple(map(str, source))
    manifest = choose.modality_of(paths, modality)
    told = marks({path: fingerprint(path) for path in paths}) if private else ()
    paid = {} if ledger is None else {"ledger": partial(_bound, ledger, told)}
    records, profile = stages.reader_of(manifest, private=private)(paths, options, **paid)
    return _warned(Data(records, profile, manifest, marks=told, fewest=rare if rare < ReadOptions.rare else None))


def _bound(ledger: Ledger, told: tuple[str, ...], outline: Schema) -> Ledger:
    """The ledger, which knows the files that are measured; one of another cohort is refused by whoever asks."""
    if outline.cohort == ledger.cohort:
        bind(ledger, told)
    return ledger


def bind(ledger: Ledger, told: tuple[str, ...]) -> None:
    """Let a ledger know the files that are measured; warns where its patients were measured in other files before."""
    if ledger.bind(told):
        said = f"cohort '{ledger.cohort}' was measured in other files before: they share the budget"
        warnings.warn(f"{said}; other patients need another [cohort] id", stacklevel=3)


def _warned(data: Data) -> Data:
    for name in stages.unresolved(data.profile):
        warnings.warn(f"column '{name}' may identify a patient: declare its role in schema=", stacklevel=3)
    return data


def data_of(source: Any) -> Data:
    """What `read` gives, for data, a frame or a path."""
    return source if isinstance(source, Data) else read(source)


def under(source: Any, real: Data, *, held: bool) -> Any:
    """Records as a data set under the schema of `real`; `held` says that they are real, too."""
    if isinstance(source, Data) and (source.schema == real.schema or not source.tabular):
        return source.records
    if isinstance(source, str | Path):
        reader = stages.real if held else stages.further
        return reader(real.modality, str(source), real.records)
    return like_of(source.to_frame() if isinstance(source, Data) else source, real.modality, real.schema)


def like_of(source: Any, modality: Modality, schema: Schema) -> Any:
    """A frame or a path as a data set under a schema."""
    like = attribute(modality.like)
    if isinstance(source, str | Path):
        return like((str(source),), schema)
    if is_frame(source) and len(source) == 0:
        raise DataError.of("the frame has no rows", rule="a table has at least one row", fix="give the full frame")
    with TemporaryDirectory(prefix="semblance-") as folder:
        path = Path(folder) / "frame.parquet"
        write_parquet(source, path)
        return like((str(path),), schema)


def of_frames(modality: Modality) -> bool:
    """Whether records of a modality are rows of a frame."""
    return stages.has_beside(modality, "from_frame")


def split(data: Any, *, holdout: float = 0.2, seed: int = 0) -> tuple[Data, Data]:
    """Train and holdout; no patient stands in both. `holdout` is the share of patients.

    Of what was read with `private=True` each patient is held out by a coin that no seed repeats: then one patient more
    changes nobody else's side, as a guarantee asks.
    """
    whole = data_of(data)
    train, aside = stages.split_rows(whole.records, holdout=holdout, seed=seed, private=whole.schema.public)
    return whole.take(train), whole.take(aside)


def same(source: Any) -> str:
    """What is equal where two sources are one."""
    return fingerprint(str(source)) if isinstance(source, str | Path) else str(id(source))


def unjudged(source: Any, real: Data) -> list[str]:
    """Columns that stand in the records and not in what was judged."""
    if isinstance(source, str | Path):
        names = stages.beside(real.modality, "column_names")((source,))
    else:
        names = [field.name for field in source.profile.fields] if isinstance(source, Data) else columns_of(source)
    judged = {column.name for column in real.schema.written}
    return [name for name in names if name not in judged]


def written(source: Any, folder: Path) -> Path:
    """Records as the file in `folder` that leaves: a path is copied, a frame is written as CSV."""
    if isinstance(source, Data) and not source.tabular:
        return source.write(folder / attribute(source.modality.output)(()))
    if not isinstance(source, str | Path):
        made = folder / "synthetic.csv"
        write_csv(source.to_frame() if isinstance(source, Data) else source, made)
        return made
    file = Path(source)
    if file.is_dir() and choose.modality_of((str(file),)).folders:
        return Path(shutil.copytree(file, folder / "synthetic"))
    if not file.is_file() or file.suffix.lower() == ".zip":
        raise UsageError.of(
            f"'{file.name}' as the synthetic records",
            rule="a file that holds one table and nothing else",
            fix="give the file, or sb.read(...) of it to `evaluate` and `release`",
        )
    made = folder / f"synthetic{'.csv.gz' if file.name.lower().endswith('.csv.gz') else file.suffix}"
    shutil.copyfile(file, made)
    return made


def mark(source: Any) -> str:
    """The SHA-256 of records as they are written."""
    if isinstance(source, str | Path):
        return fingerprint(str(source))
    with TemporaryDirectory(prefix="semblance-") as folder:
        return fingerprint(str(written(source, Path(folder))))
