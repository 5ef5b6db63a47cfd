"""The classes in which two models are compared, when one of them learned rare classes as one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlops.pipelines.artifacts.model import ModelSchema, Scores
from mlops.pipelines.features.task import Problem


@dataclass(frozen=True, slots=True)
class SharedLabels:
    """The labels of the comparison, and by position in the labels of either model the position in them."""

    labels: tuple[str, ...]
    ours: np.ndarray
    theirs: np.ndarray


def share_labels(problem: Problem, champion: ModelSchema) -> SharedLabels | None:
    """Return the labels in which a candidate and a champion are compared; None when they have other classes.

    A class that one of the two learned as part of `other` is part of it for both. A class of the champion
    that is too rare for the candidate has no row here, and counts as a mistake.
    """
    if problem.task == "binary":
        same = champion.labels == problem.labels
        places = np.arange(len(problem.labels))
        return SharedLabels(problem.labels, places, places) if same else None
    plan = problem.classes
    pooled = {**champion.pooled_labels, **dict.fromkeys(plan.pooled, plan.other)}
    ours = [pooled.get(label, label) for label in problem.labels]
    theirs = [pooled.get(label, label) for label in champion.labels]
    labels = tuple(dict.fromkeys((*ours, *(label for label in theirs if label in plan.dropped))))
    if not set(theirs) <= set(labels):
        return None
    return SharedLabels(
        labels,
        np.array([labels.index(label) for label in ours], dtype=np.int64),
        np.array([labels.index(label) for label in theirs], dtype=np.int64),
    )


def rewritten(scores: Scores, places: np.ndarray, n_labels: int) -> Scores:
    """Return scores over the shared labels; the probabilities of classes that became one are added up."""
    if scores.probabilities is None:
        return scores
    probabilities = np.zeros((len(scores.predicted), n_labels))
    np.add.at(probabilities.T, places, scores.probabilities.T)
    return Scores(places[scores.predicted], probabilities)
