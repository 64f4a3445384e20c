from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from semblance.app.events import Finished, quiet
from semblance.app.work import Stages, digest, free_name, open_work, publish, work_of, working
from semblance.core.errors import DataError, IdentifierError, ResourceError, SemblanceError, UsageError


def stages(folder: Path, key: str = "root") -> Stages:
    return Stages(folder, quiet, 2, key)


def test_work_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    folder = open_work(tmp_path / "RUN", kind="synth", resume=False)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "RUN").mkdir()
    (tmp_path / "RUN" / "mine.txt").write_text("mine")
    for resume in (False, True):
        with pytest.raises(UsageError):
            open_work(tmp_path / "RUN", kind="synth", resume=resume)
    assert not work_of(tmp_path / "RUN").exists()


def test_an_unfinished_run_is_only_taken_up_when_asked(tmp_path: Path) -> None:
    open_work(tmp_path / "RUN", kind="synth", resume=False)
    with pytest.raises(UsageError):
        open_work(tmp_path / "RUN", kind="synth", resume=False)
    open_work(tmp_path / "RUN", kind="synth", resume=True)


@pytest.mark.parametrize(("error", "kept"), [(IdentifierError, False), (DataError, False), (ResourceError, True)])
def test_a_refused_run_leaves_nothing_and_an_exhausted_one_can_be_resumed(
    tmp_path: Path, error: type[SemblanceError], kept: bool
) -> None:
    with pytest.raises(error), working(tmp_path / "RUN", kind="synth", resume=False):
        raise error.of("found", rule="rule", fix="fix")
    assert work_of(tmp_path / "RUN").exists() is kept


def test_what_an_earlier_run_finished_is_kept_when_resuming_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), working(tmp_path / "RUN", kind="synth", resume=False):
        raise KeyboardInterrupt
    with pytest.raises(DataError), working(tmp_path / "RUN", kind="synth", resume=True):
        raise DataError.of("found", rule="rule", fix="fix")
    assert work_of(tmp_path / "RUN").exists()


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
def test_memory_that_runs_out_is_a_resource_error(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(ResourceError), working(tmp_path / "RUN", kind="synth", resume=False):
        raise error


def test_the_unfinished_work_of_another_command_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), working(tmp_path / "RUN", kind="synth", resume=False):
        raise KeyboardInterrupt
    for kind in ("evaluate", "demo"):
        with pytest.raises(UsageError, match="synth"), working(tmp_path / "RUN", kind=kind, resume=True):
            pass
    with working(tmp_path / "RUN", kind="synth", resume=True) as folder:
        assert folder == work_of(tmp_path / "RUN")


def test_a_folder_that_no_run_began_is_never_taken(tmp_path: Path) -> None:
    work_of(tmp_path / "RUN").mkdir()
    (work_of(tmp_path / "RUN") / "mine.txt").write_text("mine")
    with pytest.raises(UsageError), working(tmp_path / "RUN", kind="evaluate", resume=True):
        pass
    assert (work_of(tmp_path / "RUN") / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("run", ["file/RUN", "file/deep/RUN", "n" * 300])
def test_a_place_that_no_folder_can_have_is_a_usage_error(tmp_path: Path, run: str) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError), working(tmp_path / run, kind="synth", resume=False):
        pass


def test_the_root_of_the_file_system_is_no_run_folder() -> None:
    with pytest.raises(UsageError), working(Path("/"), kind="synth", resume=False):
        pass


def test_two_processes_never_work_in_one_folder(tmp_path: Path) -> None:
    with working(tmp_path / "RUN", kind="synth", resume=False):
        with pytest.raises(UsageError), working(tmp_path / "RUN", kind="synth", resume=True):
            pass
        assert work_of(tmp_path / "RUN").exists()


def test_a_finished_stage_is_not_run_again(tmp_path: Path) -> None:
    assert stages(tmp_path).run("split", lambda room: [1, 2], seed=0) == [1, 2]
    assert stages(tmp_path).run("split", lambda room: 1 / 0, seed=0) == [1, 2]


def test_a_changed_option_redoes_its_stage_and_all_that_follow(tmp_path: Path) -> None:
    made = []
    for seed in (0, 1):
        run = stages(tmp_path)
        run.run("split", lambda room: made.append("split"), seed=seed)
        run.run("fit", lambda room: made.append("fit"))
    assert made == ["split", "fit", "split", "fit"]


def test_an_interrupted_stage_keeps_its_files_for_the_same_key_only(tmp_path: Path) -> None:
    def dies(room: Path) -> None:
        (room / "checkpoint").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stages(tmp_path).run("fit", dies, steps=10)
    assert stages(tmp_path).run("fit", lambda room: (room / "checkpoint").exists(), steps=10) is True
    assert stages(tmp_path).run("fit", lambda room: (room / "checkpoint").exists(), steps=11) is False


def test_a_room_is_that_of_this_run_and_never_a_stale_one_of_the_same_name(tmp_path: Path) -> None:
    (tmp_path / "01-sign").mkdir()
    run = stages(tmp_path)
    run.run("split", lambda room: 0)
    run.run("sign", lambda room: 0)
    assert run.room("sign") == tmp_path / "02-sign"


@pytest.mark.parametrize("name", ["measured.safetensors", "measured.json"])
def test_what_was_paid_for_is_never_thrown_away(tmp_path: Path, name: str) -> None:
    run = tmp_path / "RUN"

    def measure(room: Path) -> None:
        (room / "checkpoints").mkdir(exist_ok=True)
        (room / "checkpoints" / name).write_bytes(b"noisy")
        raise UsageError.of("after the fit", rule="none", fix="none")

    with pytest.raises(UsageError, match="after the fit"), working(run, kind="synth", resume=False) as folder:
        Stages(folder, quiet, 1, "begun").run("fit", measure)
    held = work_of(run) / "01-fit" / "checkpoints" / name
    assert held.exists()
    with pytest.raises(UsageError, match="paid for"), working(run, kind="synth", resume=True) as folder:
        Stages(folder, quiet, 1, "another machine").run("fit", measure)
    assert held.read_bytes() == b"noisy"


def test_the_stage_that_began_last_is_the_one_at_work(tmp_path: Path) -> None:
    stages = Stages(tmp_path, quiet, 2, "root")
    assert stages.run("profile", lambda room: stages.now) == "profile"
    assert stages.run("split", lambda room: stages.now) == "split"


def test_events_say_what_was_kept(tmp_path: Path) -> None:
    seen: list[object] = []
    for _ in range(2):
        Stages(tmp_path, seen.append, 1, "root").run("split", lambda room: 0)
    assert [event.reused for event in seen if isinstance(event, Finished)] == [False, True]


def test_publish_moves_everything_at_once_and_leaves_no_work(tmp_path: Path) -> None:
    folder = open_work(tmp_path / "RUN", kind="synth", resume=False)
    (folder / "out").mkdir()
    (folder / "out" / "report.json").write_text("{}")
    publish(folder / "out", tmp_path / "RUN")
    assert json.loads((tmp_path / "RUN" / "report.json").read_text()) == {}
    assert stat.S_IMODE((tmp_path / "RUN").stat().st_mode) == 0o700
    assert not folder.exists()


def test_digest_depends_on_every_part_and_not_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest("a", 1) != digest("a", 2)


def test_free_names_never_meet_an_earlier_run(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    assert free_name(folder) == folder
    folder.mkdir()
    work_of(tmp_path / "demo-2").mkdir()
    assert free_name(folder) == tmp_path / "demo-3"
    assert free_name(folder, resume=True) == tmp_path / "demo-2"
