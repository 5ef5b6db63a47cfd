"""How good a model is on held-out rows: intervals, curves, importance, leaks, dummy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mlops.models.concern import Concern
from mlops.models.evaluation import EvaluationDetails
from mlops.models.settings.group import GroupSettings
from mlops.models.training import EvaluationMetrics, Interval
from mlops.monitoring.quality.calibration import expected_calibration_error
from mlops.pipelines.artifacts.model import Model, Scores
from mlops.pipelines.evaluation.evaluation_details import class_calibration, describe_evaluation
from mlops.pipelines.evaluation.heavy_tails import rmse_interval
from mlops.pipelines.evaluation.importance import (
    permutation_importance,
    possible_leaks,
    single_feature_scores,
)
from mlops.pipelines.evaluation.judged_rows import JudgedRows
from mlops.pipelines.evaluation.scores import PRIMARY, compute_scores
from mlops.pipelines.evaluation.slices import slice_table
from mlops.pipelines.features.task import Problem
from mlops.pipelines.features.training_rows import TrainingRows


@dataclass(frozen=True, slots=True)
class EvaluatedModel:
    """A model's answers to the held-out rows; `importance` is by feature, `leaks` are sentences."""

    judged: JudgedRows
    metrics: EvaluationMetrics
    details: EvaluationDetails
    importance: Mapping[str, float]
    leaks: tuple[Concern, ...]


def evaluate_model(rows: TrainingRows, model: Model) -> EvaluatedModel:
    """Score the model on the held-out rows."""
    problem, split = rows.problem, rows.split
    # the fifth stream is that of the comparison with the champion
    of_metrics, of_leaks, of_importance, of_details, _, of_slices = np.random.default_rng(
        rows.settings.seed
    ).spawn(6)
    aligned, y_train = rows.aligned[split.test], problem.y[split.train]
    scores = model.score_aligned(aligned).over_labels(len(problem.labels))
    judged = JudgedRows(problem, problem.y[split.test], scores, split.members[split.test])
    metrics = evaluate(
        judged,
        dummy_scores(problem, y_train, len(judged.y)),
        threshold=model.schema.calibrated_threshold,
        rng=of_metrics,
    )
    calibration = model.schema.calibration
    mean_cost, of_most_probable = _mean_costs(judged, rows.settings)
    metrics = replace(
        metrics,
        calibration_gain=calibration.log_loss_gain if calibration else None,
        mean_cost=mean_cost,
        mean_cost_of_most_probable=of_most_probable,
    )
    alone = single_feature_scores(rows.aligned[split.train], y_train, problem.task, rng=of_leaks)
    importance = permutation_importance(model, aligned, judged.y, alone, rng=of_importance)
    details = describe_evaluation(judged, aligned, importance, of_details)
    details = replace(details, slice_table=slice_table(rows, judged, metrics, of_slices))
    return EvaluatedModel(judged, metrics, details, importance, possible_leaks(alone, problem.task))


def evaluate(
    judged: JudgedRows, dummy: Scores, *, threshold: float | None, rng: np.random.Generator
) -> EvaluationMetrics:
    """Score the held-out rows.

    Parameters
    ----------
    judged
        The predictions of the model for them, and the truth.
    dummy
        The predictions of the dummy model for them.
    threshold
        The threshold of a binary model, for the record.
    rng
        Source of the bootstrap draws.
    """
    task, y, problem = judged.task, judged.y, judged.problem
    values: dict[str, Any] = {
        **compute_scores(task, y, judged.scores),
        **_of_intervals(judged),
        **_of_sets(judged),
    }
    return EvaluationMetrics(
        **values,
        task=task,
        n_rows=len(y),
        primary=PRIMARY[task],
        intervals=_intervals(judged, rng),
        dummy=compute_scores(task, y, dummy),
        threshold=threshold,
        expected_calibration_error=expected_calibration_error(class_calibration(judged)),
        positive_label=problem.positive_label,
        labels=problem.labels,
        confusion_matrix=_confusion_matrix(judged),
    )


def _mean_costs(judged: JudgedRows, settings: GroupSettings) -> tuple[float | None, float | None]:
    """Return what a held-out row costs, and what it would with the most probable class."""
    probabilities, labels = judged.scores.probabilities, judged.problem.labels
    stated = (
        settings.classes.cost_matrix(labels)
        if judged.task == "multiclass"
        else settings.threshold.costs and settings.threshold.costs.matrix
    )
    if stated is None or probabilities is None:
        return None, None
    costs, most_probable = np.array(stated), probabilities.argmax(axis=1)
    return float(costs[judged.y, judged.scores.predicted].mean()), float(
        costs[judged.y, most_probable].mean()
    )


def _intervals(judged: JudgedRows, rng: np.random.Generator) -> dict[str, Interval]:
    """Return the interval of every score; that of a root mean squared error allows for heavy tails."""
    intervals = judged.intervals(rng)
    if judged.task == "regression":
        ends = rmse_interval(judged.y - judged.scores.predicted, judged.members, rng)
        if ends is not None:
            intervals["neg_root_mean_squared_error"] = (-ends[1], -ends[0])
    return intervals


def dummy_scores(problem: Problem, y_train: np.ndarray, n_rows: int) -> Scores:
    """Return the predictions of a model that only knows the distribution of the target at training."""
    from sklearn.dummy import DummyClassifier, DummyRegressor

    nothing, rows = np.zeros((len(y_train), 1)), np.zeros((n_rows, 1))
    if problem.task == "regression":
        return Scores(DummyRegressor().fit(nothing, y_train).predict(rows))
    fitted = DummyClassifier(strategy="prior").fit(nothing, y_train)
    probabilities = np.zeros((n_rows, len(problem.labels)))
    probabilities[:, fitted.classes_] = fitted.predict_proba(rows)
    return Scores(fitted.predict(rows), probabilities)


def _of_intervals(judged: JudgedRows) -> dict[str, float]:
    """Return which share of the true numbers is in its interval, and how wide these are."""
    low, high = judged.scores.interval_low, judged.scores.interval_high
    if low is None or high is None:
        return {}
    is_inside = (low <= judged.y) & (judged.y <= high)
    return {
        "interval_coverage": float(is_inside.mean()),
        "mean_interval_width": float((high - low).mean()),
    }


def _of_sets(judged: JudgedRows) -> dict[str, Any]:
    """Return in which share of the rows of each class the set contains it, and how large the sets are."""
    in_set, labels = judged.scores.in_set, judged.problem.labels
    if in_set is None:
        return {}
    contains_truth = in_set[np.arange(len(judged.y)), judged.y]
    rows_of = {label: judged.y == place for place, label in enumerate(labels)}
    coverage = {label: float(contains_truth[rows].mean()) for label, rows in rows_of.items() if rows.any()}
    return {"set_coverage": coverage, "mean_set_size": float(in_set.sum(axis=1).mean())}


def _confusion_matrix(judged: JudgedRows) -> tuple[tuple[int, ...], ...]:
    if judged.task == "regression":
        return ()
    from sklearn.metrics import confusion_matrix

    labels = np.arange(len(judged.problem.labels))
    counts = confusion_matrix(judged.y, judged.scores.predicted, labels=labels)
    return tuple(tuple(int(count) for count in row) for row in counts)
