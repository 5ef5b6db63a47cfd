"""What single columns say of the target: permutation importance, and leaks, which predict it alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from mlops.dataset.table.values import distinct_values, is_text, with_values
from mlops.models.concern import POSSIBLE_LEAK, SUSPICIOUS_SCORE, Concern
from mlops.models.settings.group import TaskName
from mlops.pipelines.artifacts.model import Model, Scores, cells_of
from mlops.pipelines.compiled.cells import take_cells
from mlops.pipelines.evaluation.scores import area_under_roc, primary_score

_MAX_FEATURES = 100
_MAX_SHUFFLED_ROWS = 1_000
_REPEATS = (2, 5)
_MAX_SCORED_ROWS = 100_000
_MAX_TREE_ROWS = 5_000
_MAX_LEAVES = 64


def permutation_importance(
    model: Model,
    aligned: pd.DataFrame,
    y: np.ndarray,
    promise: Mapping[str, float],
    *,
    rng: np.random.Generator,
) -> dict[str, float]:
    """Return the mean loss of the primary score by feature, never below 0, the most important first.

    Measured on at most 1,000 held-out rows. Every column is shuffled five times, or of many columns each so
    often that 100,000 rows are scored in all, but twice at least. Of more than 100 features only the 100 that
    promise most are shuffled; the others count as 0.

    Parameters
    ----------
    model
        The fitted model.
    aligned, y
        Held-out rows in the model's form, and their truth.
    promise
        A score per feature that says which to look at first.
    rng
        Source of the shuffling.
    """
    rows = np.sort(rng.permutation(len(aligned))[:_MAX_SHUFFLED_ROWS])
    sample, truth = aligned.iloc[rows].reset_index(drop=True), y[rows]
    names = sorted(map(str, aligned.columns), key=lambda name: -promise.get(name, 0.0))[:_MAX_FEATURES]
    base = _primary(model, sample, truth)
    losses = dict.fromkeys(map(str, aligned.columns), 0.0)
    few, many = _REPEATS
    n_repeats = min(many, max(few, _MAX_SCORED_ROWS // (len(names) * len(sample))))
    score_with = _scorer(model, pd.concat([sample] * n_repeats, ignore_index=True))
    for name in names:
        scores = score_with(name, np.concatenate([rng.permutation(len(sample)) for _ in range(n_repeats)]))
        parts = np.split(np.arange(n_repeats * len(sample)), n_repeats)
        shuffled = [primary_score(model.schema.task, truth, scores.take(part)) or 0.0 for part in parts]
        losses[name] = max(0.0, base - float(np.mean(shuffled)))
    return dict(sorted(losses.items(), key=lambda entry: -entry[1]))


def _scorer(model: Model, repeated: pd.DataFrame) -> Callable[[str, np.ndarray], Scores]:
    """Return what scores all repeats at once, with the cells of one column taken by these positions.

    Of a compiled model only that column is looked at again: to take thousands of others out of a frame costs
    more than to score the rows.
    """
    compiled = model.compiled
    if compiled is None:
        return lambda name, rows: model.score_aligned(
            with_values(repeated, name, repeated[name].array.take(rows))
        )
    cells = cells_of(repeated)
    return lambda name, rows: model.score_cells(compiled, {**cells, name: take_cells(cells[name], rows)})


def _primary(model: Model, sample: pd.DataFrame, truth: np.ndarray) -> float:
    return primary_score(model.schema.task, truth, model.score_aligned(sample)) or 0.0


def single_feature_scores(
    aligned: pd.DataFrame, y: np.ndarray, task: TaskName, *, rng: np.random.Generator
) -> dict[str, float]:
    """Return how well each column alone predicts the target: ROC-AUC (mean over the classes), or R2.

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
    rows = rng.permutation(len(aligned))[:_MAX_TREE_ROWS]
    grow, judge = rows[::2], rows[1::2]
    if len(np.unique(y[grow])) < 2 or len(np.unique(y[judge])) < 2:
        return {}
    from sklearn import config_context

    with config_context(skip_parameter_validation=True):  # as dear as the trees themselves, per column
        return {
            str(name): _score(_as_ordered(aligned[name], grow, y), y, grow, judge, task)
            for name in aligned.columns
        }


def possible_leaks(scores: Mapping[str, float], task: TaskName) -> tuple[Concern, ...]:
    """Return a concern for every column that alone predicts the target almost perfectly."""
    score_name = "R2" if task == "regression" else "ROC-AUC"
    return tuple(
        Concern(
            POSSIBLE_LEAK,
            f"{name} gives the answer away",
            f"The column {name!r} alone predicts the target almost perfectly ({score_name} {score:.3f}): "
            "check that it is known before the outcome, and exclude it if not.",
            column=name,
        )
        for name, score in scores.items()
        if score > SUSPICIOUS_SCORE
    )


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
    from sklearn.metrics import r2_score
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

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
    is_finite = np.isfinite(values)
    if is_finite.sum() < len(values) / 2 or np.ptp(values[is_finite]) == 0.0 or np.ptp(y[is_finite]) == 0.0:
        return 0.0
    return float(np.corrcoef(values[is_finite], y[is_finite])[0, 1] ** 2)
