"""The Python face: frames in, frames out. What comes in as pandas, polars or pyarrow leaves as the same.

t = sb.read("patients.csv", subject="pid")
train, holdout = sb.split(t)
model = sb.fit(train, time_budget=60, seed=0)
s = model.sample(10_000)
report = sb.evaluate(train=train, holdout=holdout, synthetic=s)
sb.release(report, synthetic=s, folder="RUN", model=model)
"""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from semblance.app import choose, config, stages
from semblance.app.assemble import Bundle, Promised, assemble
from semblance.app.completing import filled
from semblance.app.frames import from_pandas, is_frame
from semblance.app.options import RARE, refuse_wrong
from semblance.app.outcome import Outcome
from semblance.app.parts import check_parts, together
from semblance.app.private import claimed
from semblance.app.records import Data, bind, data_of, like_of, mark, of_frames, read, same, under, unjudged, written
from semblance.app.versions import fingerprint, use_threads, versions
from semblance.app.work import open_work, publish
from semblance.core.dataset import Dataset
from semblance.core.errors import Problem, UsageError
from semblance.core.modality import Modality, Profile
from semblance.core.model import Wanted, Watch
from semblance.core.promise import Guarantee, Ledger
from semblance.core.report import Report
from semblance.core.rng import stream
from semblance.privacy.ledger import wrong_delta


@dataclass(frozen=True)
class Fitted:
    """A generator that has learned. It may be saved and loaded, unless its card says that it holds records."""

    model: Any
    modality: Modality
    plan: Mapping[str, Any]
    seed: int = 0
    library: str = "pandas"
    spec: Any = None
    promised: Promised | None = None
    """What is public about how it learned, where that was under differential privacy."""

    @property
    def private(self) -> bool:
        """Whether it learned under differential privacy; of a loaded one too, whose ledger is not known."""
        return bool(getattr(self.model, "measured", None))

    def sample(self, rows: int, *, seed: int | None = None, **wanted: Any) -> Any:
        """`rows` synthetic records: a frame where they are rows, else `Data`. The same seed (by default that of `fit`)
        gives the same records.

        `wanted` says what they shall be like: given={"sex": "F", "age": (60, 80)}, quota={"sex": {"F": .5, "M": .5}},
        shift={"age": 10}, fair_on=["race"], fairness="odds", do={"arm": "A"}; see `semblance.core.model.Wanted`.
        Raises UsageError with everything that cannot be had, and from a generator that cannot.
        """
        rng = stream(self.seed if seed is None else seed, "sample")
        # No records are none of one record: the frame keeps its columns and their types.
        none = rows == 0 and not isinstance(rows, bool)
        made = stages.gather(self.modality, self.model.sample(1 if none else rows, rng=rng, wanted=_wanted(wanted)))
        made = made.take(np.arange(0)) if none else made
        data = Data(made, Profile(len(made), len(made), ()), self.modality, self.library)
        return data.to_frame() if data.tabular else data

    def complete(self, frame: Any, *, seed: int | None = None) -> Any:
        """`frame` with its missing cells drawn given the others of their record; all else stays as it is.

        A frame comes back as the same kind of frame, what `read` gave as a frame of its library. Its columns are those
        of the records that were learned. Records that are no rows come as `Data`, as the `records` of one, or by their
        path, and go as `Data`.
        Raises UsageError from a generator that cannot.
        """
        _can_complete(self.model)
        rng = stream(self.seed if seed is None else seed, "complete")
        if not of_frames(self.modality):
            data = self._records(frame)
            return replace(data, records=self.model.impute(data.records, rng=rng))
        given = frame.to_frame() if isinstance(frame, Data) else frame
        schema = self.model.encoding.schema
        if is_frame(given) and len(given) == 0:
            return given
        table = like_of(given, self.modality, schema)
        made = self.model.impute(table, rng=rng)
        return filled(given, made.to_pandas(), table.frame.isna() & made.frame.notna())

    def _records(self, source: Any) -> Data:
        """Records that are no rows as `Data`; by their path with what is to be completed, which some modalities leave
        out where they read."""
        if isinstance(source, Data):
            return source
        if isinstance(source, Dataset):
            return Data(source, Profile(len(source), len(np.unique(source.subjects)), ()), self.modality)
        if not stages.has_beside(self.modality, "incomplete"):
            return read(source, modality=self.modality.name)
        paths = (str(source),) if isinstance(source, str | Path) else tuple(map(str, source))
        return self._records(stages.beside(self.modality, "incomplete")(paths, self.model.encoding.schema))

    def explain(self, frame: Any) -> Any:
        """What each column had to do with each later one, record by record: a frame of record, column, cause and nats.

        For a few records: the model is asked once for every pair of columns. See `docs/table.md` for what nats mean.
        Raises UsageError from a generator that does not draw one column after the other.
        """
        given = frame.to_frame() if isinstance(frame, Data) else frame
        told = stages.explained(self.modality, self.model, partial(like_of, given, self.modality))
        return from_pandas(told, self.library)

    def save(self, folder: str | Path) -> None:
        """Write safetensors and JSON."""
        self.model.save(Path(folder))


def _wanted(asked: Mapping[str, Any]) -> Wanted | None:
    """What is asked of a sample. Raises UsageError for a keyword that means nothing."""
    known = [field.name for field in fields(Wanted)]
    problems = [
        Problem(f"{name}=", f"one of {', '.join(known)}", config.nearest(name, known))
        for name in asked
        if name not in known
    ]
    if problems:
        raise UsageError(*problems)
    return Wanted(**asked) or None


def _can_complete(model: Any) -> None:
    """Raise UsageError for a model that completes no records."""
    if not hasattr(model, "impute"):
        raise UsageError.of(
            f"'{model.card.name}' was asked to complete records",
            rule="only a generator that samples with given values can",
            fix="choose another with `semblance models`",
        )


def fit(
    data: Any,
    *,
    model: str = "auto",
    time_budget: float = 60.0,
    seed: int = 0,
    plan: Mapping[str, Any] | None = None,
    threads: int | None = None,
    watch: Watch | None = None,
    ledger: Ledger | None = None,
    **options: Any,
) -> Fitted:
    """Learn `data` (from `read`, or a frame) within `time_budget` seconds; `options` are the generator's own.

    The same `plan`, seed and threads give the same model. With a `ledger` (`sb.Ledger.open`) it is differentially
    private, and no seed repeats its noise.
    """
    train = data_of(data)
    if ledger is not None and train.schema.cohort != ledger.cohort:
        raise UsageError.of(
            f"a ledger of cohort '{ledger.cohort}' for records of cohort '{train.schema.cohort}'",
            rule="all that is measured of the same patients is paid for by one ledger",
            fix=f'Ledger.open(folder, cohort="{train.schema.cohort}", ...), with [cohort] id in the schema file',
        )
    if ledger is not None and (problems := wrong_delta(ledger.delta, n_public=train.schema.n_public)):
        raise UsageError(*problems)
    name = choose.generator_name(train.modality, model, private=ledger is not None)
    spec = choose.build_spec(train.modality, name, offered={}, asked=options)
    if threads is not None:
        use_threads(threads)
    if ledger is None:
        stages.check_data(train.modality, spec, train.records)
    elif hasattr(spec, "refuse_undeclared"):  # before a plan looks at any record
        spec.refuse_undeclared(train.schema)
    plan = stages.plan_of(spec, train.records, given=plan, seed=seed, seconds=time_budget)
    if ledger is not None:
        bind(ledger, train.marks)
    else:
        for what, why in stages.about_unlearned(stages.chosen(spec, plan), train.records).get("unlearned", {}).items():
            warnings.warn(f"{what} are not learned ({why})", stacklevel=2)
    made = spec.fit(train.records, rng=stream(seed, "fit"), plan=plan, watch=watch, ledger=ledger)
    promised = None if ledger is None else Promised(claimed(ledger, made.measured), train.schema)
    return Fitted(made, train.modality, plan, seed, train.library, stages.chosen(spec, plan), promised)


def load(folder: str | Path) -> Fitted:
    """The inverse of `Fitted.save`; also takes the `model/` folder of a run."""
    made, manifest = stages.load_model(Path(folder))
    return Fitted(made, manifest, {})


def evaluate(
    *,
    train: Any,
    synthetic: Any,
    holdout: Any = None,
    further: Any = (),
    subject: str | None = None,
    target: str | None = None,
    schema: str | Path | Mapping[str, Any] | None = None,
    profile: str = "controlled",
    tier: str = "standard",
    seed: int = 0,
    model: Fitted | None = None,
    holds_records: bool | None = None,
    wanted: Wanted | None = None,
) -> Report:
    """Judge synthetic records (of any tool) against the real ones, and decide for `profile`.

    Each argument is what `read` or `split` returned, a frame, or a path. `report["fidelity.c2st"]` is one finding,
    `report.decision` the gate's decision. How many patients stand behind each category is counted, and with `model` the
    smaller of the count and the model's own `rare` is certified, or a smaller `rare` of `read`; at tier "audit" the
    model is learned again and again.
    `holds_records` says of another tool whether it keeps training records; public release needs to know.
    `wanted` is what `synthetic` was asked to be, for the report to say so.
    Without a `holdout` no finding of privacy can be measured. `further` are more synthetic sets of the same generator.
    Raises DataError where a patient of the holdout stands in train.
    """
    refuse_wrong(profile=profile, tier=tier, seed=seed)
    declared = config.read_toml(Path(schema)) if isinstance(schema, str | Path) else schema
    real = train if isinstance(train, Data) else read(train, subject=subject, target=target, schema=declared)
    stages.marks(real.modality, declared)
    more = [further] if isinstance(further, str | Path | Data) or is_frame(further) else further
    given = {} if holdout is None else {"holdout": holdout}
    given |= {"synthetic": synthetic, **{f"further-{i}": one for i, one in enumerate(more, start=1)}}
    read_in = together((part, partial(under, one, real, held=part == "holdout")) for part, one in given.items())
    parts = dict(zip(given, read_in, strict=True))
    aside, made = parts.pop("holdout", None), parts.pop("synthetic")
    copies = tuple(parts.values())
    marks = {part: same(one) for part, one in {"train": train, **given}.items()}
    check_parts(real.modality, train=real.records, holdout=aside, synthetic=made, further=copies, marks=marks)
    about: dict[str, Any] = {"versions": versions(), "unresolved": stages.unresolved(real.profile)}
    known = [real.fewest, stages.fewest(real.modality, train=real.records, synthetic=made)]
    if holds_records is not None:
        about["generator"] = stages.vouched(holds_records=holds_records)
    if model is not None:
        about |= {"generator": model.model.card.to_json(), **stages.about_race(model.plan)}
        about |= stages.about_guarantee(Guarantee() if model.promised is None else model.promised.guarantee)
        about |= {} if model.private else stages.about_unlearned(model.spec, real.records)
        known.append(getattr(model.model, "options", {}).get("rare"))
    about["fewest"] = min((number for number in known if number is not None), default=None)
    about |= {"sha256": mark(synthetic), "unjudged": unjudged(synthetic, real)}
    about |= {"wanted": wanted.to_json()} if wanted else {}
    report = stages.judge(
        real.modality,
        train=real.records,
        holdout=aside,
        synthetic=made,
        copies=copies,
        generator=None if model is None else model.spec,
        model=None if model is None else model.model,
        declared=declared,
        seed=seed,
        tier=tier,
        rare=RARE[profile],
        about=about,
    )
    return stages.decide(report, profile=profile, rare=about["fewest"])


def release(
    report: Report,
    *,
    synthetic: Any,
    folder: str | Path,
    model: Fitted | None = None,
    config: Mapping[str, Any] | None = None,
) -> Outcome:
    """Write the signed run folder: the data, the report, the model; `public/` only where the decision grants it.

    Of a `model` that learned under differential privacy `public/` holds the records, the declared schema and the
    guarantee, whatever was decided, and nothing that was measured without noise. `synthetic` is what `evaluate` was
    given. Raises UsageError where it is not, where nothing was decided, where a private model is not the one that
    learned in this session, and where the folder holds something. Look at `.exit_code` and `.decision` of what is
    returned.
    """
    run = Path(folder).resolve()
    if report.decision is None:
        raise UsageError.of("a report without a decision", rule="the gate decides first", fix="sb.evaluate(...)")
    ran = {**(config or {}), "plan": None if model is None else dict(model.plan), "versions": versions()}
    promised = _promised(report, model)
    work = open_work(run, kind="release", resume=False)
    try:
        kept = model is None or model.model.card.holds_records  # a model that is records is never written
        data, saved = written(synthetic, work), None if kept else work / "model"
        _refuse_other(report, data)
        if model is not None and saved is not None:
            model.save(saved)
        assemble(Bundle(report, ran, data, saved, promised), work / "out")
        publish(work / "out", run)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return Outcome(run, report)


def _promised(report: Report, model: Fitted | None) -> Promised | None:
    """What leaves under a guarantee; None where none is claimed. Raises UsageError where it cannot be told."""
    promised = None if model is None else model.promised
    if promised is None and (report.subject.get("promise") or (model is not None and model.private)):
        raise UsageError.of(
            "a private model whose guarantee is not known here",
            rule="what leaves states the guarantee and nothing that was measured without noise",
            fix="give `evaluate` and `release` the model that `fit` returned, or run semblance synth --epsilon",
        )
    return promised


def _refuse_other(report: Report, data: Path) -> None:
    """Raise UsageError where the report judged other records, or not all of their columns."""
    if report.subject.get("sha256") != fingerprint(str(data)):
        raise UsageError.of(
            "the report is about other records",
            rule="only what was judged is released",
            fix="give `release` the same records as `evaluate`, in the same form",
        )
    unjudged = report.subject.get("unjudged", [])
    if unjudged:
        raise UsageError.of(
            f"columns that nothing judged: {', '.join(unjudged)}",
            rule="only what was judged is released",
            fix="leave them out of the records, and evaluate again",
        )
