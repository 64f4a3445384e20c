"""The schema: what a record looks like. It is public, so it says nothing about these records.

A bound or a list of categories stands here only when somebody declared it or a private mechanism paid for it; what was
merely observed stays in a generator's encoding, where rare values are already merged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args

from semblance.core.constraint import Constraint
from semblance.core.errors import DataError, Problem, UsageError

Kind = Literal["numeric", "integer", "categorical", "ordinal", "boolean", "date", "code", "text", "identifier"]
Role = Literal["feature", "subject", "target", "time", "event", "visit_time", "treatment", "weight", "key", "drop"]
Provenance = Literal["declared", "measured", "observed"]

KINDS: tuple[str, ...] = get_args(Kind)
ROLES: tuple[str, ...] = get_args(Role)
MEASURE = "measured"
"""What stands in a schema file for a bound, for categories, or for n_public that is to be measured privately."""
OTHER = "(other)"
"""What a value counts as that is none of the measured categories; so does a value that is spelt like this."""


@dataclass(frozen=True)
class Column:
    """One column: its kind, its role, and how its values are written.

    `role="key"` is regenerated in the output and `role="drop"` leaves it; neither is ever learned. `decimals` is the
    largest number of decimals in the source, `fixed` whether all values carry that many. `date_format` is a strptime
    format. `na` is the token that stands for a missing value. `dtype` is the source's own type, restored on output.
    `min`, `max` and `categories` are declared, or any of them privately measured, as `bound` says. `protected` marks an
    attribute whose groups must fare alike (sex, ethnicity), `quasi` one that an outsider may know of a patient.
    """

    name: str
    kind: Kind
    role: Role = "feature"
    dtype: str = "str"
    decimals: int = 0
    fixed: bool = False
    date_format: str | None = None
    na: str = ""
    min: float | None = None
    max: float | None = None
    categories: tuple[str, ...] | None = None
    bound: Provenance = "observed"
    protected: bool = False
    quasi: bool = False

    def __post_init__(self) -> None:
        problems = []
        if self.kind not in KINDS:
            problems.append(
                Problem(f"kind '{self.kind}'", f"a kind is one of {', '.join(KINDS)}", "correct it", self.name)
            )
        if self.role not in ROLES:
            problems.append(
                Problem(f"role '{self.role}'", f"a role is one of {', '.join(ROLES)}", "correct it", self.name)
            )
        if self.min is not None and self.max is not None and self.min > self.max:
            problems.append(Problem("min is above max", "min <= max", "exchange them", self.name))
        if self.categories is not None and len(set(self.categories)) != len(self.categories):
            problems.append(Problem("categories repeat", "each category stands once", "remove the repeats", self.name))
        if problems:
            raise DataError(*problems)

    @property
    def learned(self) -> bool:
        """Whether a generator models this column."""
        return self.role not in ("subject", "key", "drop")

    @property
    def written(self) -> bool:
        """Whether the column stands in the output."""
        return self.role != "drop"

    @property
    def other(self) -> str | None:
        """The category of all values that are none of the others; only measured categories have it."""
        return OTHER if self.bound == "measured" and OTHER in (self.categories or ()) else None

    @property
    def continuous(self) -> bool:
        """Whether values are points on a line (numbers, dates)."""
        return self.kind in ("numeric", "integer", "date")


@dataclass(frozen=True)
class Schema:
    """The columns in their order, the cohort that they describe, and the rules that its records keep.

    `public` says that no record was looked at for any of it, but for what was measured privately.
    """

    columns: tuple[Column, ...]
    cohort: str | None = None
    n_public: int | None = None
    constraints: tuple[Constraint, ...] = ()
    public: bool = False

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise DataError(
                *(
                    Problem("the name stands more than once", "column names are unique", "rename one", name)
                    for name in twice
                )
            )
        for role in ("subject", "target"):
            if sum(column.role == role for column in self.columns) > 1:
                raise DataError.of(
                    f"several columns have the role {role}", rule="at most one may", fix=f"keep one {role}"
                )

        lost = [(rule, name) for rule in self.constraints for name in rule.names if name not in names]
        if lost:
            raise DataError(
                *(
                    Problem(
                        f"the constraint {rule} names it", "a constraint names columns of the data", "correct it", name
                    )
                    for rule, name in lost
                )
            )

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise UsageError.of(
            f"no column '{name}'", rule="a column is named as in the data", fix=f"one of: {', '.join(self.names)}"
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in order."""
        return tuple(column.name for column in self.columns)

    def where(self, role: str) -> Column | None:
        """The column of a role, if there is one."""
        return next((column for column in self.columns if column.role == role), None)

    @property
    def learned(self) -> tuple[Column, ...]:
        """The columns that generators model."""
        return tuple(column for column in self.columns if column.learned)

    @property
    def written(self) -> tuple[Column, ...]:
        """The columns of the output."""
        return tuple(column for column in self.columns if column.written)

    def with_columns(self, columns: Iterable[Column]) -> Schema:
        """The same cohort with other columns, and the constraints over those that are left."""
        columns = tuple(columns)
        names = {column.name for column in columns}
        kept = tuple(rule for rule in self.constraints if names.issuperset(rule.names))
        return replace(self, columns=columns, constraints=kept)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON, defaults left out."""
        plain = {f.name: f.default for f in fields(Column)}
        columns = [{k: v for k, v in asdict(c).items() if k in ("name", "kind") or v != plain[k]} for c in self.columns]
        rules = {"constraints": [rule.to_json() for rule in self.constraints]} if self.constraints else {}
        marked = {"public": True} if self.public else {}
        return {"cohort": self.cohort, "n_public": self.n_public, "columns": columns, **rules, **marked}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Schema:
        """The inverse of `to_json`."""
        columns = []
        for entry in data["columns"]:
            listed = entry.get("categories")
            columns.append(Column(**{**entry, "categories": None if listed is None else tuple(listed)}))
        rules = tuple(map(Constraint.from_json, data.get("constraints", ())))
        return cls(tuple(columns), data.get("cohort"), data.get("n_public"), rules, data.get("public", False))
