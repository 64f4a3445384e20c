"""What every generator of the catalogue promises. A newcomer inherits these tests with its line in the manifest."""

from __future__ import annotations

import random
import re
import struct
import tomllib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import rich.style  # noqa: F401 - draws from `random` once, when scikit-learn or another first imports it

from semblance import catalog
from semblance.core.errors import DataError, SemblanceError, UsageError
from semblance.core.modality import load
from semblance.core.model import Wanted
from semblance.core.rng import stream
from tests.contracts.samples import SAMPLES, bytes_at, manifest, ready

CASES = [(m, g) for m in catalog.MODALITIES for g in manifest(m).generators]
ROOT = Path(__file__).resolve().parents[2]
# A plan shortened for a test, wherever it names steps, and options that make a draw or a step slow.
STEPS = {"steps": 12, "hazards": 12}
QUICK = {"burn": 5, "steps": 6, "turns": 1, "channels": 2, "units": 4, "frame": 32}


class Case:
    """One generator of one modality, and what it takes to try it."""

    def __init__(self, modality: str, name: str) -> None:
        self.manifest, self.name = manifest(modality), name
        self.kind = self.manifest.generator(name)
        self.samples = ready(SAMPLES[modality], self.kind)
        spec = self.kind()
        quick = {**QUICK, **self.samples.small}
        self.spec = replace(spec, **{name: quick[name] for name in quick if hasattr(spec, name)})
        self.plans: dict[int, tuple[Any, dict[str, Any]]] = {}
        self.measured: dict[int, tuple[Any, TemporaryDirectory[str]]] = {}

    def plan(self, train: Any) -> dict[str, Any]:
        """A plan short enough for a test; made once per data set, since making it takes a probe."""
        if id(train) not in self.plans:
            self.plans[id(train)] = (train, self._plan(train))
        return self.plans[id(train)][1]

    def _plan(self, train: Any) -> dict[str, Any]:
        return shortened(self.spec.plan(train, rng=stream(0, "plan"), time_budget=0.2))

    def fit(self, train: Any, *, seed: int = 0, **more: Any) -> Any:
        given = {**self._paid(train), **more} if self.kind.card.only_private else more
        return self.spec.fit(train, rng=stream(seed, "fit"), plan=self.plan(train), **given)

    def again(self, train: Any) -> tuple[Any, list[Any]]:
        """The same fit with no plan given, where a generator plans: then it makes its own, which here is the same one.
        Also for what it made plans."""
        if self.kind.card.only_private:
            return self.fit(train), []
        plan, asked = self.plan(train), list[Any]()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.kind, "plan", lambda spec, train, **how: asked.append(train) or plan)
            return self.spec.fit(train, rng=stream(0, "fit")), asked

    def _paid(self, train: Any) -> dict[str, Any]:
        """A budget, and the place of what it paid for: a second fit on the same data measures nothing anew."""
        from semblance.privacy.ledger import Ledger

        folder = self.measured.setdefault(id(train), (train, TemporaryDirectory()))[1].name
        return {"ledger": Ledger.open(folder, cohort="made-up", epsilon=5.0, delta=1e-6), "resume": Path(folder)}

    def bytes_of(self, chunks: Iterable[Any], folder: Path, suffix: str = "") -> bytes:
        """The data as a user would get it, by default in a format that is quickly written."""
        name = load(self.manifest.output)([f"x{suffix or self.samples.quick or self.manifest.suffixes[0]}"])
        written: Path = load(self.manifest.write)(chunks, folder / name)
        return bytes_at(written)


def shortened(plan: Mapping[str, Any]) -> dict[str, Any]:
    """The plan with few steps, also where one plan holds another."""
    return {k: shortened(v) if isinstance(v, Mapping) else STEPS.get(k, v) for k, v in plan.items()}


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def case(request: pytest.FixtureRequest) -> Case:
    return Case(*request.param)


@pytest.fixture(scope="module")
def train(case: Case) -> Any:
    return case.samples.make(case.samples.many, 1)


@dataclass(frozen=True)
class Watched:
    """A fit: what it told of itself, and what stood around it before and after (`around`)."""

    model: Any
    ticks: list[Any]
    before: list[Any]
    after: list[Any]


@pytest.fixture(scope="module")
def watched(case: Case, train: Any, tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """The one fit that most tests look at."""
    folder, ticks = tmp_path_factory.mktemp("around"), list[Any]()
    before = around(case, train, folder / "before")
    model = case.fit(train, watch=ticks.append)
    drawn(model, 10)
    return Watched(model, ticks, before, around(case, train, folder / "after"))


def around(case: Case, train: Any, folder: Path) -> list[Any]:
    """What a fit leaves alone: global randomness, the number of threads, and its input."""
    found = [random.getstate(), str(np.random.get_state()), case.bytes_of([train], folder)]
    with suppress(ImportError):
        import torch

        found += [torch.get_rng_state().tolist(), torch.get_num_threads()]
    return found


@pytest.fixture(scope="module")
def model(watched: Watched) -> Any:
    return watched.model


@pytest.fixture(scope="module")
def again(case: Case, train: Any) -> tuple[Any, list[Any]]:
    """Another fit with the same seed, and for what it made plans: see `Case.again`."""
    return case.again(train)


def drawn(model: Any, n: int, *, seed: int = 0) -> list[Any]:
    return list(model.sample(n, rng=stream(seed, "sample")))


def saved(case: Case, model: Any, folder: Path) -> bool:
    """Whether the model stands in `folder`. One that holds records refuses to be written, and writes nothing."""
    if case.kind.card.holds_records:
        with pytest.raises(UsageError, match="never written"):
            model.save(folder)
        assert not folder.exists()
        return False
    model.save(folder)
    return True


@pytest.mark.parametrize("n", [0, 1, 57])
def test_as_many_records_as_asked_in_the_schema_of_the_data(model, train, n):
    chunks = drawn(model, n)
    assert sum(map(len, chunks)) == n
    assert all(chunk.schema == train.schema for chunk in chunks)
    assert all(len(chunk.subjects) == len(chunk) for chunk in chunks)


def test_a_negative_count_is_refused(model):
    with pytest.raises(UsageError):
        drawn(model, -1)


def test_same_seed_same_bytes_and_another_seed_others(case, model, again, tmp_path):
    n = case.samples.drawn
    first = case.bytes_of(drawn(model, n), tmp_path / "1")
    second = case.bytes_of(drawn(again[0], n), tmp_path / "2")
    other_draw = case.bytes_of(drawn(model, n, seed=1), tmp_path / "3")
    assert first == second
    assert first != other_draw


def test_a_fit_without_a_plan_makes_its_own(case, again):
    """That it is then the same fit, the bytes above say."""
    if case.kind.card.only_private:
        pytest.skip("a private generator plans nothing: a plan looks at the records")
    assert len(again[1]) == 1  # of train, or of what a generator makes of it first


def test_saved_and_loaded_samples_the_same(case, model, tmp_path):
    if saved(case, model, tmp_path / "model"):
        again, n = case.kind.load(tmp_path / "model"), case.samples.drawn
        one, two = (case.bytes_of(drawn(m, n), tmp_path / str(i)) for i, m in enumerate((model, again)))
        assert one == two


def test_saving_twice_writes_the_same_bytes(model, case, tmp_path):
    if saved(case, model, tmp_path / "a"):
        case.kind.load(tmp_path / "a").save(tmp_path / "b")
        for file in (tmp_path / "a").iterdir():
            assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name


def test_a_saved_model_is_safetensors_and_json(case, model, tmp_path):
    saved(case, model, tmp_path / "model")
    assert {file.suffix for file in tmp_path.rglob("*") if file.is_file()} <= {".json", ".safetensors"}


def test_an_empty_folder_is_no_model(case, tmp_path):
    with pytest.raises(SemblanceError):
        case.kind.load(tmp_path)


def test_the_first_records_do_not_depend_on_how_many_follow(case, model, tmp_path):
    n = case.samples.drawn // 4
    few, many = drawn(model, n), drawn(model, 3 * n)
    head = many[0].take(np.arange(n))
    assert case.bytes_of(few, tmp_path / "few") == case.bytes_of([head], tmp_path / "many")


def test_global_randomness_and_the_input_are_left_alone(watched):
    assert watched.before == watched.after


def spellings(value: str | float) -> list[bytes]:
    """How a value may stand in a file."""
    if isinstance(value, str):
        return [value.encode(), value.encode("utf-16-le")]
    return [repr(value).encode(), f"{value:g}".encode(), struct.pack("<d", value), struct.pack(">d", value)]


def test_no_value_of_a_single_patient_stands_in_a_saved_file(case, tmp_path):
    train, canaries = case.samples.planted()
    model = case.fit(train)
    saved(case, model, tmp_path / "model")
    made = drawn(model, case.samples.many)
    drawn_bytes = case.bytes_of(made, tmp_path / "drawn", case.manifest.suffixes[0])
    saved_bytes = b"\0".join(f.read_bytes() for f in sorted((tmp_path / "model").rglob("*")) if f.is_file())
    assert [c for c in canaries for s in spellings(c) if s in saved_bytes] == []
    assert [c for c in canaries if isinstance(c, str) and c.encode() in drawn_bytes] == []


def _marks(modality: str, name: str) -> Any:
    """Comparators other than of tables stand on what the default and the floor of their modality do with weird data,
    and take long: `make test-all` tries all data on them."""
    own = manifest(modality)
    return () if modality == "table" or name in (own.default, own.floor) else pytest.mark.slow


WEIRD = [pytest.param(m, g, w, marks=_marks(m, g)) for m, g in CASES for w in SAMPLES[m].weird]


@pytest.mark.parametrize(("modality", "name", "weird"), WEIRD)
def test_weird_data_is_learned_or_refused_never_a_crash(modality, name, weird, tmp_path):
    case = Case(modality, name)
    data = case.samples.weird[weird]()
    try:
        model = case.fit(data)
    except DataError as refused:  # only one that needs more of the data than that there is some
        assert getattr(case.kind, "roles", ()), refused
        return
    chunks = drawn(model, 9)
    assert sum(map(len, chunks)) == 9
    assert case.bytes_of(chunks, tmp_path)
    if saved(case, model, tmp_path / "model"):
        assert sum(map(len, drawn(case.kind.load(tmp_path / "model"), 9))) == 9


def test_the_card_names_the_generator_and_its_paper(case, model):
    card = case.kind.card
    assert card.name == case.name
    assert card.summary
    assert card.paper
    assert not card.holds_records or not card.private


def test_what_the_card_needs_is_an_extra_that_exists(case):
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    packages = {requirement.split(">")[0] for extra in extras.values() for requirement in extra}
    assert set(case.kind.card.needs) <= packages | set(extras)


def test_a_generator_that_claims_no_conditions_refuses_them(case, model, train):
    assert sum(map(len, model.sample(3, rng=stream(0, "sample"), wanted=Wanted()))) == 3
    if not case.kind.card.conditional:
        with pytest.raises(UsageError, match=re.escape(case.name)):
            list(model.sample(3, rng=stream(0, "sample"), wanted=Wanted(given={train.schema.learned[0].name: None})))


def test_a_generator_that_claims_conditions_keeps_them(case, model, tmp_path):
    if case.kind.card.conditional:
        n = min(case.samples.drawn, 57)
        for name, (wanted, kept) in case.samples.wanted.items():
            made, again = (list(model.sample(n, rng=stream(0, "sample"), wanted=wanted)) for _ in range(2))
            assert sum(map(len, made)) == n and all(map(kept, made)), name
            assert case.bytes_of(made, tmp_path / f"{name} 1") == case.bytes_of(again, tmp_path / f"{name} 2")


def test_a_generator_that_completes_records_keeps_what_is_known(case, model):
    if case.kind.card.conditional and hasattr(model, "impute"):
        gaps = case.samples.gaps()
        made = model.impute(gaps, rng=stream(0, "complete"))
        assert case.samples.completes(gaps, made)


def test_a_generator_that_claims_no_privacy_refuses_a_ledger(case, train):
    if not case.kind.card.private:
        with pytest.raises(UsageError, match="privac"):
            case.fit(train, ledger=object())


def test_progress_is_told_where_there_is_any(watched):
    ticks = watched.ticks
    assert all(1 <= t.step <= t.steps and np.isfinite(t.loss) for t in ticks)
    assert [t.step for t in ticks] == sorted(t.step for t in ticks)


def test_the_options_are_fields_that_a_config_can_set(case):
    assert case.kind.__dataclass_params__.frozen
    options = {f.name: getattr(case.spec, f.name) for f in fields(case.spec)}
    assert replace(case.spec, **options) == case.spec
