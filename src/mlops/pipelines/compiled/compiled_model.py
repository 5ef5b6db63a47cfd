"""A model that scores from arrays alone, with the result of the scikit-learn pipeline that it was made of."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops.pipelines.compiled.booster import Booster
from mlops.pipelines.compiled.cells import Cells, Floats, n_rows, take_cells
from mlops.pipelines.compiled.column_groups import ColumnGroups
from mlops.pipelines.compiled.encoding import CategoryTable, Encoding, span_of
from mlops.pipelines.compiled.linear import LinearModel
from mlops.pipelines.compiled.outputs import Decision, Link, probabilities
from mlops.pipelines.compiled.paths import Paths
from mlops.pipelines.compiled.shap.tables import MAX_NUMBERS, ShapTables
from mlops.pipelines.compiled.trees import Trees

# sums of a few hundred trees in 32 bits differ from those in 64 by less than this
_CLOSE = 1e-5
_TREES_OF_A_SUM = 32
_MISSING_RANK = 255


@dataclass(frozen=True)
class BoosterModel:
    """A model of XGBoost as it is: the predictor's own results, which are what its Python package returns."""

    encoding: Encoding
    booster: Booster

    def raw(self, cells: Mapping[str, Cells]) -> NDArray[np.float64]:
        """Return what the objective makes of the sums, shape (rows, outputs)."""
        return self.booster.predict(self.encoding.matrix(cells, np.float32)).astype(np.float64)

    @property
    def has_contributions(self) -> bool:
        """Whether `contributions` can be called: always."""
        return True

    def contributions(
        self, cells: Mapping[str, Cells], outputs: NDArray[np.int64], groups: ColumnGroups
    ) -> NDArray[np.float64]:
        """Return what each column adds to the sum of an output, shape (rows, groups + 1).

        The last column is the expected sum. All of them add up to the sum, of which the objective makes
        `raw`.
        """
        matrix = self.encoding.matrix(cells, np.float32)
        values = np.empty((len(matrix), len(groups.names) + 1))
        values[:, -1] = self._expected[outputs]
        for output in np.unique(outputs).tolist():
            rows = np.flatnonzero(outputs == output)
            of_rows = matrix if len(rows) == len(matrix) else matrix[rows]
            tables = self._tables_of(output, groups)
            if tables is None:
                values[rows, :-1] = groups.sums(self.booster.contributions(of_rows)[:, output, :-1])
            else:
                values[rows, :-1] = tables.sums(of_rows)
        return values

    def _tables_of(self, output: int, groups: ColumnGroups) -> ShapTables | None:
        """Return the tables of an output; None without, then XGBoost's own function is slower."""
        if (output, groups.names) not in self._tables:
            trees = [tree for tree, of in self._trees if of == output]
            most = MAX_NUMBERS // len(self._expected)
            self._tables[output, groups.names] = ShapTables.of(trees, groups, most)
        return self._tables[output, groups.names]

    @cached_property
    def _tables(self) -> dict[tuple[int, tuple[str, ...]], ShapTables | None]:
        return {}

    @cached_property
    def _trees(self) -> list[tuple[Mapping[str, Any], int]]:
        """Return the trees, and the output of each."""
        model = self.booster.document()["learner"]["gradient_booster"]["model"]
        return list(zip(model["trees"], model["tree_info"], strict=True))

    @cached_property
    def _expected(self) -> NDArray[np.float32]:
        """The expected sum of each output, which is the same for all rows."""
        row = np.zeros((1, self.encoding.n_columns), np.float32)
        return self.booster.contributions(row)[0, :, -1]


@dataclass(frozen=True)
class TreeModel:
    """Trees over encoded features, their compiled form, and how their sums become the raw output.

    Parameters
    ----------
    encoding
        Of the columns that the trees look at.
    trees
        The arrays, from which close decisions are summed again.
    booster
        The same trees for XGBoost's predictor, which adds up in 32 bits.
    factor, base
        The raw output is `base + factor * sum`; `base` has the shape (outputs,).
    is_ranked
        Whether the booster takes ranks among the thresholds instead of values. Trees that compare in 64 bits
        need it, since XGBoost compares in 32.
    has_contributions
        Whether inner nodes have their means; trees of boosting of releases before 0.3 have not.
    """

    encoding: Encoding
    trees: Trees
    booster: Booster
    factor: float
    base: NDArray[np.float64]
    is_ranked: bool
    has_contributions: bool = True

    def raw(self, cells: Mapping[str, Cells]) -> NDArray[np.float64]:
        """Return the sums, shape (rows, outputs): some trees in 32 bits at a time, these sums in 64."""
        matrix, missing = self._compared(cells)
        sums = np.zeros((len(matrix), len(self.base)))
        n_trees = len(self.trees.roots)
        for first in range(0, n_trees, _TREES_OF_A_SUM):
            trees = first, min(first + _TREES_OF_A_SUM, n_trees)
            sums += self.booster.predict(matrix, missing=missing, is_raw=True, iterations=trees)
        return self.base + self.factor * sums

    def exact(self, cells: Mapping[str, Cells]) -> NDArray[np.float64]:
        """Return the sums in 64 bits, shape (rows, outputs)."""
        matrix = self.encoding.matrix(cells, np.float64 if self.is_ranked else np.float32)
        return self.base + self.factor * self.trees.sums(matrix)

    def contributions(
        self, cells: Mapping[str, Cells], outputs: NDArray[np.int64], groups: ColumnGroups
    ) -> NDArray[np.float64]:
        """Return what each column adds to an output, shape (rows, groups + 1).

        The last column is the output of the roots' means; all of them add up to the raw output.
        """
        matrix, missing = self._compared(cells)
        leaves = self.booster.leaves(matrix, missing=missing)
        paths = self._paths.setdefault(groups.names, Paths(self.trees, groups))
        sums = self.factor * paths.contributions(leaves, outputs)
        sums[:, -1] += self.base[outputs]
        return sums

    def _compared(self, cells: Mapping[str, Cells]) -> tuple[NDArray[Any], float]:
        """Return the matrix that the booster takes, and what means "missing" in it."""
        if self.is_ranked:
            return self._ranks(cells), _MISSING_RANK
        return self.encoding.matrix(cells, np.float32), math.nan

    def _ranks(self, cells: Mapping[str, Cells]) -> NDArray[np.uint8]:
        """Return how many thresholds of its column are below each value: `value <= t[k]` is `rank <= k`."""
        encoding = self.encoding
        ranks = np.empty((n_rows(cells), encoding.n_columns), dtype=np.uint8)
        if encoding.numbers is not None:
            for column, values in encoding.numbers.values(cells):
                ranks[:, column] = _ranks_among(self._thresholds[column], values)
        for number, table in enumerate(encoding.tables):
            rows, places = table.lookup(cells)
            of_category = self._ranks_of_categories.get(number)
            of_row = self._ranked(table.columns, rows) if of_category is None else of_category
            ranks[:, span_of(table.columns)] = of_row.take(places, axis=0)
        return ranks

    def _ranked(self, columns: NDArray[np.int64], rows: Floats) -> NDArray[np.uint8]:
        """Return the ranks of numbers of some columns, shape (rows, columns)."""
        pairs = zip(columns.tolist(), rows.T, strict=True)
        return np.column_stack([_ranks_among(self._thresholds[column], values) for column, values in pairs])

    @cached_property
    def _paths(self) -> dict[tuple[str, ...], Paths]:
        return {}

    @cached_property
    def _thresholds(self) -> list[NDArray[np.float64]]:
        return [self.trees.thresholds_of(column) for column in range(self.encoding.n_columns)]

    @cached_property
    def _ranks_of_categories(self) -> dict[int, NDArray[np.uint8]]:
        """Return the ranks of the rows of each table of categories, by its position."""
        return {
            number: self._ranked(table.columns, table.rows)
            for number, table in enumerate(self.encoding.tables)
            if isinstance(table, CategoryTable)
        }


@dataclass(frozen=True, slots=True)
class LargeForest:
    """A forest with too many nodes for XGBoost's predictor: scikit-learn scores, this only explains."""

    encoding: Encoding
    trees: Trees

    def contributions(
        self, cells: Mapping[str, Cells], outputs: NDArray[np.int64], groups: ColumnGroups
    ) -> NDArray[np.float64]:
        """Return what each column adds to an output, shape (rows, groups + 1), as `TreeModel` does."""
        leaves = self.trees.leaves(self.encoding.matrix(cells, np.float32))
        return Paths(self.trees, groups).contributions(leaves, outputs) / len(self.trees.roots)


@dataclass(frozen=True, slots=True)
class CompiledModel:
    """One of the forms, and the link from its raw output to probabilities."""

    form: LinearModel | TreeModel | BoosterModel
    link: Link

    def predict(self, cells: Mapping[str, Cells]) -> NDArray[np.float64]:
        """Return the predicted numbers of a regression, shape (rows,)."""
        predicted: NDArray[np.float64] = self.form.raw(cells)[:, 0]
        return predicted

    def predict_probabilities(self, cells: Mapping[str, Cells], decision: Decision) -> NDArray[np.float64]:
        """Return the probability of each class, shape (rows, classes).

        Rows whose class the rounding of the sums could change are summed again in 64 bits, so that no label
        differs from that of the pipeline.
        """
        shares = probabilities(self.form.raw(cells), self.link)
        if isinstance(self.form, TreeModel):
            close = np.flatnonzero(decision.are_close(shares, _CLOSE))
            if len(close):
                taken = {name: take_cells(column, close) for name, column in cells.items()}
                shares[close] = probabilities(self.form.exact(taken), self.link)
        return shares


def _ranks_among(thresholds: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.uint8]:
    ranks = np.searchsorted(thresholds, values, side="left").astype(np.uint8)
    ranks[np.isnan(values)] = _MISSING_RANK
    return ranks
