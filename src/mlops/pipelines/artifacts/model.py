"""A model that can score: its schema, the fitted preprocessing and the fitted estimator, as one thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mlops.pipelines.features.schema import AlignmentNotes, ModelSchema, align


@dataclass(frozen=True, slots=True)
class Scores:
    """What a model says of some rows.

    `predicted` holds positions in the schema's labels, or numbers for a regression; `probabilities` has a
    column per label, None for a regression.
    """

    predicted: np.ndarray
    probabilities: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> Scores:
        """Return the scores of some rows, by position or mask."""
        chosen = None if self.probabilities is None else self.probabilities[rows]
        return Scores(self.predicted[rows], chosen)


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted model; `pipeline` is a scikit-learn Pipeline of `preprocessing` and `estimator`."""

    schema: ModelSchema
    pipeline: Any

    def score(self, frame: pd.DataFrame) -> tuple[Scores, AlignmentNotes]:
        """Score rows as they were read from a file.

        Raises
        ------
        DatasetError
            If a feature column is missing.
        """
        aligned, notes = align(frame, self.schema.features)
        return self.score_aligned(aligned), notes

    def score_aligned(self, aligned: pd.DataFrame) -> Scores:
        """Score rows that `align` brought to the model's form."""
        if self.schema.task == "regression":
            return Scores(np.asarray(self.pipeline.predict(aligned), dtype=np.float64))
        probabilities = np.asarray(self.pipeline.predict_proba(aligned), dtype=np.float64)
        return Scores(decide(probabilities, self.schema.threshold), probabilities)


def decide(probabilities: np.ndarray, threshold: float | None) -> np.ndarray:
    """Return the chosen class per row: the second one from `threshold` on, else the most probable."""
    if probabilities.shape[1] == 2 and threshold is not None:
        return (probabilities[:, 1] >= threshold).astype(np.int64)
    return probabilities.argmax(axis=1)
