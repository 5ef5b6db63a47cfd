"""The scores of each task, as declared and as computed."""

from __future__ import annotations

import numpy as np
import pytest

from mlops.models.group_settings import TaskName
from mlops.models.training import SCORE_NAMES, SCORES_OF_TASK
from mlops.pipelines.model import Scores
from mlops.pipelines.scores import compute_scores


@pytest.mark.parametrize(("task", "n_classes"), [("binary", 2), ("multiclass", 3), ("regression", 0)])
def test_the_scores_that_are_declared_of_a_task_are_those_computed(task: TaskName, n_classes: int) -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, n_classes, 60) if n_classes else rng.normal(size=60)
    probabilities = rng.dirichlet(np.ones(n_classes), 60) if n_classes else None
    found = compute_scores(task, truth, Scores(truth[::-1].copy(), probabilities))
    assert set(found) & set(SCORE_NAMES) == set(SCORES_OF_TASK[task])
