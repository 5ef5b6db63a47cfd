"""A model that scores from arrays alone, with the result of the scikit-learn pipeline that it was made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlops.pipelines.compiled.booster import Booster
from mlops.pipelines.compiled.encoding import Categories, Cells, Encoding
from mlops.pipelines.compiled.linear import LinearModel
from mlops.pipelines.compiled.links import Link, probabilities
from mlops.pipelines.compiled.trees import TreeModel

# sums of a few hundred trees in 32 bits differ from those in 64 by less than this
_CLOSE = 1e-5
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class BoosterModel:
    """A model of XGBoost as it is: the predictor's own results, which are what its Python package returns."""

    encoding: Encoding
    booster: Booster

    def raw(self, cells: Mapping[str, Cells]) -> NDArray[np.float64]:
        """Return what the objective makes of the sums, shape (rows, outputs)."""
        return self.booster.predict(self.encoding.matrix(cells, np.float32)).astype(np.float64)


@dataclass(frozen=True, slots=True)
class CompiledModel:
    """One of the forms, and the link from its raw output to probabilities."""

    form: LinearModel | TreeModel | BoosterModel
    link: Link

    def predict(self, cells: Mapping[str, Cells]) -> NDArray[np.float64]:
        """Return the predicted numbers of a regression, shape (rows,)."""
        predicted: NDArray[np.float64] = self.form.raw(cells)[:, 0]
        return predicted

    def predict_probabilities(
        self, cells: Mapping[str, Cells], threshold: float | None = None
    ) -> NDArray[np.float64]:
        """Return the probability of each class, shape (rows, classes).

        Rows whose decision at `threshold` (of the second of two classes), or between the two most probable
        classes, is closer than the rounding of the sums are summed again in 64 bits, so that no label differs
        from that of the pipeline.
        """
        shares = probabilities(self.form.raw(cells), self.link)
        if isinstance(self.form, TreeModel):
            close = np.flatnonzero(_margin(shares, threshold) < _CLOSE)
            if len(close):
                shares[close] = probabilities(self.form.exact(_taken(cells, close)), self.link)
        return shares


def _margin(shares: NDArray[np.float64], threshold: float | None) -> NDArray[np.float64]:
    if shares.shape[1] == 2:
        margin: NDArray[np.float64] = np.abs(shares[:, 1] - (_HALF if threshold is None else threshold))
        return margin
    largest = np.partition(shares, -2, axis=1)[:, -2:]
    return largest[:, 1] - largest[:, 0]


def _taken(cells: Mapping[str, Cells], rows: NDArray[np.intp]) -> dict[str, Cells]:
    return {
        name: Categories(column.values, column.codes[rows])
        if isinstance(column, Categories)
        else column[rows]
        for name, column in cells.items()
    }
