from __future__ import annotations

from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from semblance.app.frames import from_pandas, is_frame, library_of, write_csv, write_parquet
from semblance.core.errors import UsageError

FRAME = pd.DataFrame({"a": [1, 2], "b": ["x", None]})


@pytest.mark.parametrize(
    ("library", "kind"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame), ("pyarrow", pa.Table)]
)
def test_frames_go_to_the_library_they_came_from(library: str, kind: type) -> None:
    made = from_pandas(FRAME, library)
    assert isinstance(made, kind) and is_frame(made) and library_of(made) == library


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_frames_of_any_library_are_written(library: str, tmp_path: Path) -> None:
    write_csv(from_pandas(FRAME, library), tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text().splitlines()[0].replace('"', "") == "a,b"
    write_parquet(from_pandas(FRAME, library), tmp_path / "a.parquet")
    assert pd.read_parquet(tmp_path / "a.parquet")["a"].tolist() == [1, 2]


def test_what_is_no_frame_is_refused(tmp_path: Path) -> None:
    assert not is_frame([1, 2])
    with pytest.raises(UsageError):
        write_parquet([1, 2], tmp_path / "a.parquet")
