"""Judges the records of any tool, without a model: evaluate, decide, sign, in the folders of every run (`pipeline`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from semblance.app import choose, config, stages
from semblance.app.assemble import Bundle, assemble
from semblance.app.events import Profiled, Show, quiet
from semblance.app.options import EvaluateOptions
from semblance.app.outcome import Looks, Outcome, decided
from semblance.app.parts import check_parts, refuse_unjudged, together
from semblance.app.versions import code_digest, cores, fingerprint, use_threads, versions
from semblance.app.work import Stages, digest, publish, working
from semblance.core.modality import Modality, Profile, ReadOptions
from semblance.core.report import Report


def run_evaluate(options: EvaluateOptions, *, show: Show = quiet) -> Outcome:
    """Judge the output of any tool: the same findings, gate and bundle, without a model."""
    named = _named(options)
    sums = together((_flag(part), partial(fingerprint, path)) for part, path in named.items())
    manifest, inputs = choose.modality_of([*named.values()], options.modality), dict(zip(named, sums, strict=True))
    use_threads(cores())
    options = replace(options, run=Path(options.run).resolve())
    with working(options.run, kind="evaluate", resume=True) as folder:
        stage = Stages(folder, show, 3, digest(inputs, code_digest(), versions(), options.seed))
        run = _Evaluate(options, manifest, inputs, stage)
        return Outcome(options.run, run.all())


def _named(options: EvaluateOptions) -> dict[str, str]:
    """The files of a judgement by their part."""
    named = {"train": options.train, "holdout": options.holdout, "synthetic": options.synthetic}
    further = {f"further-{i}": path for i, path in enumerate(options.further, start=1)}
    return {part: path for part, path in {**named, **further}.items() if path is not None}


def _flag(part: str, path: str = "") -> str:
    """A part as it was given: '--further copy.csv'."""
    return " ".join(filter(None, (f"--{part.partition('-')[0]}", config.file_name(path) if path else "")))


@dataclass
class _Evaluate:
    """The three stages of a judgement."""

    options: EvaluateOptions
    manifest: Modality
    inputs: Mapping[str, str]
    stage: Stages

    def all(self) -> Report:
        """Judge, decide, sign."""
        o = self.options
        told = dict(subject=o.subject, target=o.target, declared=o.declared, rare=o.rare, tier=o.tier)
        told["holds_records"] = o.holds_records
        told |= {"marks": marks} if (marks := stages.marks(self.manifest, o.declared)) else {}
        found = Report.from_json(self.stage.run("evaluate", self._evaluate, **told))
        report = decided(self.stage, found, profile=o.profile, rare=found.subject["fewest"])
        self.stage.run("sign", lambda room: assemble(Bundle(report, self._config()), room / "out"))
        publish(self.stage.room("sign") / "out", o.run)
        return report

    def _evaluate(self, room: Path) -> Any:
        o = self.options
        train, profile = self._train()
        self.stage.show(Profiled(profile, config.file_name(o.train)))
        parts = self._parts(train)
        holdout, made = parts.pop("holdout", None), parts.pop("synthetic")
        more = tuple(parts.values())
        check_parts(self.manifest, train=train, holdout=holdout, synthetic=made, further=more, marks=self.inputs)
        about = {
            "versions": versions(),
            **stages.about_profile(profile),
            "unresolved": stages.unresolved(profile),
            "fewest": stages.fewest(self.manifest, train=train, synthetic=made),
            "sha256": self.inputs["synthetic"],
        }
        if o.holds_records is not None:
            about["generator"] = stages.vouched(holds_records=o.holds_records == "yes")
        report = stages.judge(
            self.manifest,
            train=train,
            holdout=holdout,
            synthetic=made,
            seed=o.seed,
            tier=o.tier,
            rare=o.rare,
            about=about,
            copies=more,
            declared=o.declared,
            watch=Looks(self.manifest, self.stage.show),
        )
        return report.to_json()

    def _train(self) -> tuple[Any, Profile]:
        """The records that name the columns of all the others, and what the reader says about them."""
        o = self.options
        read = ReadOptions(o.subject, o.target, o.declared, None, o.rare)
        found: tuple[Any, Profile] = together(
            [(_flag("train", o.train), lambda: stages.reader_of(self.manifest, private=False)((o.train,), read))]
        )[0]
        return found

    def _parts(self, train: Any) -> dict[str, Any]:
        """The other files as records under train's columns; the synthetic ones hold no other column."""
        files = {part: path for part, path in _named(self.options).items() if part != "train"}
        read = together((_flag(part, path), partial(self._part, part, path, train)) for part, path in files.items())
        return dict(zip(files, read, strict=True))

    def _part(self, part: str, path: str, train: Any) -> Any:
        if part == "holdout":
            return stages.real(self.manifest, path, train)
        spare = partial(refuse_unjudged, self.manifest, path, train.schema)
        return together([("", partial(stages.further, self.manifest, path, train)), ("", spare)])[0]

    def _config(self) -> dict[str, Any]:
        plain = {k: v for k, v in asdict(self.options).items() if k not in ("run", "declared", "further")}
        names = {part: config.file_name(path) for part, path in _named(self.options).items()}
        return {
            "evaluate": {**{k: v for k, v in plain.items() if v is not None}, **names},
            "schema": self.options.declared,
            "input": {"names": list(names.values()), "sha256": list(self.inputs.values())},
            "versions": versions(),
        }
