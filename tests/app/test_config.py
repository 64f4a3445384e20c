from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semblance.app import config
from semblance.app.options import SynthOptions
from semblance.core.errors import UsageError

INPUTS = {"patients.csv": "ab12"}


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return path


def merged(flags: dict, found: dict) -> SynthOptions:
    return config.synth_options({"paths": ["patients.csv"], "run": Path("RUN"), **flags}, config=found, inputs=INPUTS)


@pytest.mark.parametrize(("text", "seconds"), [("60s", 60), ("2m", 120), ("1.5h", 5400), ("90", 90), (" 5 s ", 5)])
def test_seconds_reads_spans_of_time(text: str, seconds: float) -> None:
    assert config.seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "1d", "-5s", "1 2 s"])
def test_seconds_refuses_everything_else(text: str) -> None:
    with pytest.raises(UsageError):
        config.seconds(text)


def test_a_flag_beats_the_file_and_the_file_beats_the_default() -> None:
    options = merged({"seed": 3, "rows": None}, {"synth": {"seed": 1, "rows": 10, "time_budget": "2m"}})
    assert (options.seed, options.rows, options.time_budget, options.holdout) == (3, 10, 120.0, 0.2)


def test_zero_is_a_value_and_not_a_missing_flag() -> None:
    assert merged({"seed": 0}, {"synth": {"seed": 7}}).seed == 0


def test_unknown_keys_are_all_told_with_the_nearest_known_one(tmp_path: Path) -> None:
    path = written(tmp_path, "[synth]\ntime_bugdet = 60\nsede = 1\n[sinth]\n")
    with pytest.raises(UsageError) as caught:
        config.read(path)
    told = str(caught.value)
    assert "did you mean 'time_budget'?" in told and "did you mean 'seed'?" in told and "did you mean 'synth'?" in told


@pytest.mark.parametrize("line", ['seed = "one"', "seed = true", "model = 3", 'holdout = "a"'])
def test_a_value_of_another_type_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(UsageError):
        config.read(written(tmp_path, f"[synth]\n{line}\n"))


@pytest.mark.parametrize("section", config.SECTIONS)
def test_every_section_is_a_table(tmp_path: Path, section: str) -> None:
    with pytest.raises(UsageError, match=f"'{section}'"):
        config.read(written(tmp_path, f"{section} = 3\n"))


@pytest.mark.parametrize("text", ["[input]\nsha256 = 3\n", "[input]\nsha256 = [3]\n", "[accepted]\nzip = 3\n"])
def test_what_was_written_for_a_rerun_is_checked_too(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError):
        config.read(written(tmp_path, text))


@pytest.mark.parametrize("text", ["[synth", "seed = = 1", "\x00"])
def test_a_broken_file_is_told_by_line_and_not_by_content(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError):
        config.read(written(tmp_path, text))


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        config.read(tmp_path / "none.toml")


def test_effective_config_reads_back_as_the_same_options(tmp_path: Path) -> None:
    options = SynthOptions(
        ("in/patients.csv",), Path("RUN"), model="marginals", rows=5, threads=2, declared={"na": ["?"]}
    )
    found = config.effective(
        options,
        plan={"steps": 7, "rate": 3e-3},
        generator={"rare": 5},
        inputs=INPUTS,
        versions={"python": "3"},
        accepted={"zip": "drop"},
    )
    config.write(tmp_path / "config.toml", found)
    again = merged({}, config.read(tmp_path / "config.toml"))
    assert (
        again.plan == {"steps": 7, "rate": 3e-3} and again.generator == {"rare": 5} and again.declared == {"na": ["?"]}
    )
    assert (again.model, again.rows, again.threads) == ("marginals", 5, 2)
    assert again.accepted == {"zip": "drop"}
    assert "in/" not in (tmp_path / "config.toml").read_text()


@given(st.floats(min_value=1e-9, max_value=1e9), st.integers(min_value=0, max_value=2**62))
def test_a_plan_keeps_every_bit_of_its_numbers(rate: float, steps: int) -> None:
    import tomli_w

    assert tomllib.loads(tomli_w.dumps({"plan": {"rate": rate, "steps": steps}}))["plan"] == {
        "rate": rate,
        "steps": steps,
    }


@pytest.mark.parametrize("flag", [{"time_budget": "5s"}, {"model": "copula"}, {"target": "y"}, {"holdout": 0.5}])
def test_a_saved_plan_is_dropped_when_what_it_was_made_for_changes(flag: dict) -> None:
    found = {"plan": {"steps": 7}, "input": {"sha256": ["ab12"]}}
    assert merged({}, found).plan == {"steps": 7}
    assert merged({"seed": 5}, found).plan == {"steps": 7}
    assert merged(flag, found).plan is None


def test_another_model_takes_neither_the_plan_nor_the_options_of_the_first() -> None:
    found = {"synth": {"model": "autoregressive"}, "plan": {"steps": 7}, "generator": {"width": 64}}
    same, other = (merged({"model": model}, found) for model in ("autoregressive", "copula"))
    assert (same.plan, same.generator) == ({"steps": 7}, {"width": 64})
    assert (other.plan, other.generator) == (None, {})


def test_options_for_a_model_that_only_the_flag_names_are_kept() -> None:
    assert merged({"model": "copula"}, {"generator": {"bins": 8}}).generator == {"bins": 8}


def test_a_saved_plan_is_dropped_for_another_input() -> None:
    assert merged({}, {"plan": {"steps": 7}, "input": {"sha256": ["other"]}}).plan is None


def test_names_lose_their_folders_and_keep_their_member() -> None:
    assert config.file_name("a/b.zip::c/d.csv") == "b.zip::c/d.csv"


def test_what_is_wanted_is_kept_and_read_again(tmp_path: Path) -> None:
    asked = {"given": {"sex": "F"}, "quota": {"died": "balanced"}, "shift": {"age": "+10"}, "fair_on": "race"}
    options = merged({**asked, "fairness": "odds"}, {})
    written_down = config.effective(options, plan={}, generator={}, inputs=INPUTS, versions={}, accepted={})
    config.write(tmp_path / "config.toml", written_down)
    again = merged({}, config.read(tmp_path / "config.toml"))
    assert again.wanted == options.wanted is not None
    assert merged({"given": {"sex": "M"}}, config.read(tmp_path / "config.toml")).given == {"sex": "M"}
    plain = config.effective(merged({}, {}), plan={}, generator={}, inputs=INPUTS, versions={}, accepted={})
    config.write(tmp_path / "plain.toml", plain)
    assert "given" not in config.read(tmp_path / "plain.toml")["synth"]
