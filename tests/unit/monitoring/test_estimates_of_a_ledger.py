"""Estimates from the predictions of a ledger hold the scores that scikit-learn computes from the outcomes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.estimates import held_truth
from benchmarks.estimates_periods import N_PERIODS, draw_periods, ours
from benchmarks.outputs import HeldOut
from benchmarks.training_quality import Case
from mlops.models.settings.group import TaskName
from mlops.pipelines.artifacts.model import Scores
from mlops.pipelines.evaluation.judged_rows import JudgedRows
from mlops.pipelines.features.task import Problem

N_ROWS = 4_000


def held_out(task: TaskName, rng: np.random.Generator) -> HeldOut:
    """Calibrated predictions of one number; of numbers the error follows the width of the interval."""
    x = rng.normal(0.8, 1.0, N_ROWS)
    if task == "regression":
        width = 4.0 * np.exp(0.5 * x)
        y, labels = x + rng.normal(0.0, width / 4.0), ()
        scores = Scores(x, None, x - width / 2.0, x + width / 2.0)
    else:
        labels = ("a", "b", "c")[: 2 if task == "binary" else 3]
        odds = np.exp(np.outer(x, np.arange(len(labels))))
        shares = odds / odds.sum(axis=1, keepdims=True)
        y = (rng.random((N_ROWS, 1)) > shares.cumsum(axis=1)).sum(axis=1)
        scores = Scores(shares.argmax(axis=1), shares)
    judged = JudgedRows(Problem(task, "y", y, labels), y, scores, np.arange(N_ROWS))
    return HeldOut(Case("made up", Path("none.csv"), {}), "none", pd.DataFrame({"x": x}), judged)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_realised_scores_of_periods_with_other_inputs_are_in_the_intervals(
    task: TaskName, tmp_path: Path
) -> None:
    rng = np.random.default_rng(8)
    periods = draw_periods(held_out(task, rng), is_shifted=True, rng=rng)
    estimates, _ = ours(periods, tmp_path)
    realised = [periods.realised(rows) for rows in periods.of_each]
    for metric in periods.metrics:
        truth = np.array([scores[metric] for scores in realised])
        assert len(estimates[metric]) == N_PERIODS
        assert held_truth(estimates[metric], truth).mean() >= 0.9, metric
        before = periods.realised(periods.reference)[metric]
        errors = [one.value for one in estimates[metric]] - truth
        if metric in ("accuracy", "neg_mean_absolute_error"):
            assert abs(errors.mean()) < 0.5 * abs(before - truth.mean())
