"""The manifest of a modality, and what its reader tells a person before anything is learned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from importlib import import_module
from typing import Any


def load(path: str) -> Any:
    """The object that 'module:attr' names."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


@dataclass(frozen=True)
class FieldPlan:
    """One field of the input as the first screen shows it, with what will be done about it.

    `unclear` marks a field that nobody has decided on: without --yes the run ends with exit 4 and says `fix`. What
    files hold `beside` columns, as a DICOM tag, is no column, and many of a kind are shown as one.
    """

    name: str
    kind: str
    role: str
    missing: float
    suspicion: str = ""
    action: str = "learn"
    unclear: bool = False
    fix: str = ""
    beside: bool = False


@dataclass(frozen=True)
class Profile:
    """What a reader found: records, patients (None where nobody knows whose the records are), every field with its
    plan, and notes for the person."""

    records: int
    patients: int | None
    fields: tuple[FieldPlan, ...]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Profile:
        """The inverse of `to_json`."""
        return cls(
            data["records"], data["patients"], tuple(FieldPlan(**f) for f in data["fields"]), tuple(data["notes"])
        )


@dataclass(frozen=True)
class ReadOptions:
    """What the person said about the data. `declared` is the schema file as parsed (see docs/schema.md). `watch` hears
    how many of how many files are read, from readers of many."""

    subject: str | None = None
    target: str | None = None
    declared: Mapping[str, Any] | None = None
    na: tuple[str, ...] | None = None
    rare: int = 5
    watch: Callable[[int, int], None] | None = None


@dataclass(frozen=True)
class Modality:
    """One line per capability, as 'module:attr' strings, so that nothing heavy is imported before it is used.

    - `read(paths, options: ReadOptions) -> (Dataset, Profile)`
    - `declared(paths, options: ReadOptions, ledger=None, resume=None) -> (Dataset, Profile)`: the same under the
      declared schema alone, for differential privacy; what is to be measured is paid from what `ledger(outline)` opens,
      and kept in the folder `resume`. `private` is the generator that 'auto' then stands for
    - `like(paths, schema) -> Dataset`: read further data under a schema that is already known
    - `further(paths, train) -> Dataset`: the same as `train` was read, where more was declared than its schema holds
    - `prepared(dataset, train) -> Dataset`: real records read so, after what was done to those of `train` before they
      were learned; made ones are as they left
    - `write(chunks: Iterable[Dataset], path) -> Path`
    - `output(paths) -> str`: the file name of the synthetic data, in the input's format
    - `embed(dataset, reference) -> float32 array (n, d)`: where shared metrics and attacks stand
    - `features(dataset, reference) -> Features`: where shared classifiers stand
    - `judged(dataset, reference) -> Dataset`: what judges look at where that is not the records themselves: pieces of
      them (beats, windows), each with its patient, cut as those of the reference are; a dataset that is not cut is
      given back itself
    - `folders`: whether a folder of files is one input
    - `apart(train, holdout, synthetic) -> None`: DataError where the generator saw patients of the holdout
    - `comparable(train, other, part) -> None`: DataError where another part does not measure alike
    - `fewest(train, synthetic) -> int`: the fewest train patients behind a category of the synthetic records
    - `sound(dataset) -> None`: UsageError or DataError for what must hold of all records before any is learned
    - `explain(model, dataset) -> frame`: why its records are as they are, in the eyes of a model with a `chain`
    - `graph(model, rng=) -> mapping or None`: names and edges of what a model ties together, for those that know
    - `audit(spec, epsilon=, delta=, trials=, confidence=, seed=, watch=) -> Audit`: attacks on a private generator
    - `survey.of(declared, epsilon=, patients=)` and `survey.from_json(told)`: local differential privacy
    - `completed(model, holdout, rng) -> Dataset or None`: the holdout's records with what a model drew of them from
      what it is given, where it is given anything
    - `between(model, rng) -> Dataset or None`: records on the way from one that a model draws to another, for pictures
    - `pictures(evidence) -> list of plain JSON`: what a person wants to look at; only the report that stays inside
      shows it, drawn by `app/plots.py`
    - `augmented(dataset, rng) -> Dataset`: as many records, changed as is usual where few are learned from
    - `marks(declared) -> {name: SHA-256}`: further files that judges look at, as the schema file names them;
      UsageError, before anything is learned, for those that they cannot use
    - `readable`: whether features have names that a person reads, as columns do and components do not
    - `untested`: what its judges leave open besides what all do, by the start of the ids that would have measured it
    - `metrics`, `attacks`: what only this modality has beyond `evaluate/suites.py`; `Metric`/`Attack` strings
    """

    name: str
    summary: str
    suffixes: tuple[str, ...]
    read: str
    like: str
    write: str
    output: str
    embed: str
    features: str
    generators: Mapping[str, str]
    default: str
    floor: str
    metrics: tuple[str, ...] = ()
    attacks: tuple[str, ...] = ()
    folders: bool = False
    further: str | None = None
    prepared: str | None = None
    judged: str | None = None
    apart: str | None = None
    comparable: str | None = None
    fewest: str | None = None
    sound: str | None = None
    graph: str | None = None
    explain: str | None = None
    declared: str | None = None
    private: str | None = None
    audit: str | None = None
    survey: str | None = None
    completed: str | None = None
    between: str | None = None
    pictures: str | None = None
    augmented: str | None = None
    marks: str | None = None
    readable: bool = True
    untested: Mapping[str, str] = field(default_factory=dict)

    def generator(self, name: str) -> Any:
        """The generator class of a catalogue name ('auto' is the default where nothing of that name chooses)."""
        return load(self.generators[self.named(name)])

    def named(self, name: str) -> str:
        """The catalogue name that 'auto' stands for; any other name as it is."""
        return self.default if name == "auto" and name not in self.generators else name
