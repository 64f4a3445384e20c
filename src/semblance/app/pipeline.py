"""The one flow: profile, contract, identifiers, split, plan, (audit,) fit, sample, evaluate, decide, sign.

Each stage's result is kept in RUN.work, so that a killed run resumes; the finished folder becomes RUN in one step.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from semblance.app import audit, choose, config, stages
from semblance.app.assemble import Bundle, Promised, assemble
from semblance.app.events import Noted, Profiled, Progressed, Show, quiet
from semblance.app.finished import is_finished, refuse_other
from semblance.app.options import SynthOptions
from semblance.app.outcome import Looks, Outcome, decided
from semblance.app.private import (
    ledger_path,
    opened,
    promised,
    refuse_other_cohort,
    refuse_spent,
    settled,
    standing,
    warned,
)
from semblance.app.versions import code_digest, cores, fingerprint, use_threads, versions
from semblance.app.work import Stages, digest, measured, publish, work_of, working
from semblance.core.errors import DataError
from semblance.core.files import write_json
from semblance.core.modality import Modality, Profile, ReadOptions, load
from semblance.core.model import Tick
from semblance.core.promise import MEASURED, MEASURED_SCHEMA, Guarantee
from semblance.core.report import Report
from semblance.core.rng import stream
from semblance.core.schema import Schema

STAGES = 10
"""Of a run; one more of a private one."""


@dataclass(frozen=True)
class Source:
    """The input, read once and only when a stage needs it."""

    manifest: Modality
    paths: tuple[str, ...]
    read: ReadOptions
    paid: Mapping[str, Any] | None = None
    """Under differential privacy: what opens the ledger for a schema that is to be measured, and where it is kept."""

    @cached_property
    def _found(self) -> tuple[Any, Profile]:
        reader, paid = stages.reader_of(self.manifest, private=self.paid is not None), self.paid or {}
        found: tuple[Any, Profile] = reader(self.paths, self.read, **paid)
        return found

    @property
    def data(self) -> Any:
        """All records."""
        return self._found[0]

    @property
    def profile(self) -> Profile:
        """What the reader says about them."""
        return self._found[1]


def run_synth(options: SynthOptions, *, show: Show = quiet, kind: str = "synth") -> Outcome:
    """Read, learn, sample, judge and sign into `options.run`. Raises SemblanceError; interrupted, it can be resumed.

    `kind` is the command that asks for it: one command never takes up the unfinished work of another.
    """
    asked, (manifest, options) = options, _settle(options)
    inputs = {path: fingerprint(path) for path in options.paths}
    if options.resume and is_finished(options.run):
        generator = _told(_spec(options, manifest))
        refuse_other(options.run, replace(options, threads=asked.threads), inputs=inputs, generator=generator)
        show(Noted(f"'{options.run.name}' was complete already: nothing was done"))
        return _finished(options.run)
    if options.epsilon is not None:
        refuse_other_cohort(options, inputs)
    if options.epsilon is not None and not options.resume:
        refuse_spent(options)
    with working(options.run, kind=kind, resume=options.resume) as folder:
        _same_input(folder, inputs)
        total = STAGES + (options.epsilon is not None)
        run = _Synth(options, manifest, inputs, Stages(folder, show, total, _root_key(options, inputs)))
        return Outcome(options.run, run.all())


def _settle(options: SynthOptions) -> tuple[Modality, SynthOptions]:
    """Turn every 'auto' into what it means here, and refuse what cannot be kept, before anything is read."""
    manifest = choose.modality_of(options.paths, options.modality)
    private = options.epsilon is not None
    name = choose.generator_name(manifest, options.model, private=private)
    threads = cores() if options.threads is None else options.threads
    use_threads(threads)
    choose.refuse_epsilon(manifest, name, epsilon=options.epsilon)
    choose.refuse_placed(options.generator)
    device = choose.device_of(manifest, name, device=options.device, private=private)
    choose.refuse_wanted(manifest, name, wanted=options.wanted)
    options = replace(options, run=Path(options.run).resolve(), modality=manifest.name, model=name, threads=threads)
    options = replace(options, device=device)
    numbered = getattr(manifest.generator(name), "numbered", False)
    return manifest, settled(options, numbered=numbered) if private else options


def _root_key(options: SynthOptions, inputs: Mapping[str, str]) -> str:
    return digest(list(inputs.values()), code_digest(), versions(), options.seed, options.threads, options.device)


def _same_input(folder: Path, inputs: Mapping[str, str]) -> None:
    path, found = folder / "input.json", list(inputs.values())
    if path.exists() and json.loads(path.read_text()) != found:
        raise DataError.of(
            "the input is not the one that this run began with",
            rule="a run is resumed on the same bytes",
            fix=f"give the same file, or remove '{folder.name}' to begin anew",
        )
    write_json(path, found)


def _finished(run: Path) -> Outcome:
    """The outcome of a run that was complete before. Leftovers of its work are removed."""
    shutil.rmtree(work_of(run), ignore_errors=True)
    return Outcome(run, Report.from_json(json.loads((run / "report.json").read_text())))


def _spec(options: SynthOptions, manifest: Modality) -> Any:
    """The generator with its options."""
    offered: dict[str, Any] = {"rare": options.rare, "device": options.device}
    offered["conditional"] = True if options.wanted else None  # a race of generators is then one of those that can
    spec = choose.build_spec(manifest, options.model, offered=offered, asked=options.generator)
    assert options.threads is not None
    use_threads(options.threads)  # the generator's module has loaded torch by now, if it needs it
    return spec


def _told(spec: Any) -> dict[str, Any]:
    """The options of a generator, but for the device, which is one of the run."""
    return {name: value for name, value in asdict(spec).items() if name != "device"}


@dataclass
class _Synth:
    """The stages of one run."""

    options: SynthOptions
    manifest: Modality
    inputs: Mapping[str, str]
    stage: Stages

    def all(self) -> Report:
        """Every stage in order; the report with its decision."""
        o = self.options
        marks = stages.marks(self.manifest, o.declared)
        self.plan, self.audited = {}, {}
        if self.private and not self.trained:
            self.audited = self.stage.run("audit", self._audit, **self._budget)
        told = dict(subject=o.subject, target=o.target, declared=o.declared, rare=o.rare, **self._budget)
        stands = standing(o, self.inputs, resumed=o.resume) if self.private else []
        self.profile = Profile.from_json(self.stage.run("profile", self._profile, **told))
        shown = replace(self.profile, notes=(*stands, *self.profile.notes))
        self.stage.show(Profiled(shown, ", ".join(map(config.file_name, o.paths))))
        self.stage.run("contract", lambda room: self.source.data.schema.to_json())
        paid = measured(self.stage.folder, MEASURED)  # what is left is then not what the run has to spend
        if self.private and not paid and (said := warned(o, self.spec, self.source.data.schema)):
            self.stage.show(Noted(said))
        told = dict(yes=o.yes, accepted=o.accepted)
        self.accepted = self.stage.run("identifiers", self._identifiers, **told)["accepted"]
        self.stage.run("split", self._split, holdout=o.holdout)
        if o.wanted:
            stages.check_wanted(self.spec, self.train, wanted=o.wanted)
        asked = dict(model=o.model, generator=o.generator, given=o.plan, seconds=None if o.plan else o.time_budget)
        self.plan = self.stage.run("plan", self._plan, **asked)
        if self.private and self.trained:  # an attack takes longer than the training, and goes by its plan
            self.audited = self.stage.run("audit", self._audit, asked=o.tier == "audit", **self._budget)
        self.promised = {**self.stage.run("fit", self._fit, **self._budget), **self.audited}
        wanted = {} if o.wanted is None else {"wanted": o.wanted.to_json()}
        self.sampled = self.stage.run("sample", self._sample, rows=o.rows, **wanted)
        told = dict(tier=o.tier, **({"marks": marks} if marks else {}))
        found = Report.from_json(self.stage.run("evaluate", self._evaluate, **told))
        self.report = decided(self.stage, found, profile=o.profile, rare=o.rare)
        self.stage.run("sign", self._sign)
        publish(self.stage.room("sign") / "out", o.run)
        return self.report

    @cached_property
    def source(self) -> Source:
        """The input."""
        o = self.options
        read = ReadOptions(o.subject, o.target, o.declared, None, o.rare, self._reading)
        paid = dict(ledger=self._opened, resume=self._kept) if self.private else None
        return Source(self.manifest, o.paths, read, paid)

    def _reading(self, done: int, files: int) -> None:
        """The input is read when the first stage needs it: in a run that is taken up, not always the first one."""
        if files > 1:
            self.stage.show(Progressed(self.stage.now, done, files))

    def _opened(self, outline: Schema) -> Any:
        """The ledger, for a schema like the outline to be measured; refused where nothing would come of it."""
        warned(self.options, self.spec, outline)
        return self._ledger()

    def _ledger(self) -> Any:
        """That of the cohort, which knows that these files are measured."""
        return opened(self.options, self.inputs)

    @property
    def _kept(self) -> Path:
        """Where a schema that was measured is kept."""
        return self.stage.room("profile") / "checkpoints"

    @property
    def private(self) -> bool:
        """Whether the run is under differential privacy."""
        return self.options.epsilon is not None

    @property
    def trained(self) -> bool:
        """Whether what is private of the generator is how its network learns (see `learn.white_box.Trained`)."""
        return hasattr(self.spec, "private_base")

    @property
    def _budget(self) -> dict[str, Any]:
        """What a private fit rests on."""
        o = self.options
        return dict(epsilon=o.epsilon, delta=o.delta, ledger=str(ledger_path(o))) if self.private else {}

    @cached_property
    def spec(self) -> Any:
        """The generator with its options."""
        return _spec(self.options, self.manifest)

    @cached_property
    def train(self) -> Any:
        """The records that the generator may see."""
        return self.source.data.take(self._rows("train"))

    @cached_property
    def holdout(self) -> Any:
        """The records of other patients; None where there is only one."""
        rows = self._rows("holdout")
        return self.source.data.take(rows) if len(rows) or self.private else None

    def _rows(self, part: str) -> np.ndarray:
        rows: np.ndarray = np.load(self.stage.room("split") / f"{part}.npy", allow_pickle=False)
        return rows

    def _profile(self, room: Path) -> Any:
        return self.source.profile.to_json()

    def _identifiers(self, room: Path) -> Any:
        stages.gate_identifiers(self.profile, yes=self.options.yes, accepted=self.options.accepted)
        return {"accepted": {field.name: field.role for field in self.profile.fields if field.unclear}}

    def _split(self, room: Path) -> Any:
        o = self.options
        if not self.private:  # whoever mends declarations until the records fit them has looked at the records
            stages.check_data(self.manifest, self.spec, self.source.data)
        data = self.source.data
        if not self.private and stages.one_in_pieces(self.manifest, data):
            parts = (np.arange(len(data)), np.arange(0))
        else:
            parts = stages.split_rows(data, holdout=o.holdout, seed=o.seed, private=self.private)
        for name, rows in zip(("train", "holdout"), parts, strict=True):
            np.save(room / f"{name}.npy", rows, allow_pickle=False)
        return {"train": len(parts[0]), "holdout": len(parts[1])}

    def _plan(self, room: Path) -> Any:
        o = self.options
        return stages.plan_of(self.spec, self.train, given=o.plan, seed=o.seed, seconds=o.time_budget)

    def _audit(self, room: Path) -> Any:
        """Attacks on what will measure, before it does; on a network where the tier asks for them."""
        o = self.options
        if self.manifest.audit is None or (self.trained and o.tier != "audit"):
            return {}
        public = self.source.data.schema.n_public if self.plan else None
        how: dict[str, Any] = dict(epsilon=o.epsilon, delta=o.delta, plan=self.plan, public=public)
        return {"audit": audit.first(self.manifest, self.spec, watch=self._attacking, **how)}

    def _attacking(self, done: int, total: int) -> None:
        self.stage.show(Progressed("audit", done, total))

    def _fit(self, room: Path) -> Any:
        checkpoints, made = room / "checkpoints", room / "model"
        checkpoints.mkdir(exist_ok=True)
        model = self._learned(resume=checkpoints)
        shutil.rmtree(made, ignore_errors=True)
        if self.spec.card.holds_records:
            self.held = model
        else:
            model.save(made)
        if self.private:  # what was measured cannot be measured again: it stays until the run is complete
            schema = self._kept / MEASURED_SCHEMA
            told = json.loads(schema.read_text(encoding="utf-8")) if schema.exists() else None
            return promised(self.options, model.measured, schema=told)
        shutil.rmtree(checkpoints)
        return {}

    def _learned(self, *, resume: Path | None = None) -> Any:
        rng, paid = stream(self.options.seed, "fit"), {"ledger": self._ledger()} if self.private else {}
        return self.spec.fit(self.train, rng=rng, plan=self.plan, watch=self._watch, resume=resume, **paid)

    @cached_property
    def held(self) -> Any:
        """The model of a generator that keeps records: never written, so a resumed run makes it again."""
        return self._learned()

    def _watch(self, tick: Tick) -> None:
        self.stage.show(Progressed("fit", tick.step, tick.steps, loss=tick.loss, held_out=tick.held_out))

    @property
    def _rows_wanted(self) -> int:
        """As many as were asked, or as there are; under differential privacy as was measured."""
        if self.options.rows is not None:
            return self.options.rows
        return int(self.source.data.schema.n_public) if self.private else self.profile.records

    def _sample(self, room: Path) -> Any:
        model = self._model()
        chunks = model.sample(self._rows_wanted, rng=stream(self.options.seed, "sample"), wanted=self.options.wanted)
        name = load(self.manifest.output)(self.options.paths)
        load(self.manifest.write)(self._counted(chunks), room / name)
        told = stages.about_sample(chunks, wanted=self.options.wanted)
        return {**told, **stages.about_graph(self.manifest, model, seed=self.options.seed)}

    def _model(self) -> Any:
        """The saved model wherever there may be one: what is sampled is then what is released."""
        held = self.spec.card.holds_records
        model = self.held if held else stages.load_model(self.stage.room("fit") / "model")[0]
        return model.on(self.options.device) if hasattr(model, "on") else model

    def _counted(self, chunks: Iterator[Any]) -> Iterator[Any]:
        made = 0
        for chunk in chunks:
            made += len(chunk)
            self.stage.show(Progressed("sample", made, self._rows_wanted))
            yield chunk

    @cached_property
    def synthetic(self) -> Path:
        """The synthetic data as written."""
        return next(self.stage.room("sample").glob("synthetic*"))

    def _evaluate(self, room: Path) -> Any:
        # The file is read back, so that what is judged is what leaves, formats and all.
        made = stages.further(self.manifest, str(self.synthetic), self.train)
        o, looks = self.options, Looks(self.manifest, self.stage.show)
        guarantee = self.claim.guarantee if self.claim is not None else Guarantee()
        about = stages.about_model(
            self.spec, plan=self.plan, profile=self.profile, versions=versions(), guarantee=guarantee
        )
        about |= {"sha256": fingerprint(str(self.synthetic)), **self.sampled, **self.audited}
        if not self.private:
            about |= stages.about_unlearned(stages.chosen(self.spec, self.plan), self.train)
        report = stages.judge(
            self.manifest,
            train=self.train,
            holdout=self.holdout,
            synthetic=made,
            seed=o.seed,
            tier=o.tier,
            rare=o.rare,
            about=about,
            generator=stages.chosen(self.spec, self.plan),
            model=self._model() if stages.looked_at(self.manifest) else None,
            declared=o.declared,
            watch=looks,
        )
        return report.to_json()

    @property
    def claim(self) -> Promised | None:
        """What is public about a private run."""
        return Promised(self.promised, self.train.schema) if self.private else None

    def _sign(self, room: Path) -> Any:
        settled = replace(self.options, rows=self._rows_wanted)
        made: dict[str, Any] = {"plan": self.plan, "generator": _told(self.spec), "accepted": self.accepted}
        ran = config.effective(settled, **made, inputs=self.inputs, versions=versions())
        model = None if self.spec.card.holds_records else self.stage.room("fit") / "model"
        assemble(Bundle(self.report, ran, self.synthetic, model, self.claim), room / "out")
        return {}
