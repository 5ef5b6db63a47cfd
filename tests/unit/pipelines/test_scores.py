"""The scores of each task, as declared and as computed."""

from __future__ import annotations

import numpy as np
import pytest

from mlops.models.settings.group import TaskName
from mlops.models.training import SCORE_NAMES, SCORES_OF_TASK
from mlops.pipelines.artifacts.model import Scores
from mlops.pipelines.evaluation.scores import PRIMARY, compute_scores, primary_score


@pytest.mark.parametrize(("task", "n_classes"), [("binary", 2), ("multiclass", 3), ("regression", 0)])
def test_the_scores_that_are_declared_of_a_task_are_those_computed(task: TaskName, n_classes: int) -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, n_classes, 60) if n_classes else rng.normal(size=60)
    probabilities = rng.dirichlet(np.ones(n_classes), 60) if n_classes else None
    actual = compute_scores(task, truth, Scores(truth[::-1].copy(), probabilities))
    assert set(actual) & set(SCORE_NAMES) == set(SCORES_OF_TASK[task])


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_score_that_decides_alone_is_the_one_of_that_name(task: TaskName) -> None:
    rng = np.random.default_rng(1)
    n_classes = {"binary": 2, "multiclass": 3, "regression": 0}[task]
    truth = rng.integers(0, n_classes, 500) if n_classes else rng.normal(size=500)
    probabilities = rng.dirichlet(np.ones(n_classes), 500).round(2) if n_classes else None  # with ties
    scores = Scores(rng.permutation(truth), probabilities)
    assert primary_score(task, truth, scores) == pytest.approx(
        compute_scores(task, truth, scores)[PRIMARY[task]], rel=1e-12
    )
