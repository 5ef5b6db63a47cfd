"""Our statistics against values that an independent implementation computed on public data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlops.monitoring.profiles.baseline import build_baseline
from mlops.monitoring.profiles.batch import profile_batch
from mlops.monitoring.statistics.chi_square import chi_square_test
from mlops.monitoring.statistics.cramers_v import cramers_v_uncorrected
from mlops.monitoring.statistics.jensen_shannon import jensen_shannon_distance
from mlops.monitoring.statistics.kolmogorov_smirnov import kolmogorov_smirnov
from mlops.monitoring.statistics.population_stability_index import population_stability_index
from mlops.monitoring.statistics.shares import floored_shares, shares
from mlops.monitoring.statistics.wasserstein import wasserstein
from mlops.monitoring.verdict.feature_comparison import bin_counts

CASES = [
    *(
        f"rx_persistence|other_sites|{column}"
        for column in (
            "age", "income", "drug_usd", "doctor_visits",
            "general_health_index", "self_rated_health", "plan", "sex",
        )
    ),
    *(
        f"german_doctor_visits|1988|{column}"
        for column in ("age", "hhninc", "educ", "docvis", "hospvis", "edlevel", "kids")
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def reference_values(shared_dir: Path) -> dict[str, Any]:
    return json.loads((shared_dir / "fixtures" / "reference_drift.json").read_text())["values"]


def sides(shared_dir: Path, case: dict[str, Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    facts = json.loads((shared_dir / "data" / f"{case['set']}.json").read_text())
    frame = pd.read_csv(shared_dir / "data" / f"{case['set']}.csv")
    drift = facts["drift"]
    return frame.query(drift["reference"]), frame.query(drift["current"][case["window"]])


@pytest.mark.parametrize("name", CASES)
def test_the_statistics_on_given_bins(name: str, reference_values: dict[str, Any]):
    case = reference_values[name]
    reference, current, expected = case["ref_counts"], case["cur_counts"], case["canonical"]
    test = chi_square_test(reference, current)
    assert population_stability_index(floored_shares(reference), floored_shares(current)) == pytest.approx(
        expected["psi"], rel=1e-9
    )
    assert test.statistic == pytest.approx(expected["chi2"], rel=1e-9)
    assert test.degrees_of_freedom == expected["chi2_df"]
    assert test.p_value == pytest.approx(expected["chi2_p"], rel=1e-9, abs=1e-300)
    n_rows = int(sum(reference) + sum(current))
    assert cramers_v_uncorrected(test.statistic, n_rows=n_rows) == pytest.approx(
        expected["cramers_v"], rel=1e-9
    )
    assert jensen_shannon_distance(shares(reference), shares(current)) == pytest.approx(
        expected["js_distance_base2"], rel=1e-9
    )


@pytest.mark.parametrize("name", CASES)
def test_the_distances_on_the_values_themselves(
    name: str, reference_values: dict[str, Any], shared_dir: Path
):
    case = reference_values[name]
    if case["kind"] != "numeric":
        pytest.skip("distances along a line need numbers")
    reference, current = (side[case["column"]].dropna().to_numpy(float) for side in sides(shared_dir, case))
    expected = case["canonical"]
    assert kolmogorov_smirnov(reference, current) == pytest.approx(expected["ks"], rel=1e-9)
    scaled = wasserstein(reference, current) / np.std(reference)
    assert scaled == pytest.approx(expected["wasserstein_over_refstd"], rel=1e-9)


@pytest.mark.parametrize("column", ["age", "income", "drug_usd", "general_health_index"])
def test_our_own_bins_give_the_reference_counts_and_psi(
    column: str, reference_values: dict[str, Any], shared_dir: Path
):
    case = reference_values[f"rx_persistence|other_sites|{column}"]
    reference, current = sides(shared_dir, case)
    baseline = build_baseline(reference, features=[column])
    profile = baseline.features[column]
    counts = profile_batch(current, baseline).features[column]
    rows = [
        [*bin_counts(profile, profile.counts).tolist(), profile.n_missing],
        [*bin_counts(profile, counts.counts).tolist(), counts.n_missing],
    ]
    both = [(a, b) for a, b in zip(*rows, strict=True) if a or b]
    assert both == list(zip(case["ref_counts"], case["cur_counts"], strict=True))
    p, q = (floored_shares(side) for side in zip(*both, strict=True))
    assert population_stability_index(p, q) == pytest.approx(case["canonical"]["psi"], rel=1e-6)
