"""What a model says of some rows, as columns that drift is looked for in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mlops.dataset.table.values import categories
from mlops.models.output_columns import PREDICTION_COLUMN, PROBABILITY_PREFIX
from mlops.pipelines.artifacts.model import Scores

# beyond, the predicted class alone says what changed, and a baseline stays small
MAX_PROBABILITIES = 20


def output_frame(scores: Scores, labels: Sequence[str]) -> pd.DataFrame:
    """Return the prediction, and for classes their probabilities, under the names of a predictions file.

    Of two classes the probability of the second one says all. Numbers have the digits of 32 bits: those
    beyond are noise of the platform, which would move equal predictions to another bin.
    """
    if scores.probabilities is None:
        return pd.DataFrame({PREDICTION_COLUMN: _rounded(scores.predicted)})
    codes = scores.predicted.astype(np.intp)
    columns: dict[str, object] = {
        PREDICTION_COLUMN: pd.Categorical.from_codes(codes, categories(list(labels)))
    }
    first = 1 if len(labels) == 2 else 0
    if len(labels) <= MAX_PROBABILITIES:
        for place in range(first, len(labels)):
            columns[PROBABILITY_PREFIX + labels[place]] = _rounded(scores.probabilities[:, place])
    return pd.DataFrame(columns)


def _rounded(numbers: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return numbers.astype(np.float32).astype(np.float64)
