"""The table `[classes]` of `model.toml`: classes of the target that have few rows, and what mistakes cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from mlops.models.errors import SettingsError
from mlops.models.record import Record
from mlops.models.settings.declared import check_bounds, check_types, table_of

RareClasses = Literal["other", "drop", "refuse"]
OTHER_CLASS = "other"

MIN_ROWS_PER_CLASS = 10
COVERAGE = (0.5, 0.99)  # that intervals and sets may promise
# of a row that is predicted as another class, where nothing else is stated
_COST_OF_A_MISTAKE = 1.0

type Costs = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class ClassSettings(Record):
    """A class with fewer than `min_rows` rows is rare, and `rare` says what is done with its rows.

    `other` pools them into one class, `drop` leaves them out, `refuse` refuses the file. Without `rare` a
    target of which at most two classes are not rare refuses the file; of more classes they are pooled when
    the pool reaches `min_rows`, and left out when it does not.
    `costs` are those of more than two classes, by the true class and then by the predicted one. Where none
    is stated a right prediction costs 0 and a wrong one 1.
    With `set_coverage` each row also gets a set of classes, which contains the true one in at least this
    share of the rows of each class.
    """

    min_rows: int = MIN_ROWS_PER_CLASS
    rare: RareClasses | None = None
    costs: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    set_coverage: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict; the coverage of sets is in it only when it is stated."""
        document = Record.to_dict(self)
        return {key: value for key, value in document.items() if key != "set_coverage" or value is not None}

    def cost_matrix(self, labels: Sequence[str]) -> Costs | None:
        """Return the cost of each prediction (columns) for each true class (rows); None without costs."""
        if not self.costs:
            return None
        return tuple(
            tuple(
                _cost(self.costs.get(true, {}), predicted, is_right=true == predicted) for predicted in labels
            )
            for true in labels
        )

    @property
    def classes_of_costs(self) -> tuple[str, ...]:
        """The classes that costs are stated for, in the order in which they are named."""
        names = [name for true, row in self.costs.items() for name in (true, *row)]
        return tuple(dict.fromkeys(names))


def check_classes(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of `[classes]`, refusing what cannot be meant.

    Raises
    ------
    SettingsError
        If a value is impossible.
    """
    check_types("classes", table, ClassSettings)
    if (min_rows := table.get("min_rows", MIN_ROWS_PER_CLASS)) < 2:
        raise SettingsError(f"classes.min_rows must be at least 2, not {min_rows!r}.")
    check_bounds({"classes": table}, {"classes.set_coverage": COVERAGE})
    if "costs" not in table:
        return dict(table)
    rows = table_of("classes.costs", table["costs"])
    return {**table, "costs": {str(true): _checked_row(true, row) for true, row in rows.items()}}


def _checked_row(true: str, row: Any) -> dict[str, float]:
    """Return the costs of one true class, refusing what is no number and mistakes that pay."""
    where = f"classes.costs.{true}"
    costs = {str(name): cost for name, cost in table_of(where, row).items()}
    for name, cost in costs.items():
        if isinstance(cost, bool) or not isinstance(cost, (int, float)):
            raise SettingsError(f"{where}.{name} must be a number, not {cost!r}.")
    wrong = [cost for name, cost in costs.items() if name != true] or [_COST_OF_A_MISTAKE]
    if min(wrong) <= _cost(costs, true, is_right=True):
        raise SettingsError(f"{where}: a wrong prediction must cost more than a right one.")
    return {name: float(cost) for name, cost in costs.items()}


def _cost(row: Mapping[str, float], predicted: str, *, is_right: bool) -> float:
    return row.get(predicted, 0.0 if is_right else _COST_OF_A_MISTAKE)
