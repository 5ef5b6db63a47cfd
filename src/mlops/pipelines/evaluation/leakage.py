"""Features that know too much: one column that tells the target by itself was usually written after it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlops.models.settings.group import TaskName
from mlops.pipelines.evaluation.ranking import area_under_roc
from mlops.pipelines.features.columns import distinct_values, is_text

SUSPICIOUS_SCORE = 0.98
_MAX_ROWS = 5_000
_MAX_LEAVES = 64


def single_feature_scores(
    aligned: pd.DataFrame, y: np.ndarray, task: TaskName, *, rng: np.random.Generator
) -> dict[str, float]:
    """Return how well each column alone tells the target: ROC-AUC (mean over the classes), or R2.

    A small tree is grown on one half of at most 5,000 rows and scored on the other, so that a column of many
    levels gains nothing by memory.

    Parameters
    ----------
    aligned
        Training rows in the model's form.
    y
        Positions of labels, or numbers.
    task
        Decides the score.
    rng
        Chooses the rows.
    """
    rows = rng.permutation(len(aligned))[:_MAX_ROWS]
    grow, judge = rows[::2], rows[1::2]
    if len(np.unique(y[grow])) < 2 or len(np.unique(y[judge])) < 2:
        return {}
    from sklearn import config_context  # noqa: PLC0415

    with config_context(skip_parameter_validation=True):  # as dear as the trees themselves, per column
        return {
            str(name): _score(_as_ordered(aligned[name], grow, y), y, grow, judge, task)
            for name in aligned.columns
        }


def leak_warnings(scores: dict[str, float], task: TaskName) -> list[str]:
    """Return a sentence for every column that tells the target almost perfectly."""
    score_name = "R2" if task == "regression" else "ROC-AUC"
    return [
        f"The column {name!r} alone predicts the target almost perfectly ({score_name} {score:.3f}): "
        "check that it is known before the outcome, and exclude it if not."
        for name, score in scores.items()
        if score > SUSPICIOUS_SCORE
    ]


def _as_ordered(column: pd.Series, grow: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return numbers as they are, and levels as the mean target of their rows in the growing half."""
    if not is_text(column):
        return column.to_numpy(dtype=np.float64)
    codes, levels = distinct_values(column)
    codes = np.where(codes < 0, len(levels), codes)
    counts = np.bincount(codes[grow], minlength=len(levels) + 1)
    sums = np.bincount(codes[grow], weights=y[grow].astype(np.float64), minlength=len(levels) + 1)
    with np.errstate(invalid="ignore"):
        means = sums / counts
    return np.asarray(means[codes])


def _score(values: np.ndarray, y: np.ndarray, grow: np.ndarray, judge: np.ndarray, task: TaskName) -> float:
    from sklearn.metrics import r2_score  # noqa: PLC0415
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor  # noqa: PLC0415

    kind = DecisionTreeRegressor if task == "regression" else DecisionTreeClassifier
    tree = kind(max_leaf_nodes=_MAX_LEAVES, min_samples_leaf=3, random_state=0)
    tree.fit(values[grow, None], y[grow])
    if task == "regression":
        of_tree = float(r2_score(y[judge], tree.predict(values[judge, None])))
        return max(0.0, of_tree, _squared_correlation(values[judge], y[judge]))
    probabilities = tree.predict_proba(values[judge, None])
    labels = list(enumerate(tree.classes_))
    areas = [
        area_under_roc(y[judge] == label, probabilities[:, position])
        for position, label in (labels[1:] if task == "binary" else labels)  # both areas of two are the same
        if (y[judge] == label).any()
    ]
    return float(np.mean(areas))


def _squared_correlation(values: np.ndarray, y: np.ndarray) -> float:
    """Return the R2 of a straight line, which a tree of few leaves only comes near to."""
    known = np.isfinite(values)
    if known.sum() < len(values) / 2 or np.ptp(values[known]) == 0.0 or np.ptp(y[known]) == 0.0:
        return 0.0
    return float(np.corrcoef(values[known], y[known])[0, 1] ** 2)
