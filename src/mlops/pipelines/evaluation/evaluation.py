"""How good a model is on held-out rows, with intervals, and beside a model that looks at nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlops.models.training import ChampionComparison, EvaluationMetrics, MetricComparison
from mlops.pipelines.artifacts.model import Scores
from mlops.pipelines.evaluation.bootstrap import ScoreRows, bootstrap_intervals
from mlops.pipelines.evaluation.evaluation_details import class_calibration, expected_calibration_error
from mlops.pipelines.evaluation.resampled_scores import resampled_scores
from mlops.pipelines.evaluation.scores import PRIMARY, compute_scores
from mlops.pipelines.features.task import Problem


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
        Whom each held-out row belongs to, for the intervals.
    threshold
        The threshold of a binary model, for the record.
    rng
        Source of the bootstrap draws.
    """
    task = problem.task
    found: dict[str, Any] = dict(compute_scores(task, y_test, scores))
    intervals = bootstrap_intervals(
        lambda rows: resampled_scores(task, y_test[rows], scores.take(rows)), members, rng
    )
    return EvaluationMetrics(
        **found,
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


def over_labels(scores: Scores, n_labels: int) -> Scores:
    """Give labels that the model has never seen the probability 0, as further columns."""
    if scores.probabilities is None or scores.probabilities.shape[1] == n_labels:
        return scores
    missing = n_labels - scores.probabilities.shape[1]
    return Scores(scores.predicted, np.pad(scores.probabilities, ((0, 0), (0, missing))))


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


def compare(
    problem: Problem,
    y_test: np.ndarray,
    candidate: Scores,
    champion: Scores,
    *,
    members: np.ndarray,
    rng: np.random.Generator,
    champion_version: str | None = None,
) -> ChampionComparison:
    """Compare two models on the same rows; the intervals are those of the paired differences."""
    task = problem.task

    def differences_among(rows: np.ndarray) -> ScoreRows:
        of_candidate = resampled_scores(task, y_test[rows], candidate.take(rows))
        of_champion = resampled_scores(task, y_test[rows], champion.take(rows))

        def differences(drawn: np.ndarray) -> dict[str, float]:
            one, other = of_candidate(drawn), of_champion(drawn)
            return {name: one[name] - other[name] for name in one if name in other}

        return differences

    ours = compute_scores(task, y_test, candidate)
    theirs = compute_scores(task, y_test, champion)
    intervals = bootstrap_intervals(differences_among, members, rng)
    return ChampionComparison(
        champion_version=champion_version,
        comparable=True,
        n_rows=len(y_test),
        metrics={
            name: MetricComparison(ours[name], theirs[name], ours[name] - theirs[name], interval)
            for name, interval in intervals.items()
        },
    )


def _confusion_matrix(
    problem: Problem, y_test: np.ndarray, predicted: np.ndarray
) -> tuple[tuple[int, ...], ...]:
    if problem.task == "regression":
        return ()
    from sklearn.metrics import confusion_matrix  # noqa: PLC0415

    counts = confusion_matrix(y_test, predicted, labels=np.arange(len(problem.labels)))
    return tuple(tuple(int(count) for count in row) for row in counts)
