"""Held-out rows with what a model says of them: what every part of an evaluation works on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlops.models.settings.group import TaskName
from mlops.models.training import Interval
from mlops.pipelines.artifacts.model import Scores
from mlops.pipelines.evaluation.bootstrap import N_RESAMPLES, bootstrap_intervals, resampled_scores
from mlops.pipelines.evaluation.scores import PRIMARY, primary_score
from mlops.pipelines.features.task import Problem


@dataclass(frozen=True, slots=True)
class JudgedRows:
    """Held-out rows: their truth, what the model says of them, and who belongs together.

    `problem` says what is predicted. `y`, `scores` and `members` (the person or group of each row, as
    integers) are of these rows alone.
    """

    problem: Problem
    y: np.ndarray
    scores: Scores
    members: np.ndarray

    @property
    def task(self) -> TaskName:
        """What is predicted."""
        return self.problem.task

    def take(self, rows: np.ndarray) -> JudgedRows:
        """Return some of the rows, by position or mask."""
        return JudgedRows(self.problem, self.y[rows], self.scores.take(rows), self.members[rows])

    def primary_score(self) -> float | None:
        """Return the score that decides, None where these rows define none."""
        return primary_score(self.task, self.y, self.scores)

    def intervals(self, rng: np.random.Generator, n_resamples: int = N_RESAMPLES) -> dict[str, Interval]:
        """Return the 95 % interval of every score that these rows define."""
        return bootstrap_intervals(
            lambda rows: resampled_scores(self.task, self.y[rows], self.scores.take(rows)),
            self.members,
            rng,
            n_resamples=n_resamples,
        )

    def primary_interval(self, rng: np.random.Generator, n_resamples: int = N_RESAMPLES) -> Interval:
        """Return the 95 % interval of the score that decides."""
        return self.intervals(rng, n_resamples)[PRIMARY[self.task]]
