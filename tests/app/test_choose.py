from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from semblance.app import choose
from semblance.catalog import modality
from semblance.core.errors import UsageError

TABLE = modality("table")


@pytest.mark.parametrize("path", ["a.csv", "A.CSV.GZ", "a.parquet", "dir.v2/a.zip::b/c.csv", "a.xlsx"])
def test_suffixes_choose_the_modality(path: str) -> None:
    assert choose.modality_of((path,)).name == "table"


@pytest.mark.parametrize("path", ["a.mp3", "a", "csv"])
def test_what_fits_no_modality_says_which_to_name(path: str) -> None:
    with pytest.raises(UsageError) as caught:
        choose.modality_of((path,))
    assert "--modality table" in str(caught.value)


@pytest.mark.parametrize("name", ["auto", "table"])
def test_a_folder_is_refused_where_files_are_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.csv").write_text("x\n1\n")
    with pytest.raises(UsageError, match="is a folder"):
        choose.modality_of((str(tmp_path),), name)


def test_a_folder_of_files_without_known_names_says_which_to_name(tmp_path: Path) -> None:
    """A disc of DICOM once was told to be one file."""
    (tmp_path / "IM0001").write_bytes(bytes(128) + b"DICM")
    with pytest.raises(UsageError, match="no name of a file in the folder") as caught:
        choose.modality_of((str(tmp_path),))
    assert "--modality " in str(caught.value) and "image" in str(caught.value)
    assert choose.modality_of((str(tmp_path),), "image").name == "image"


def placed(folder: Path, *names: str) -> str:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return str(folder)


@pytest.mark.parametrize(
    ("names", "modality"),
    [
        (["a/1.png", "b/2.png"], "image"),
        (["train/a/1.nii.gz", "notes.txt"], "image"),
        (["manifest.csv", "files/1.tif"], "image"),
        (["records/00/1.hea"], "signal"),
        (["stays.vitals.csv", "plots/1.png"], "vitals"),
        (["1.png", ".hidden/2.hea", ".3.hea"], "image"),
    ],
)
def test_a_folder_is_known_by_files_of_folders_inside_it(tmp_path: Path, names: list[str], modality: str) -> None:
    """Folders by label once were refused; what lies deeper counts where nothing above it is known."""
    assert choose.modality_of((placed(tmp_path, *names),)).name == modality


def test_hidden_files_tell_nothing(tmp_path: Path) -> None:
    folder = placed(tmp_path, ".cache/1.png", "a/.2.png", "a/3.txt")
    with pytest.raises(UsageError, match="no name of a file in the folder"):
        choose.modality_of((folder,))


def test_of_a_deep_folder_only_some_names_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "LOOKED", 4)
    folder = placed(tmp_path, *(f"a/{i}.txt" for i in range(4)), "b/1.png")
    with pytest.raises(UsageError, match="no name of a file in the folder"):
        choose.modality_of((folder,))
    monkeypatch.setattr(choose, "LOOKED", 5)
    assert choose.modality_of((folder,)).name == "image"


@pytest.mark.parametrize(("ending", "modality"), [(".hea", "signal"), (".EDF", "signal"), (".png", "image")])
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_table_that_lists_files_is_of_their_modality(tmp_path: Path, ending: str, modality: str, suffix: str) -> None:
    """It once became a synthetic table of file names."""
    table = listing(tmp_path / f"manifest{suffix}", *(f"in/p{i}{ending}" for i in range(3)), None)
    assert choose.modality_of((table,)).name == modality
    assert choose.modality_of((table,), "table").name == "table"
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / f"p{ending}").write_bytes(b"")
    assert choose.modality_of((table, str(tmp_path / "made"))).name == modality


@pytest.mark.parametrize("cells", [("a.hea", "other"), ("a.csv", "b.csv"), ("a.hea", "b.png"), ("", None), ()])
def test_any_other_table_with_a_column_of_paths_is_one(tmp_path: Path, cells: tuple[str | None, ...]) -> None:
    for suffix in (".csv", ".parquet"):
        assert choose.modality_of((listing(tmp_path / f"a{suffix}", *cells),)).name == "table"


@pytest.mark.parametrize("held", ["x,y\n1.hea,2.hea\n", "path,y\n\n", ""])
def test_a_table_that_lists_nothing_or_is_broken_is_one(tmp_path: Path, held: str) -> None:
    for name in ("a.csv", "a.parquet"):
        (tmp_path / name).write_text(held)
        assert choose.modality_of((str(tmp_path / name),)).name == "table"


def listing(path: Path, *cells: str | None) -> str:
    """A table with a column of paths."""
    frame = pd.DataFrame({"subject": [str(i) for i in range(len(cells))], "path": list(cells)}, dtype="string")
    frame.to_csv(path, index=False) if path.suffix == ".csv" else frame.to_parquet(path, index=False)
    return str(path)


def test_auto_chooses_and_a_typo_gets_an_offer() -> None:
    assert choose.generator_name(TABLE, "auto") == "auto"
    with pytest.raises(UsageError) as caught:
        choose.generator_name(TABLE, "copulla")
    assert "did you mean 'copula'?" in str(caught.value)


def test_options_of_a_generator_are_checked_and_offers_are_taken_where_they_fit() -> None:
    spec = choose.build_spec(TABLE, "marginals", offered={"rare": 11, "device": "cpu"}, asked={"bins": 8})
    assert (spec.rare, spec.bins) == (11, 8)
    with pytest.raises(UsageError) as caught:
        choose.build_spec(TABLE, "marginals", offered={}, asked={"bin": 8})
    assert "did you mean 'bins'?" in str(caught.value)


@pytest.mark.parametrize(
    "asked", [{"bins": 0}, {"bins": "8"}, {"bins": True}, {"bins": 8.0}, {"rare": -1}, {"tokens": [1]}]
)
def test_values_for_a_generator_are_checked(asked: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        choose.build_spec(TABLE, "marginals", offered={"rare": 5}, asked=asked)


@pytest.mark.parametrize("asked", [5, 20])
def test_groups_may_be_asked_to_be_larger(asked: int) -> None:
    assert choose.build_spec(TABLE, "marginals", offered={"rare": 5}, asked={"rare": asked}).rare == asked


def test_groups_are_never_smaller_than_a_profile_wants_and_never_enlarged_without_a_word() -> None:
    """`rare = 1` once became 5 in silence."""
    with pytest.raises(UsageError) as caught:
        choose.build_spec(TABLE, "marginals", offered={"rare": 5}, asked={"rare": 1, "bin": 8})
    (_, told) = caught.value.problems
    assert told.found == "[generator] rare = 1" and "5" in told.rule and told.fix.startswith("rare = 5")


def test_an_epsilon_is_refused_where_no_generator_can_keep_it() -> None:
    choose.refuse_epsilon(TABLE, "marginals", epsilon=None)
    with pytest.raises(UsageError):
        choose.refuse_epsilon(TABLE, "marginals", epsilon=1.0)


def test_a_device_is_refused_where_the_generator_has_no_choice() -> None:
    assert choose.device_of(TABLE, "marginals", device="auto") == "cpu"
    with pytest.raises(UsageError, match="only other modalities can"):
        choose.device_of(TABLE, "marginals", device="cuda")
    with pytest.raises(UsageError, match="only diffusion, med_ddpm, paired_flow"):
        choose.device_of(modality("image"), "floor", device="cuda")


@pytest.mark.parametrize("present", [False, True])
def test_a_device_is_where_the_machine_has_it(present: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: present)
    image = modality("image")
    assert choose.device_of(image, "diffusion", device="auto") == ("cuda" if present else "cpu")
    assert choose.device_of(image, "diffusion", device="auto", private=True) == "cpu"
    with pytest.raises(UsageError, match="under differential privacy"):
        choose.device_of(image, "diffusion", device="cuda", private=True)
    with pytest.raises(UsageError, match="an option of the run"):
        choose.refuse_placed({"device": "cuda"})
    if not present:
        with pytest.raises(UsageError, match="PyTorch finds no CUDA here"):
            choose.device_of(image, "diffusion", device="cuda")
