"""Which columns moved each prediction most, and by how much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops.models.drift.contributions import ContributionSums
from mlops.models.scoring.reason import SEPARATOR
from mlops.monitoring.profiles.contributions import add_contributions, sum_contributions
from mlops.pages.spreadsheet import is_formula
from mlops.pipelines.artifacts.model import Model, Scores, cells_of
from mlops.pipelines.compiled.column_groups import ColumnGroups
from mlops.pipelines.compiled.compilation import explain_forest
from mlops.pipelines.compiled.compiled_model import BoosterModel, LargeForest, TreeModel
from mlops.pipelines.compiled.linear import LinearModel

type _Form = LinearModel | TreeModel | BoosterModel | LargeForest

NO_REASONS = (
    "[output] reasons of model.toml has no effect: this model cannot give reasons. Train it again with this"
    ' release; where that does not help, algorithm = "XGBoost" or "LogisticRegression" in model.toml does.'
)
# numbers of one matrix of contributions, or of leaves
_MAX_CELLS = 2_000_000
# below these shares of the largest contribution, or of the base value, a contribution is rounding: XGBoost
# adds up in single precision, and means of nodes differ by the double precision of the base value
_ROUNDING, _ROUNDING_OF_BASE = 1e-6, 1e-12
_NUMBER = "%+.3g\n"
_WHOLE_FROM = 100
_MAX_HELD_OUT_ROWS = 10_000
_SPECIAL = frozenset(';="\r\n')


@dataclass(frozen=True, slots=True)
class Reasons:
    """The columns that moved each prediction most, the largest first.

    `positions` in `names` and `contributions` have the shape (rows, reasons). `sums` are those of the
    contributions of all columns.
    """

    names: tuple[str, ...]
    positions: NDArray[np.int64]
    contributions: NDArray[np.float64]
    sums: ContributionSums

    def texts(self) -> list[str]:
        """Return a text for each row, such as `age +0.42; dose -0.31`, without columns that add nothing."""
        names = [f"{quoted_name(name)} " for name in self.names]
        numbers = _written(self.contributions)
        parts = [
            [names[position] + number if number else "" for position, number in zip(*column, strict=True)]
            for column in zip(self.positions.T.tolist(), numbers, strict=True)
        ]
        return [f"{SEPARATOR} ".join(filter(None, row)) for row in zip(*parts, strict=True)]


@dataclass(frozen=True, slots=True)
class Explainer:
    """Gives the reasons of rows that a model has scored.

    Contributions are in units of the raw output: the number itself, the log-odds of the second of two
    classes or of the predicted one of more, and for forests its share, all before the calibration.
    """

    form: _Form
    groups: ColumnGroups
    n_labels: int
    n_reasons: int

    @classmethod
    def of(cls, model: Model, n_reasons: int) -> Self | None:
        """Return what gives at most `n_reasons` columns for each row; None for a model without reasons."""
        form = _form(model)
        if form is None:
            return None
        groups = ColumnGroups.of(form.encoding, model.schema.sources)
        return cls(form, groups, len(model.schema.labels), n_reasons)

    def explain(self, aligned: pd.DataFrame, scores: Scores) -> Reasons:
        """Return the reasons of rows in the model's form, and of what the model says of them."""
        outputs = scores.predicted if self.n_labels > 2 else np.zeros(len(aligned), np.int64)
        step = max(1, _MAX_CELLS // self._n_cells)
        pieces = [
            self._largest(aligned.iloc[start : start + step], outputs[start : start + step])
            for start in range(0, len(aligned), step)
        ]
        positions, contributions, sums = zip(*pieces, strict=True)
        added = add_contributions(sums)
        assert added is not None  # noqa: S101  there is at least one piece
        return Reasons(self.groups.names, np.concatenate(positions), np.concatenate(contributions), added)

    @property
    def _n_cells(self) -> int:
        """The numbers of one row in the largest matrix on the way."""
        if isinstance(self.form, TreeModel | LargeForest):
            return max(self.form.encoding.n_columns, len(self.form.trees.roots))
        return self.form.encoding.n_columns * max(1, self.n_labels)

    def _largest(
        self, aligned: pd.DataFrame, outputs: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], ContributionSums]:
        """Return the positions of the largest contributions, these, and the sums; the first at a draw."""
        values = self.form.contributions(cells_of(aligned), outputs, self.groups)
        contributions, base = values[:, :-1], values[:, -1:]
        order = np.argsort(-np.abs(contributions), axis=1, kind="stable")[:, : self.n_reasons]
        largest = np.take_along_axis(contributions, order, axis=1)
        sums = sum_contributions(self.groups.names, contributions)
        return order, without_rounding(largest, base, 1.0 if self.n_labels else 0.0), sums


def held_out_contributions(model: Model, aligned: pd.DataFrame, scores: Scores) -> ContributionSums | None:
    """Return the sums over held-out rows, of at most 10,000; None for a model that cannot give reasons."""
    explainer = Explainer.of(model, 1) if len(aligned) else None
    if explainer is None:
        return None
    spread = np.arange(0, len(aligned), -(-len(aligned) // _MAX_HELD_OUT_ROWS))
    return explainer.explain(aligned.iloc[spread], scores.take(spread)).sums


def without_rounding(
    contributions: NDArray[np.float64], base: NDArray[np.float64], scale: float
) -> NDArray[np.float64]:
    """Return contributions that are 0 where they are only rounding.

    Parameters
    ----------
    contributions
        The largest of each row, shape (rows, reasons).
    base
        The base value of each row, shape (rows, 1).
    scale
        What counts as a large contribution, whatever the row: 1 for log-odds and shares, 0 for numbers.
    """
    sizes = np.abs(contributions)
    largest = sizes.max(axis=1, keepdims=True, initial=scale)
    is_rounding = sizes < np.maximum(_ROUNDING * largest, _ROUNDING_OF_BASE * np.abs(base))
    return np.where(is_rounding, 0.0, contributions)


def _form(model: Model) -> _Form | None:
    if model.compiled is None:
        return explain_forest(model.pipeline)
    return model.compiled.form if model.compiled.form.has_contributions else None


def _written(contributions: NDArray[np.float64]) -> list[list[str]]:
    """Write contributions by column: three significant digits, or a whole number; nothing for 0."""
    columns = []
    for column in contributions.T:
        numbers = (_NUMBER * len(column) % tuple(column.tolist())).splitlines()
        for row in np.flatnonzero(np.abs(column) >= _WHOLE_FROM).tolist():
            numbers[row] = f"{column[row]:+.0f}"
        for row in np.flatnonzero(column == 0.0).tolist():
            numbers[row] = ""
        columns.append(numbers)
    return columns


def quoted_name(name: str) -> str:
    """Return the name of a column, in quotes where it would be read as something else."""
    is_plain = _SPECIAL.isdisjoint(name) and name == name.strip() and not is_formula(name)
    return name if is_plain else '"' + name.replace('"', '""') + '"'
