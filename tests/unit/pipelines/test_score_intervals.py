"""Intervals of scores hold the true score as often as they say, in simulated samples."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.score_intervals import CASES, percentile, score_interval, true_score
from mlops.pipelines.artifacts.model import Scores
from mlops.pipelines.evaluation.bootstrap import bootstrap_intervals, resampled_scores
from mlops.pipelines.evaluation.heavy_tails import rmse_interval

N_SAMPLES = 60


@pytest.mark.property
@pytest.mark.parametrize("name", ["RMSE, lognormal errors", "F1, 10 % positive"])
def test_an_interval_of_a_score_holds_the_true_one(name: str) -> None:
    case = next(case for case in CASES if case.name == name)
    true, rng, n_inside = true_score(case), np.random.default_rng(5), 0
    for _ in range(N_SAMPLES):
        low, high = score_interval(case, *case.draw(rng, case.n_rows), rng)
        n_inside += low <= true <= high
    assert n_inside >= 0.87 * N_SAMPLES


def test_heavy_tails_make_the_interval_longer_on_the_side_of_larger_errors() -> None:
    case = next(case for case in CASES if case.name == "RMSE, lognormal errors")
    rng = np.random.default_rng(6)
    y, scores = case.draw(rng, case.n_rows)
    errors = y - scores.predicted
    low, high = rmse_interval(errors, np.arange(len(errors)), rng)
    point = float(np.sqrt(np.mean(errors**2)))
    by_percentile = percentile(case, y, scores, rng)
    assert low < point < high
    assert high - point > 1.3 * (point - low)
    assert high > -by_percentile[0]


def test_rows_of_one_person_count_as_one_in_the_interval_of_rmse() -> None:
    errors, rng = np.random.default_rng(7).normal(size=200), np.random.default_rng(8)
    single = rmse_interval(errors, np.arange(200), rng)
    repeated = rmse_interval(np.repeat(errors, 5), np.repeat(np.arange(200), 5), rng)
    assert single == pytest.approx(repeated, rel=0.02)


@pytest.mark.parametrize("errors", [np.zeros(100), np.ones(10)])
def test_no_errors_and_few_rows_have_no_interval_of_their_own(errors: np.ndarray) -> None:
    assert rmse_interval(errors, np.arange(len(errors)), np.random.default_rng(0)) is None


def test_the_mean_of_skewed_values_has_an_interval_that_leans_to_the_long_side() -> None:
    values = np.random.default_rng(9).lognormal(0.0, 1.0, 120)

    def means(rows: np.ndarray):
        among = values[rows]
        return lambda drawn: {"mean": float(among[drawn].mean())}

    low, high = bootstrap_intervals(means, np.arange(120), np.random.default_rng(1))["mean"]
    assert high - values.mean() > 1.2 * (values.mean() - low)


def test_rows_of_one_person_alone_have_an_interval_of_no_width() -> None:
    y, predicted = np.arange(6.0), np.arange(6.0) + 0.5
    scored = resampled_scores("regression", y, Scores(predicted=predicted))
    intervals = bootstrap_intervals(
        lambda looked_at: lambda rows: scored(looked_at[rows]),
        np.zeros(6, int),
        np.random.default_rng(0),
        n_resamples=20,
    )
    assert intervals["neg_mean_absolute_error"] == (-0.5, -0.5)
