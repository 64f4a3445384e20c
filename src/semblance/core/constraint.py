"""A rule that every record keeps, as a person declared it. It is public, as the schema is that holds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from semblance.core.errors import DataError

ConstraintKind = Literal[
    "inequality", "ordered", "combinations", "dependency", "sum", "one-hot", "implication", "predicate"
]
CONSTRAINTS: tuple[str, ...] = get_args(ConstraintKind)
_FEWEST = {"predicate": 0, "implication": 2, "sum": 3}


@dataclass(frozen=True)
class Condition:
    """What is said of one column: one of `values`, or a number (or date in seconds) from `min` to `max`.

    A text that ends in `*` stands for every text that begins like it.
    """

    column: str
    values: tuple[str | float | bool, ...] = ()
    min: float | None = None
    max: float | None = None

    def __str__(self) -> str:
        if self.values:
            return f"'{self.column}' is {' or '.join(str(value) for value in self.values)}"
        low = "" if self.min is None else f"{self.min:g} <= "
        high = "" if self.max is None else f" <= {self.max:g}"
        return f"{low}'{self.column}'{high}"

    def to_json(self) -> dict[str, Any]:
        """As plain JSON, defaults left out."""
        return {key: value for key, value in asdict(self).items() if value not in ((), None)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Condition:
        """The inverse of `to_json`."""
        return cls(**{**data, "values": tuple(data.get("values", ()))})


@dataclass(frozen=True)
class Constraint:
    """One rule over columns.

    `columns` are, by kind: inequality (low, high); ordered, from the lowest to the highest; combinations and one-hot,
    all; dependency (parents ..., child); sum (parts ..., total). Combinations may list the `rows` that there are;
    without them they are those that occur in the data. An implication has the conditions of `when` and, of what then
    is, `then` or `never`. A predicate has a `name` and `holds`, a function from a data frame in the source's types to
    (n,) bool; it is not saved, so a loaded constraint lacks it.
    """

    kind: ConstraintKind
    columns: tuple[str, ...] = ()
    strict: bool = False
    rows: tuple[tuple[str | float, ...], ...] = ()
    when: tuple[Condition, ...] = ()
    then: tuple[Condition, ...] = ()
    never: tuple[Condition, ...] = ()
    name: str = ""
    holds: Callable[[Any], Any] | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in CONSTRAINTS:
            raise DataError.of(
                f"a constraint of kind '{self.kind}'", rule=f"one of {', '.join(CONSTRAINTS)}", fix="correct it"
            )
        fewest = _FEWEST.get(self.kind, 2)
        if len(set(self.names)) < fewest or len(set(self.columns)) < len(self.columns):
            raise DataError.of(
                f"a constraint of kind {self.kind} over {len(set(self.names))} columns",
                rule=f"{fewest} or more, each once",
                fix="name the columns that it ties",
            )
        if any(len(row) != len(self.columns) for row in self.rows):
            raise DataError.of(
                f"combinations of another number of values than {len(self.columns)}",
                rule="each of 'rows' has one value for each of 'columns'",
                fix="correct it",
            )

    @property
    def names(self) -> tuple[str, ...]:
        """All columns that the rule is about; none for a predicate, which may look at any."""
        said = (condition.column for condition in (*self.when, *self.then, *self.never))
        return tuple(dict.fromkeys((*self.columns, *said)))

    def __str__(self) -> str:
        names = [f"'{name}'" for name in self.columns]
        if self.kind in ("inequality", "ordered"):
            return (" < " if self.strict else " <= ").join(names)
        if self.kind == "sum":
            return f"{names[-1]} = {' + '.join(names[:-1])}"
        if self.kind == "dependency":
            return f"{', '.join(names[:-1])} decides {names[-1]}"
        if self.kind == "implication":
            return self._implication()
        held = f"one of {len(self.rows)} combinations" if self.rows else "the combinations that occur"
        what = {"combinations": held, "one-hot": "exactly one is 1"}
        return f"{', '.join(names)}: {what[self.kind]}" if names else f"predicate '{self.name}'"

    def _implication(self) -> str:
        when = " and ".join(map(str, self.when))
        then = " and ".join([*map(str, self.then), *(f"never {condition}" for condition in self.never)])
        return f"where {when}: {then}"

    def to_json(self) -> dict[str, Any]:
        """As plain JSON, defaults left out; the function of a predicate is not written."""
        said = {key: [c.to_json() for c in getattr(self, key)] for key in ("when", "then", "never")}
        ties = {"columns": list(self.columns), "strict": self.strict, "rows": [list(row) for row in self.rows]}
        plain: dict[str, Any] = {"kind": self.kind, **ties, **said, "name": self.name}
        return {key: value for key, value in plain.items() if value}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Constraint:
        """The inverse of `to_json`."""
        when, then, never = (tuple(map(Condition.from_json, data.get(key, ()))) for key in ("when", "then", "never"))
        columns, strict = tuple(data.get("columns", ())), data.get("strict", False)
        rows = tuple(map(tuple, data.get("rows", ())))
        return cls(data["kind"], columns, strict, rows, when, then, never, data.get("name", ""))
