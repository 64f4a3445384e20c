"""A folder of recordings in, a judged and signed folder of synthetic ones out; and what becomes of bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semblance as sb
from semblance.core.errors import UsageError
from semblance.core.modality import load
from semblance.modalities.signal import MANIFEST
from semblance.modalities.signal.data import Recordings
from semblance.modalities.signal.write import write
from tests import warm
from tests.modalities.signal.simulated import recordings

wfdb = pytest.importorskip("wfdb")


def semblance(folder: Path, *words: str):
    """The command, in a warm process."""
    return warm.run(["-m", "semblance", *words], cwd=folder, env=warm.environment())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run on 30 recordings with the quickest generator."""
    folder = tmp_path_factory.mktemp("signals")
    write([recordings(30, 7)], folder / "ecg")
    (folder / "fast.toml").write_text('[synth]\ntier = "fast"\n')
    words = ("-o", "RUN", "--config", "fast.toml", "--model", "floor", "--rows", "6", "--yes")
    told = semblance(folder, "synth", "ecg", *words)
    assert told.returncode in (5, 6), told.stderr[-2000:]
    return folder / "RUN"


def test_the_records_are_read_by_the_library_of_their_format(run):
    headers = sorted((run / "synthetic").glob("*.hea"))
    assert len(headers) == 6
    for header in headers:
        name = str(header.with_suffix(""))
        record, marks = wfdb.rdrecord(name), wfdb.rdann(name, "atr")
        assert (record.fs, record.sig_name, record.units) == (250, ["II", "V1"], ["mV", "mV"])
        assert np.isfinite(record.p_signal).all()
        assert marks.sample[0] > 0 and marks.sample[-1] < record.sig_len
        assert set(marks.symbol) <= set("NSVFQ")


def test_the_report_shows_recordings_and_the_pieces_that_were_judged(run):
    told = json.loads((run / "report.json").read_text())
    assert told["subject"]["rows"] == {"train": 24, "holdout": 6, "synthetic": 6}
    assert told["subject"]["pieces"]["synthetic"] > 60
    assert {picture["title"] for picture in told["subject"]["pictures"]} >= {"Strips", "Spectra"}
    page = (run / "report.html").read_text()
    assert "What it looks like" in page and "paper large" in page
    assert not [f["metric"] for f in told["findings"] if f["status"] == "error"]


def test_the_run_is_sealed_and_a_changed_sample_is_found(run, tmp_path):
    assert semblance(run.parent, "verify", "RUN").returncode == 0
    import shutil

    copy = tmp_path / "RUN"
    shutil.copytree(run, copy)
    signal = next((copy / "synthetic").glob("*.dat"))
    signal.chmod(0o600)
    data = bytearray(signal.read_bytes())
    data[100] ^= 1
    signal.write_bytes(bytes(data))
    told = semblance(tmp_path, "verify", "RUN")
    assert told.returncode == 8
    assert signal.name in told.stdout + told.stderr


def test_a_saved_model_draws_the_same_recordings(run, tmp_path):
    generator = load(MANIFEST.generators["floor"])
    one, two = (generator.load(run / "model") for _ in range(2))
    first, second = (_values(model.sample(2, rng=np.random.default_rng(3))) for model in (one, two))
    assert np.array_equal(first, second)


def _values(chunks) -> np.ndarray:
    parts: list[Recordings] = list(chunks)
    return np.concatenate([one.values() for part in parts for one in part.recordings])


def test_recordings_are_completed_by_their_path_and_a_frame_is_refused(run):
    """Both once ended in an AttributeError."""
    model = sb.load(run / "model")
    assert np.isfinite(model.complete(run.parent / "ecg").records.recordings[0].values()).all()
    frame = pd.DataFrame({"II": [0.1, 0.2]})
    for asks in (lambda: model.complete(frame), lambda: sb.read(frame, modality="signal")):
        with pytest.raises(UsageError, match="only rows of a table are a frame"):
            asks()


def test_a_folder_that_holds_no_recording_is_told(tmp_path):
    (tmp_path / "empty").mkdir()
    told = semblance(tmp_path, "synth", "empty", "--modality", "signal", "-o", "RUN")
    assert told.returncode in (2, 3)
    assert "empty" in told.stderr
    assert not (tmp_path / "RUN").exists()


def test_samples_that_a_header_promises_and_a_file_lacks_are_told_with_the_record(tmp_path):
    write([recordings(4, 7)], tmp_path / "ecg")
    broken = sorted((tmp_path / "ecg").glob("*.dat"))[1]
    broken.write_bytes(broken.read_bytes()[:500])
    told = semblance(tmp_path, "synth", "ecg", "-o", "RUN")
    assert told.returncode == 3
    assert broken.stem in told.stderr


def test_an_eeg_of_one_subject_ends_in_files_and_a_refusal_that_says_why(tmp_path):
    """It ended where the patients were to be split, and its folder was not read at all."""
    rng, clock = np.random.default_rng(3), np.arange(60 * 128) / 128
    closed = (clock // 10) % 2 == 1
    alpha = np.where(closed, 20, 4) * np.sin(2 * np.pi * 10 * clock)
    waves = 4300 + alpha[:, None] * [1.0, 0.8, 0.2] + rng.normal(0, 4, (len(clock), 3))
    rows = "".join(f"{a:.2f},{b:.2f},{c:.2f},{int(eyes)}\n" for (a, b, c), eyes in zip(waves, closed, strict=True))
    heads = "".join(f"@ATTRIBUTE {name} NUMERIC\n" for name in ("O1", "O2", "F3"))
    folder = tmp_path / "eeg"
    folder.mkdir()
    (folder / "SOURCE.txt").write_text("one subject")
    (folder / "eeg.arff").write_text(f"@RELATION EEG\n{heads}@ATTRIBUTE eyes {{0,1}}\n@DATA\n{rows}")
    (tmp_path / "eeg.toml").write_text("[signal]\nrate = 128\nband = [1, 40]\n")
    (tmp_path / "fast.toml").write_text('[synth]\ntier = "fast"\n')
    words = ("-o", "RUN", "--schema", "eeg.toml", "--config", "fast.toml", "--model", "floor", "--yes")
    told = semblance(tmp_path, "synth", "eeg", *words)
    assert told.returncode == 5, told.stderr[-2000:]
    assert "all is of one patient" in " ".join(told.stdout.split())
    report = json.loads((tmp_path / "RUN" / "report.json").read_text())
    assert report["decision"]["verdict"] == "REFUSED"
    status = {f["metric"]: f["status"] for f in report["findings"]}
    assert "error" not in status.values()
    assert {status[name] for name in status if name.startswith("privacy.")} == {"insufficient"}
    assert report["subject"]["pieces"] == {"train": 24, "holdout": 6, "synthetic": 30}
    assert {picture["title"] for picture in report["subject"]["pictures"]} == {"Strips", "Spectra"}
    assert "Squares of single patients" in (tmp_path / "RUN" / "report.html").read_text()
    made = sb.read(tmp_path / "RUN" / "synthetic.arff", modality="signal", schema=tmp_path / "eeg.toml").records
    one = made.recordings[0]
    state = one.states.state_at(np.arange(one.length))
    power = [np.abs(np.fft.rfft(one.values()[state == eyes, 0])) ** 2 for eyes in "01"]
    share = [part[9 * len(part) // 64 : 11 * len(part) // 64].sum() / part[3:].sum() for part in power]
    assert share[1] > share[0], "the rhythm of closed eyes is theirs"
