"""How good a model is on held-out rows: intervals, curves, importance, leaks, dummy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mlops.models.evaluation import EvaluationDetails
from mlops.models.training import EvaluationMetrics
from mlops.pipelines.artifacts.model import Model, Scores
from mlops.pipelines.evaluation.bootstrap import bootstrap_intervals, resampled_scores
from mlops.pipelines.evaluation.evaluation_details import (
    class_calibration,
    describe_evaluation,
    expected_calibration_error,
)
from mlops.pipelines.evaluation.heavy_tails import rmse_interval
from mlops.pipelines.evaluation.importance import (
    leak_warnings,
    permutation_importance,
    single_feature_scores,
)
from mlops.pipelines.evaluation.scores import PRIMARY, compute_scores
from mlops.pipelines.evaluation.slices import slice_table
from mlops.pipelines.features.task import Problem
from mlops.pipelines.features.training_rows import TrainingRows


@dataclass(frozen=True, slots=True)
class EvaluatedModel:
    """A model's scores of the held-out rows; `importance` is by feature, `leaks` are sentences."""

    scores: Scores
    metrics: EvaluationMetrics
    details: EvaluationDetails
    importance: Mapping[str, float]
    leaks: tuple[str, ...]


def evaluate_model(rows: TrainingRows, model: Model) -> EvaluatedModel:
    """Score the model on the held-out rows."""
    problem, split = rows.problem, rows.split
    aligned, y, members = rows.aligned[split.test], problem.y[split.test], split.members[split.test]
    y_train = problem.y[split.train]
    # the fifth stream is that of the comparison with the champion
    of_metrics, of_leaks, of_importance, of_details, _, of_slices = np.random.default_rng(
        rows.settings.seed
    ).spawn(6)
    scores = model.score_aligned(aligned).over_labels(len(problem.labels))
    metrics = evaluate(
        problem,
        y,
        scores,
        dummy_scores(problem, y_train, len(y)),
        members=members,
        threshold=model.schema.calibrated_threshold,
        rng=of_metrics,
    )
    calibration = model.schema.calibration
    metrics = replace(metrics, calibration_gain=calibration.log_loss_gain if calibration else None)
    alone = single_feature_scores(rows.aligned[split.train], y_train, problem.task, rng=of_leaks)
    leaks = tuple(leak_warnings(alone, problem.task))
    importance = permutation_importance(model, aligned, y, alone, rng=of_importance)
    details = describe_evaluation(problem, y, scores, aligned, importance, members=members, rng=of_details)
    details = replace(details, slice_table=slice_table(rows, scores, metrics, of_slices))
    return EvaluatedModel(scores, metrics, details, importance, leaks)


def evaluate(
    problem: Problem,
    y_test: np.ndarray,
    scores: Scores,
    dummy: Scores,
    *,
    members: np.ndarray,
    threshold: float | None,
    rng: np.random.Generator,
) -> EvaluationMetrics:
    """Score the held-out rows.

    Parameters
    ----------
    problem
        Task and labels.
    y_test
        Truth of the held-out rows, shape (n,).
    scores, dummy
        What the model and the dummy model say of them.
    members
        The person or group of each held-out row, for the intervals.
    threshold
        The threshold of a binary model, for the record.
    rng
        Source of the bootstrap draws.
    """
    task = problem.task
    values: dict[str, Any] = {**compute_scores(task, y_test, scores), **_of_intervals(y_test, scores)}
    intervals = bootstrap_intervals(
        lambda rows: resampled_scores(task, y_test[rows], scores.take(rows)), members, rng
    )
    if task == "regression" and (ends := rmse_interval(y_test - scores.predicted, members, rng)):
        intervals["neg_root_mean_squared_error"] = (-ends[1], -ends[0])
    return EvaluationMetrics(
        **values,
        task=task,
        n_rows=len(y_test),
        primary=PRIMARY[task],
        intervals=intervals,
        dummy=compute_scores(task, y_test, dummy),
        threshold=threshold,
        expected_calibration_error=expected_calibration_error(class_calibration(problem, y_test, scores)),
        positive_label=problem.positive_label,
        labels=problem.labels,
        confusion_matrix=_confusion_matrix(problem, y_test, scores.predicted),
    )


def dummy_scores(problem: Problem, y_train: np.ndarray, n_rows: int) -> Scores:
    """Return what a model says that only knows how the target is spread in the training rows."""
    from sklearn.dummy import DummyClassifier, DummyRegressor  # noqa: PLC0415

    nothing, rows = np.zeros((len(y_train), 1)), np.zeros((n_rows, 1))
    if problem.task == "regression":
        return Scores(DummyRegressor().fit(nothing, y_train).predict(rows))
    fitted = DummyClassifier(strategy="prior").fit(nothing, y_train)
    probabilities = np.zeros((n_rows, len(problem.labels)))
    probabilities[:, fitted.classes_] = fitted.predict_proba(rows)
    return Scores(fitted.predict(rows), probabilities)


def _of_intervals(y_test: np.ndarray, scores: Scores) -> dict[str, float]:
    """Return which share of the true numbers is in its interval, and how wide these are."""
    low, high = scores.interval_low, scores.interval_high
    if low is None or high is None:
        return {}
    is_inside = (low <= y_test) & (y_test <= high)
    return {
        "interval_coverage": float(is_inside.mean()),
        "mean_interval_width": float((high - low).mean()),
    }


def _confusion_matrix(
    problem: Problem, y_test: np.ndarray, predicted: np.ndarray
) -> tuple[tuple[int, ...], ...]:
    if problem.task == "regression":
        return ()
    from sklearn.metrics import confusion_matrix  # noqa: PLC0415

    counts = confusion_matrix(y_test, predicted, labels=np.arange(len(problem.labels)))
    return tuple(tuple(int(count) for count in row) for row in counts)
