"""A multivariate check: can a classifier separate the rows of a file from those of the training?

Profiles show single columns. Changed combinations of values, such as a dose that no longer goes with the
weight, need rows: a classifier learns which of two files a row is from, and is judged on rows that it has not
learned from. It finds none where both files have the same distribution.

Reference: Lopez-Paz and Oquab, Revisiting classifier two-sample tests, ICLR 2017.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mlops.dataset.table.values import as_texts
from mlops.models.drift.report import DomainClassification
from mlops.models.errors import DriftError
from mlops.monitoring.profiles.categorical import kind_of, numbers_of
from mlops.monitoring.quality.class_scores import roc_auc
from mlops.monitoring.quality.counts import ClassCounts
from mlops.monitoring.verdict.rule import MIN_ROWS
from mlops.pages.number_format import counted

MAX_ROWS = 5_000  # of each side
_N_FOLDS = 5
_MAX_LEVELS = 50


def classify_domains(
    reference: pd.DataFrame, current: pd.DataFrame, features: Sequence[str], *, rng: np.random.Generator
) -> DomainClassification:
    """Return how well held-out rows of both sides are separated, and by which features.

    At most 5,000 rows of each side are drawn. The score is the area under the ROC curve over five folds, with
    the interval of DeLong; what a feature adds is what the area loses when its values are shuffled.

    Parameters
    ----------
    reference, current
        The rows to compare, with the features as columns; those that a side lacks are left out.
    rng
        Source of the draws.

    Raises
    ------
    DriftError
        If a side has fewer than 100 rows, or both have no feature in common.
    """
    sides = [_some(side, rng) for side in (reference, current)]
    if (n_rows := min(map(len, sides))) < MIN_ROWS:
        raise DriftError(f"A file has {counted(n_rows, 'row')}; a comparison needs at least {MIN_ROWS}.")
    shared = [name for name in features if all(name in side for side in sides)]
    if not shared:
        raise DriftError("The two files have no feature in common.")
    rows = np.column_stack([_numbers(*(side[name] for side in sides)) for name in shared])
    is_current = np.repeat([0, 1], [len(side) for side in sides])
    chances, losses = _cross_fitted(rows, is_current, rng)
    area = roc_auc(_counts(is_current, chances))
    if area is None or area.interval is None:
        raise DriftError("The rows of the two files cannot be compared.")
    ranked = sorted(zip(shared, losses.tolist(), strict=True), key=lambda entry: -entry[1])
    effects = {name: loss for name, loss in ranked if loss > 0.0}
    return DomainClassification(area.value, area.interval, len(sides[0]), len(sides[1]), effects)


def _some(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    if len(rows) <= MAX_ROWS:
        return rows
    return rows.iloc[np.sort(rng.choice(len(rows), MAX_ROWS, replace=False))]


def _numbers(reference: pd.Series, current: pd.Series) -> np.ndarray:
    """Return a column of both sides as numbers; categories by how frequent they are, the rare ones as one."""
    if kind_of(reference) == "numeric":
        return np.concatenate([numbers_of(side)[0].astype(np.float64) for side in (reference, current)])
    texts = pd.concat([as_texts(side).astype(object) for side in (reference, current)], ignore_index=True)
    places = {level: place for place, level in enumerate(texts.value_counts().index[:_MAX_LEVELS])}
    codes: np.ndarray = texts.map(places).fillna(_MAX_LEVELS).to_numpy(dtype=np.float64)
    return np.where(texts.isna().to_numpy(), np.nan, codes)


def _cross_fitted(
    rows: np.ndarray, is_current: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the chance that each row is a current one, by a model of other rows; and the losses."""
    # scikit-learn takes a second to load: only this check needs it
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold

    seed = int(rng.integers(2**31))
    chances, losses = np.zeros(len(rows)), np.zeros(rows.shape[1])
    for train, test in StratifiedKFold(_N_FOLDS, shuffle=True, random_state=seed).split(rows, is_current):
        model = HistGradientBoostingClassifier(
            max_iter=60, max_leaf_nodes=8, min_samples_leaf=20, early_stopping=False, random_state=seed
        ).fit(rows[train], is_current[train])
        chances[test] = model.predict_proba(rows[test])[:, 1]
        area = roc_auc_score(is_current[test], chances[test])
        for place in range(rows.shape[1]):
            shuffled = rows[test].copy()
            shuffled[:, place] = rng.permutation(shuffled[:, place])
            loss = area - roc_auc_score(is_current[test], model.predict_proba(shuffled)[:, 1])
            losses[place] += loss / _N_FOLDS
    return chances, losses


def _counts(is_current: np.ndarray, chances: np.ndarray) -> ClassCounts:
    _, bins = np.unique(chances, return_inverse=True)
    ones = np.ones(len(chances))
    columns = (is_current, is_current, bins, ones, chances, chances**2)
    return ClassCounts.of_columns([column.astype(np.float64) for column in columns])
