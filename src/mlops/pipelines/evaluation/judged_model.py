"""What the held-out rows say of a fitted model: scores, curves, importance, and the champion beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mlops.models.evaluation import EvaluationDetails
from mlops.models.training import ChampionComparison, EvaluationMetrics
from mlops.pipelines.artifacts.model import Model
from mlops.pipelines.evaluation.champion import Champion, compare_with_champion
from mlops.pipelines.evaluation.evaluation import dummy_scores, evaluate, over_labels
from mlops.pipelines.evaluation.evaluation_details import describe_evaluation
from mlops.pipelines.evaluation.importance import permutation_importance
from mlops.pipelines.evaluation.leakage import leak_warnings, single_feature_scores
from mlops.pipelines.features.training_rows import TrainingRows


@dataclass(frozen=True, slots=True)
class JudgedModel:
    """The evidence of one model; `importance` is by feature, `leaks` are sentences."""

    metrics: EvaluationMetrics
    details: EvaluationDetails
    importance: Mapping[str, float]
    leaks: tuple[str, ...]
    comparison: ChampionComparison | None


def judge_model(rows: TrainingRows, model: Model, champion: Champion | None) -> JudgedModel:
    """Score the model on the held-out rows, and the champion on the same ones."""
    problem, split = rows.problem, rows.split
    aligned, y, members = rows.aligned[split.test], problem.y[split.test], split.members[split.test]
    y_train = problem.y[split.train]
    # a stream each, so that a champion's presence changes none of the other numbers
    of_metrics, of_leaks, of_importance, of_details, of_champion = np.random.default_rng(
        rows.settings.seed
    ).spawn(5)
    scores = over_labels(model.score_aligned(aligned), len(problem.labels))
    metrics = evaluate(
        problem,
        y,
        scores,
        dummy_scores(problem, y_train, len(y)),
        members=members,
        threshold=model.schema.threshold,
        rng=of_metrics,
    )
    alone = single_feature_scores(rows.aligned[split.train], y_train, problem.task, rng=of_leaks)
    importance = permutation_importance(model, aligned, y, alone, rng=of_importance)
    return JudgedModel(
        metrics,
        describe_evaluation(problem, y, scores, aligned, importance, members=members, rng=of_details),
        importance,
        tuple(leak_warnings(alone, problem.task)),
        compare_with_champion(champion, rows, scores, rng=of_champion) if champion else None,
    )
