"""The stages of a run as pure functions of data, options and seed. `pipeline` writes them to disk, `face` does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from semblance.app.choose import build_spec, generator_name
from semblance.app.values import wrong_keys, wrong_values
from semblance.catalog import modality
from semblance.core.dataset import Dataset, Evidence, held_out, patients_known, refuse_share, split_by_subject
from semblance.core.errors import IdentifierError, Problem, ResourceError, UsageError
from semblance.core.modality import Modality, Profile, load
from semblance.core.model import Wanted
from semblance.core.promise import Guarantee
from semblance.core.report import Report
from semblance.core.rng import stream
from semblance.core.schema import Schema

FLOOR = 20_000  # records of independent marginals: they are easily told
STAND_IN = 0.2  # of the patients of train, where no holdout was given


def reader_of(manifest: Modality, *, private: bool) -> Any:
    """What reads records: under declarations alone where a run is private. No patients are counted where nobody knows
    them."""
    reader = load(manifest.declared if private and manifest.declared else manifest.read)

    def read(*asked: Any, **paid: Any) -> tuple[Dataset, Profile]:
        records, profile = reader(*asked, **paid)
        return records, profile if patients_known(records) else replace(profile, patients=None)

    return read


def check_plan(kind: Any, plan: Mapping[str, Any]) -> None:
    """Raise UsageError for a plan that this kind of generator does not read; one that reads none takes any."""
    planned = getattr(kind, "planned", None)
    problems = [] if planned is None else [*wrong_keys(planned, plan), *wrong_values(planned, plan, section="plan")]
    if problems:
        raise UsageError(*problems)


def plan_of(spec: Any, train: Dataset, *, given: Mapping[str, Any] | None, seed: int, seconds: float) -> dict[str, Any]:
    """The plan that was given, checked, or the one that the generator makes of so many seconds."""
    if given is None:
        return dict(spec.plan(train, rng=stream(seed, "plan"), time_budget=seconds))
    check_plan(type(spec), given)
    if chosen(spec, given) is not spec:
        check_plan(type(chosen(spec, given)), given["plan"])
    return dict(given)


def chosen(spec: Any, plan: Mapping[str, Any]) -> Any:
    """What learns under a plan: the generator itself, or the one that it chose."""
    return spec.chosen(plan) if hasattr(spec, "chosen") else spec


def check_data(manifest: Modality, spec: Any, data: Dataset) -> None:
    """Raise, before anything is learned or split, what no record may break: rules, and what the generator asks."""
    if manifest.sound is not None:
        load(manifest.sound)(data)
    if getattr(spec, "roles", ()):
        spec.check(data, wanted=Wanted())


def check_wanted(spec: Any, train: Dataset, *, wanted: Wanted) -> None:
    """Raise UsageError, before anything is learned, with all that no model of `train` could draw."""
    if hasattr(spec, "check"):
        spec.check(train, wanted=wanted)


def gate_identifiers(profile: Profile, *, yes: bool, accepted: Mapping[str, str] | None = None) -> None:
    """Raise IdentifierError for fields that nobody has decided on, unless the plan was accepted as shown.

    `accepted` names the fields that were accepted before; it counts only where the role is still the same.
    """
    before = {} if accepted is None else accepted
    unclear = [field for field in profile.fields if field.unclear and before.get(field.name) != field.role]
    if unclear and not yes:
        raise IdentifierError(
            *(
                Problem(
                    f"may identify a patient ({field.suspicion or 'unclear'}); the plan was: {field.action}",
                    "every such column is decided on by a person",
                    f"{field.fix or 'declare its role in the schema file'} -- or --yes for the plan as shown",
                    field.name,
                )
                for field in unclear
            )
        )


def split_rows(data: Dataset, *, holdout: float, seed: int, private: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers of train and holdout; no patient stands in both.

    A holdout that the data declare is kept. Under differential privacy a coin is tossed for every patient, which no
    seed repeats: then one patient more changes no other patient's side.
    """
    if private:
        from semblance.privacy.noise import tossed

        refuse_share(holdout)
        apart = tossed(data.subjects, share=holdout)
        return np.flatnonzero(~apart), np.flatnonzero(apart)
    every = _Rows(data.schema, data.subjects, np.arange(len(data)), held_out(data))
    train, aside = split_by_subject(every, holdout=holdout, rng=stream(seed, "split"))
    return train.rows, aside.rows


def one_in_pieces(manifest: Modality, data: Dataset) -> bool:
    """Whether all is of one patient, but judges look at pieces of it, some of which can be set aside."""
    one = manifest.judged is not None and len(np.unique(data.subjects)) == 1
    return one and load(manifest.judged)(data, reference=data) is not data  # type: ignore[arg-type]


@dataclass(frozen=True)
class _Rows:
    """Row numbers that split like the data they stand for."""

    schema: Schema
    subjects: np.ndarray
    rows: np.ndarray
    held: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, rows: np.ndarray) -> _Rows:
        return _Rows(self.schema, self.subjects[rows], self.rows[rows])


def floor_of(manifest: Modality, train: Dataset, *, seed: int, rare: int, rows: int) -> Any:
    """`rows` records of independent marginals, the floor beside every number."""
    spec = build_spec(manifest, manifest.floor, offered={"rare": rare}, asked={})
    rng = stream(seed, "floor")
    model = spec.fit(train, rng=rng)
    return gather(manifest, model.sample(rows, rng=rng))


def further(manifest: Modality, path: str, train: Any) -> Any:
    """Further records as `train` was read."""
    if manifest.further is not None:
        return load(manifest.further)((path,), train)
    return load(manifest.like)((path,), train.schema)


def real(manifest: Modality, path: str, train: Any) -> Any:
    """Further real records, read and prepared as those of `train` were."""
    found = further(manifest, path, train)
    return found if manifest.prepared is None else load(manifest.prepared)(found, train)


def beside(manifest: Modality, name: str) -> Any:
    """A function that stands beside a modality's reader: `concat`, `from_frame`, `column_names`."""
    return load(f"{manifest.read.partition(':')[0]}:{name}")


def has_beside(manifest: Modality, name: str) -> bool:
    """Whether such a function stands there."""
    return hasattr(import_module(manifest.read.partition(":")[0]), name)


def gather(manifest: Modality, chunks: Iterable[Any]) -> Any:
    """Chunks of one data set as one."""
    return beside(manifest, "concat")(chunks)


def _drawn(manifest: Modality, model: Any, holdout: Any, *, seed: int) -> dict[str, Any]:
    """What a model draws for judges besides what it sampled, as Evidence has it: the records of `holdout`, where there
    are any, with what it makes of them, and those between two of its own. A crash costs these, never the report."""
    from semblance.evaluate.run import crash

    asked = {"completed": (manifest.completed, (holdout,)), "between": (manifest.between, ())}
    made, failed = dict[str, Any](), dict[str, str]()
    for name, (hook, given) in asked.items():
        if hook is None or model is None or None in given:
            continue
        try:
            made[name] = load(hook)(model, *given, rng=stream(seed, name))
        except ResourceError:
            raise
        except Exception as error:
            failed[name] = crash(error, hook)
    return {**made, "failed": failed}


def marks(manifest: Modality, declared: Mapping[str, Any] | None) -> dict[str, str]:
    """The SHA-256 of further files that judges look at. Raises UsageError with all that they cannot use."""
    return {} if manifest.marks is None or not declared else dict(load(manifest.marks)(declared))


def looked_at(manifest: Modality) -> bool:
    """Whether a modality's report looks at the model itself, and not only at what it sampled."""
    return manifest.completed is not None or manifest.between is not None


def judge(
    manifest: Modality,
    *,
    train: Any,
    holdout: Any,
    synthetic: Any,
    seed: int,
    tier: str,
    rare: int,
    about: Mapping[str, Any],
    generator: Any = None,
    copies: Sequence[Any] = (),
    model: Any = None,
    declared: Mapping[str, Any] | None = None,
    watch: Callable[[str], None] | None = None,
) -> Report:
    """Every finding about `synthetic`, with the floor of independent marginals beside it. A `model` that is given parts
    of records is judged by what it makes of the holdout's, and pictures show what lies between two of its records.

    Where `holdout` is None a share of train stands in for it, and the evidence says that it was not unseen: a share of
    its patients or, where there is one and judges look at pieces, its last pieces.
    """
    from semblance.evaluate.run import evaluate

    unseen, one = holdout is not None, holdout is None and one_in_pieces(manifest, train)
    if one:
        holdout = train.take(np.arange(0))
    elif not unseen:
        train, holdout = split_by_subject(train, holdout=STAND_IN, rng=stream(seed, "split"))
    floor = floor_of(manifest, train, seed=seed, rare=rare, rows=min(len(synthetic), FLOOR))
    parts: dict[str, Any] = {"train": train, "holdout": holdout, "synthetic": synthetic, "floor": floor}
    look = None if manifest.judged is None else partial(load(manifest.judged), reference=train)
    if look is not None and (cut := look(train)) is not train:
        about = {**about, "rows": {part: len(data) for part, data in parts.items() if part != "floor"}}
        parts = {part: cut if data is train else look(data) for part, data in parts.items()}
        copies, generator = tuple(map(look, copies)), None  # no generator learns from pieces of records
        parts |= _first_and_last(cut) if one else {}
        about["pieces"] = {part: len(data) for part, data in parts.items() if part != "floor"}
    evidence: Evidence[Any] = Evidence(
        modality=manifest,
        seed=seed,
        generator=generator,
        tier=tier,
        copies=tuple(copies),
        unseen=unseen,
        **_drawn(manifest, model, holdout if unseen else None, seed=seed),
        declared={} if declared is None else declared,
        **parts,
    )
    return evaluate(evidence, about=about, watch=watch)


def _first_and_last(cut: Any) -> dict[str, Any]:
    """The pieces of a single patient, the last of which stand in for a holdout."""
    last = np.arange(len(cut)) >= (1 - STAND_IN) * len(cut)
    return {"train": cut.take(~last), "holdout": cut.take(last)}


def fewest(manifest: Modality, *, train: Any, synthetic: Any) -> int | None:
    """The fewest train patients behind a category of records that any tool made; None where none can be counted."""
    return None if manifest.fewest is None else int(load(manifest.fewest)(train, synthetic))


def decide(report: Report, *, profile: str, rare: int | None) -> Report:
    """The report with the gate's decision for the asked profile; `rare` is None where nobody knows it."""
    from semblance.release.gate import decide as gate
    from semblance.release.policy import Policy

    return report.decided(gate(report, Policy.load(None), asked=profile, rare=rare).to_json())


def about_model(
    spec: Any,
    *,
    plan: Mapping[str, Any],
    profile: Profile,
    versions: Mapping[str, str],
    guarantee: Guarantee | None = None,
) -> dict[str, Any]:
    """What a report says about how the records were made, once a person took the plan for every unclear field."""
    return {
        "generator": chosen(spec, plan).card.to_json(),
        **about_race(plan),
        **about_guarantee(guarantee if guarantee is not None else Guarantee()),
        "versions": dict(versions),
        **about_profile(profile),
        "unresolved": [],
    }


def about_unlearned(spec: Any, train: Dataset) -> dict[str, Any]:
    """The kinds of records that a generator leaves out of these, since too few patients have them."""
    few = spec.unlearned(train) if hasattr(spec, "unlearned") else {}
    return {"unlearned": few} if few else {}


def about_profile(profile: Profile) -> dict[str, Any]:
    """What a report says of the input: notes, and all that files hold beside columns, which is neither learned nor
    written."""
    beside = {field.name: f"{field.kind}, {field.suspicion}" for field in profile.fields if field.beside}
    return {"notes": list(profile.notes), **({"beside": beside} if beside else {})}


def about_guarantee(guarantee: Guarantee) -> dict[str, Any]:
    """What is promised, as a sentence and, where there is anything, as numbers."""
    promise = {} if guarantee.epsilon is None else {"promise": guarantee.to_json()}
    return {"guarantee": str(guarantee), **promise}


def about_race(plan: Mapping[str, Any]) -> dict[str, Any]:
    """What a report says about a race of generators, where a plan holds one."""
    return {"race": {key: plan[key] for key in ("winner", "why", "race")}} if plan.get("race") else {}


def about_sample(chunks: Any, *, wanted: Wanted | None) -> dict[str, Any]:
    """What a report says about records that were asked to be otherwise than the real ones, and what they cost."""
    told = chunks.told() if hasattr(chunks, "told") else {}
    return {
        **({"wanted": wanted.to_json()} if wanted else {}),
        **({"sampling": told} if told else {}),
    }


def about_graph(manifest: Modality, model: Any, *, seed: int) -> dict[str, Any]:
    """What a report says about what the model ties together, where it can be told."""
    found = None if manifest.graph is None else load(manifest.graph)(model, rng=stream(seed, "graph"))
    return {} if found is None else {"graph": found}


def explained(manifest: Modality, model: Any, read: Callable[[Schema], Any]) -> Any:
    """What a model says about records that `read` reads under its schema. Raises UsageError where it cannot."""
    if manifest.explain is None or not hasattr(model, "chain"):
        raise UsageError.of(
            f"'{model.card.name}' was asked why a record came out as it did",
            rule="only a generator that draws one column after the other can say",
            fix="choose autoregressive with model=",
        )
    return load(manifest.explain)(model, read(model.encoding.schema))


def vouched(*, holds_records: bool) -> dict[str, Any]:
    """What stands for the card of a generator that is not ours: what the person who judges says of it."""
    said = "keeps" if holds_records else "keeps no"
    summary = f"made elsewhere; the person who judged says that it {said} training records, which nobody checked"
    return {"name": "another tool", "summary": summary, "holds_records": holds_records}


def unresolved(profile: Profile) -> list[str]:
    """The fields that may identify a patient and that nobody has decided on."""
    return [field.name for field in profile.fields if field.unclear]


def load_model(folder: Path) -> tuple[Any, Modality]:
    """A saved model and its modality, by what its model.json says. Raises UsageError where it is none."""
    import json

    path = folder / "model.json"
    if not path.exists():
        raise UsageError.of(f"no model in '{folder.name}'", rule="a folder with model.json", fix="give RUN/model")
    named = json.loads(path.read_text())
    manifest = modality(named["modality"])
    return load(manifest.generators[generator_name(manifest, named["generator"])]).load(folder), manifest
