"""Quantiles and outliers from the rows per fine bin, of one feature and of a table of features."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlops.monitoring import build_baseline, profile_batch
from mlops.monitoring.verdict.compared_counts import Pair, fine_counts
from mlops.monitoring.verdict.fine_bins import n_outliers, quantiles_of_counts


def test_quantiles_are_those_of_rows_spread_evenly_over_their_bins():
    counts, ends = np.array([1.0, 1.0, 2.0]), np.array([0.0, 1.0, 2.0, 4.0])
    assert quantiles_of_counts(counts, ends, 0.25, 0.5, 0.625, 0.75).tolist() == [1.0, 2.0, 2.5, 3.0]


def test_quantiles_of_a_table_are_those_of_its_rows_whose_last_bins_may_be_empty():
    counts = np.array([[1.0, 1.0, 2.0], [3.0, 1.0, 0.0]])
    ends = np.array([[0.0, 1.0, 2.0, 4.0], [5.0, 6.0, 9.0, 9.0]])
    assert quantiles_of_counts(counts, ends, 0.5, 0.75).tolist() == [
        [2.0, 3.0],
        [pytest.approx(5.0 + 2.0 / 3.0), 6.0],
    ]


def test_a_feature_without_rows_has_no_quantiles():
    counts, ends = np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([[0.0, 1.0, 2.0]] * 2)
    assert np.isnan(quantiles_of_counts(counts, ends, 0.5)).tolist() == [[True], [False]]


def test_outliers_are_the_rows_outside_the_fences():
    rng = np.random.default_rng(4)
    training = pd.DataFrame({"dose": rng.normal(50, 10, 2_000), "visits": rng.integers(0, 6, 2_000)})
    batch = pd.DataFrame({"dose": rng.standard_cauchy(500) * 40, "visits": rng.integers(0, 600, 500)})
    baseline = build_baseline(training)
    counted = profile_batch(batch, baseline).features
    pairs = [Pair(profile, counted[name]) for name, profile in baseline.features.items()]
    fences = baseline.features["dose"]
    expected = [
        int(((rows["dose"] < fences.low_fence) | (rows["dose"] > fences.high_fence)).sum())
        for rows in (training, batch)
    ]
    before, now = n_outliers(pairs, fine_counts(pairs))
    assert [before[0], now[0]] == expected
    assert now[0] > 50
    assert [before[1], now[1]] == [0, 0]  # a feature of single values has no fences
