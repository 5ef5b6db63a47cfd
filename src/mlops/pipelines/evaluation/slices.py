"""How good a model is on slices of the held-out rows: the worst of features, and those of the settings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mlops.models.evaluation import SliceQuality, SliceScore, SliceTable
from mlops.models.training import EvaluationMetrics
from mlops.pipelines.evaluation.judged_rows import JudgedRows
from mlops.pipelines.evaluation.scores import PRIMARY
from mlops.pipelines.features.slicing import sliced_columns, slices_by_column, slices_of
from mlops.pipelines.features.training_rows import TrainingRows

MAX_SLICES = 8
MIN_SLICE_ROWS = 30
_MAX_SLICED_FEATURES = 30
_MAX_FEATURE_LEVELS = 20
_MAX_SLICE_ROWS = 5_000  # to find the worst; those are then scored on all of their rows
_N_WORST_RESAMPLES = 100


def worst_slices(
    judged: JudgedRows, aligned: pd.DataFrame, columns: Sequence[str], rng: np.random.Generator
) -> tuple[SliceScore, ...]:
    """Return the slices of features in which the model is worst, the worst first.

    Parameters
    ----------
    judged, aligned
        The held-out rows, and their features.
    columns
        The features, the most important first; 30 are looked at.
    rng
        Source of the draws.
    """
    candidates = []
    for column in columns[:_MAX_SLICED_FEATURES]:
        cells = aligned[column]
        for value, mask in slices_of(cells, cells, max_levels=_MAX_FEATURE_LEVELS):
            rows = np.flatnonzero(mask)
            if not MIN_SLICE_ROWS <= len(rows) < len(judged.y):
                continue
            some = rows if len(rows) <= _MAX_SLICE_ROWS else rng.choice(rows, _MAX_SLICE_ROWS, replace=False)
            score = judged.take(some).primary_score()
            if score is not None:
                candidates.append((score, column, value, judged.take(rows)))
    worst = sorted(candidates, key=lambda entry: entry[0])[:MAX_SLICES]
    return tuple(_slice_score(column, value, part, rng) for _, column, value, part in worst)


def _slice_score(column: str, value: str, part: JudgedRows, rng: np.random.Generator) -> SliceScore:
    interval = part.primary_interval(rng, _N_WORST_RESAMPLES)
    return SliceScore(column, value, len(part.y), part.primary_score() or 0.0, interval)


def slice_table(
    rows: TrainingRows, judged: JudgedRows, metrics: EvaluationMetrics, rng: np.random.Generator
) -> SliceTable | None:
    """Return the quality on each slice of the columns that the settings name; None without such columns.

    Parameters
    ----------
    rows
        All rows; the training rows decide on levels and quartiles.
    judged, metrics
        The held-out rows, and how good the model is on them.
    rng
        Source of the bootstrap draws.
    """
    columns = sliced_columns(rows.table, rows.settings)
    if not columns:
        return None
    test, primary = rows.split.test, PRIMARY[judged.task]
    score, interval = metrics.values().get(primary), metrics.intervals.get(primary)
    slices = tuple(
        _quality(column, value, judged.take(mask[test]), rng)
        for column in columns
        for value, mask in slices_by_column(rows.table, column, rows.split.train)
    )
    return SliceTable(SliceQuality("", "all rows", len(judged.y), score, interval, *_rates(judged)), slices)


def _quality(column: str, value: str, part: JudgedRows, rng: np.random.Generator) -> SliceQuality:
    if len(part.y) < MIN_SLICE_ROWS:
        return SliceQuality(column, value, len(part.y))
    score = part.primary_score()
    has_interval = score is not None and len(np.unique(part.members)) > 1
    interval = part.primary_interval(rng) if has_interval else None
    return SliceQuality(column, value, len(part.y), score, interval, *_rates(part))


def _rates(part: JudgedRows) -> tuple[float, float, float | None]:
    """Return mean prediction, mean of what came true, and of two classes the share predicted positive."""
    probabilities = part.scores.probabilities
    if probabilities is None:
        return float(part.scores.predicted.mean()), float(part.y.mean()), None
    if part.task == "binary":
        selected = float((part.scores.predicted == 1).mean())
        return float(probabilities[:, 1].mean()), float((part.y == 1).mean()), selected
    is_right = probabilities.argmax(axis=1) == part.y
    return float(probabilities.max(axis=1).mean()), float(is_right.mean()), None
