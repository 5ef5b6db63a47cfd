"""Our statistics and our bins against values that an independent implementation computed on public data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from mlops.monitoring.profiles.baseline import build_baseline
from mlops.monitoring.profiles.batch import profile_batch
from mlops.monitoring.statistics.jensen_shannon import jensen_shannon_distance
from mlops.monitoring.statistics.kolmogorov_smirnov import kolmogorov_smirnov
from mlops.monitoring.statistics.population_stability_index import population_stability_index
from mlops.monitoring.statistics.shares import shares
from mlops.monitoring.statistics.wasserstein import wasserstein
from mlops.monitoring.verdict.compared_counts import bin_counts
from tests.unit.monitoring.statistics_of_others import (
    chi_square_test,
    cramers_v_uncorrected,
    floored_shares,
)

REPOSITORY = Path(__file__).resolve().parents[3]
CASES: dict[str, Any] = json.loads((REPOSITORY / "tests" / "data" / "drift_statistics.json").read_text())[
    "cases"
]
NUMBERS = ("age", "wtkg", "preanti", "cd40", "cd80")


@pytest.fixture(scope="module")
def sides() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Patients with little earlier therapy, and those with much."""
    example = REPOSITORY / "examples" / "medication-adherence"
    return pd.read_csv(example / "train.csv"), pd.read_csv(example / "score_drifted.csv")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_statistics_on_given_bins(case: dict[str, Any]):
    reference, current = (np.array(case[side], dtype=float) for side in ("reference", "current"))
    test = chi_square_test(reference, current)
    psi = population_stability_index(floored_shares(reference), floored_shares(current))
    assert psi == pytest.approx(case["psi"], rel=1e-9)
    assert test.statistic == pytest.approx(case["chi2"], rel=1e-9)
    assert test.degrees_of_freedom == case["degrees_of_freedom"]
    assert test.p_value == pytest.approx(case["p_value"], rel=1e-9, abs=1e-300)
    v = cramers_v_uncorrected(test.statistic, n_rows=int(reference.sum() + current.sum()))
    assert v == pytest.approx(case["cramers_v"], rel=1e-9)
    distance = jensen_shannon_distance(shares(reference), shares(current))
    assert distance == pytest.approx(case["jensen_shannon"], rel=1e-9)


@pytest.mark.parametrize("column", NUMBERS)
def test_the_distances_on_the_values_themselves(column: str, sides: tuple[pd.DataFrame, pd.DataFrame]):
    reference, current = (side[column].dropna().to_numpy(float) for side in sides)
    expected = scipy.stats.ks_2samp(reference, current, method="asymp").statistic
    assert kolmogorov_smirnov(reference, current) == pytest.approx(expected, rel=1e-9)
    expected = scipy.stats.wasserstein_distance(reference, current)
    assert wasserstein(reference, current) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("column", NUMBERS)
def test_our_own_bins_are_the_deciles_of_the_reference(column: str, sides: tuple[pd.DataFrame, pd.DataFrame]):
    edges = np.unique(np.nanquantile(sides[0][column], np.arange(0.1, 0.95, 0.1)))
    expected = []
    for side in sides:
        values = side[column].dropna().to_numpy(float)
        counts = np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1)
        expected.append([*counts.tolist(), int(side[column].isna().sum())])
    baseline = build_baseline(sides[0], features=[column])
    profile, counted = baseline.features[column], profile_batch(sides[1], baseline).features[column]
    ours = [
        [*bin_counts(profile, profile.counts).tolist(), profile.n_missing],
        [*bin_counts(profile, counted.counts).tolist(), counted.n_missing],
    ]
    assert _used(ours) == _used(expected)
    p, q = (np.maximum(np.array(side) / sum(side), 1e-4) for side in zip(*_used(expected), strict=True))
    ours_of = population_stability_index(*map(floored_shares, zip(*_used(ours), strict=True)))
    assert ours_of == pytest.approx(float(((q - p) * np.log(q / p)).sum()), rel=1e-6)


def _used(rows: list[list[int]]) -> list[tuple[int, int]]:
    """Return the pairs of counts of the bins that are not empty on both sides."""
    return [(a, b) for a, b in zip(*rows, strict=True) if a or b]
