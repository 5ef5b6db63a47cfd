"""How much of the change in the predictions of a file each column explains, by asking the model.

A model has no training rows, but how each column was distributed. So each column in turn gets values
as in training, and the model predicts the rows again: what the mean prediction changes by is the effect of
the column. Columns that changed together, or act together, leave a rest that no single column explains.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlops.dataset.table.values import with_values
from mlops.models.drift.profiles import BaselineStatistics, FeatureProfile
from mlops.models.drift.report import PredictionChange
from mlops.pipelines.artifacts.model import Model, with_made_features
from mlops.pipelines.scoring.output_frame import output_frame

MAX_ROWS = 2_000
_DEVIATIONS = 3.0  # of the mean effect; smaller ones are chance


def explain_prediction_change(
    model: Model, frame: pd.DataFrame, baseline: BaselineStatistics, *, rng: np.random.Generator
) -> PredictionChange | None:
    """Return the effect of each column on the mean prediction of at most 2,000 rows of the file.

    The output is the predicted number, the probability of the second class, or of more classes the
    probability that changed most. None without rows, or without the predictions of held-out rows.

    Raises
    ------
    DatasetError
        If a column that the model needs is absent.
    """
    before = {name: output.mean for name, output in baseline.outputs.items() if output.mean is not None}
    rows = with_made_features(frame, model.schema)
    if not before or not len(rows):
        return None
    if len(rows) > MAX_ROWS:
        rows = rows.iloc[np.sort(rng.choice(len(rows), MAX_ROWS, replace=False))]
    now = _outputs(model, rows)
    name = max(before, key=lambda each: abs(float(now[each].to_numpy().mean()) - before[each]))
    effects = {}
    for feature in model.schema.feature_names:
        if feature in baseline.features:
            values = _values_as_in_training(baseline.features[feature], len(rows), rng)
            changed = _outputs(model, with_values(rows, feature, values))
            difference = now[name].to_numpy() - changed[name].to_numpy()
            effect = float(difference.mean())
            if abs(effect) > _DEVIATIONS * float(difference.std()) / np.sqrt(len(rows)):
                effects[feature] = effect
    ranked = sorted(effects, key=lambda each: -abs(effects[each]))
    return PredictionChange(
        name, before[name], float(now[name].mean()), len(rows), {each: effects[each] for each in ranked}
    )


def _outputs(model: Model, rows: pd.DataFrame) -> pd.DataFrame:
    return output_frame(model.score(rows)[0], model.schema.labels)


def _values_as_in_training(profile: FeatureProfile, n_rows: int, rng: np.random.Generator) -> np.ndarray:
    """Draw values with the shares of the bins of training, and as many missing ones."""
    counts = np.array([*profile.counts, profile.n_missing], dtype=np.float64)
    bins = rng.choice(len(counts), n_rows, p=counts / counts.sum())
    is_missing = bins == len(profile.counts)
    if profile.kind == "numeric":
        low, high = profile.minimum or 0.0, profile.maximum or 0.0
        ends = np.clip([-np.inf, *profile.edges, np.inf, np.inf], low, high)
        # bins are right-closed: one of a single value ends with it
        values = ends[bins + 1] - rng.random(n_rows) * (ends[bins + 1] - ends[bins])
        return np.where(is_missing, np.nan, values)
    others: list[str | None] = [*profile.rare_levels] or [None]
    levels = np.array([*profile.levels, None, None], dtype=object)[bins]
    is_other = bins == len(profile.levels)
    levels[is_other] = np.array(others, dtype=object)[rng.integers(len(others), size=int(is_other.sum()))]
    return levels
