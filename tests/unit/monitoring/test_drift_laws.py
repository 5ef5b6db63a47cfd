"""Laws of profiles and verdicts, for any data."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops.models.drift.profiles import BaselineStatistics, BatchProfile
from mlops.models.drift.report import DriftReport
from mlops.monitoring.drift_detector import DriftDetector
from mlops.monitoring.profiles.baseline import build_baseline
from mlops.monitoring.profiles.batch import empty_batch, merge, profile_batch
from mlops.monitoring.report.report import render, render_text
from mlops.monitoring.verdict.compared_counts import Pair
from mlops.monitoring.verdict.description import describe_changes
from mlops.monitoring.verdict.feature_comparison import compare_pairs

LEVELS = st.sampled_from(["a", "b", "c", "d", "rare", None])
NUMBERS = st.one_of(
    st.none(), st.integers(-40, 40).map(float), st.floats(allow_nan=True, allow_infinity=True)
)


@st.composite
def frames(draw: st.DrawFn, *, most_rows: int = 60) -> pd.DataFrame:
    n = draw(st.integers(0, most_rows))
    return pd.DataFrame(
        {
            "amount": pd.Series(draw(st.lists(NUMBERS, min_size=n, max_size=n)), dtype=float),
            "count": pd.Series(draw(st.lists(st.integers(0, 5), min_size=n, max_size=n)), dtype=float),
            "region": pd.Series(draw(st.lists(LEVELS, min_size=n, max_size=n)), dtype=object),
        }
    )


def a_baseline() -> BaselineStatistics:
    rng = np.random.default_rng(1)
    return build_baseline(
        pd.DataFrame(
            {
                "amount": rng.normal(0, 20, 400),
                "count": rng.integers(0, 4, 400).astype(float),
                "region": rng.choice(["a", "b", "c"], 400),
            }
        )
    )


def assert_finite(document: Any) -> None:
    json.dumps(document, allow_nan=False)


@pytest.mark.property
@given(frames(), frames())
def test_merging_two_batches_is_profiling_them_together(first: pd.DataFrame, second: pd.DataFrame):
    baseline = a_baseline()
    merged = merge(profile_batch(first, baseline), profile_batch(second, baseline))
    with_rows = [frame for frame in (first, second) if len(frame)] or [first]
    together = pd.concat([frame.astype({"region": object}) for frame in with_rows], ignore_index=True)
    assert merged == profile_batch(together, baseline)


@pytest.mark.property
@given(frames(), frames(), frames())
def test_merging_is_associative_and_nothing_is_its_zero(a: pd.DataFrame, b: pd.DataFrame, c: pd.DataFrame):
    baseline = a_baseline()
    one, two, three = (profile_batch(frame, baseline) for frame in (a, b, c))
    assert merge(merge(one, two), three) == merge(one, merge(two, three)) == merge(one, two, three)
    assert merge(one, empty_batch(baseline)) == one


@pytest.mark.property
@given(frames(), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_columns_does_not_matter(frame: pd.DataFrame, random: Any):
    baseline = a_baseline()
    order = list(range(len(frame)))
    random.shuffle(order)
    columns = list(frame.columns)
    random.shuffle(columns)
    assert profile_batch(frame.iloc[order][columns], baseline) == profile_batch(frame, baseline)


@pytest.mark.property
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(frames(most_rows=30), frames(most_rows=30))
def test_any_data_against_any_data_gives_finite_numbers_and_a_page(
    reference: pd.DataFrame, current: pd.DataFrame
):
    baseline = build_baseline(reference)
    repeated = pd.concat([current] * 5, ignore_index=True) if len(current) else current
    for batch in (current, repeated):
        report = DriftDetector(baseline).detect_drift(batch)
        assert_finite(report.to_dict())
        assert math.isfinite(report.drift_score)
        assert render(report).startswith("<!doctype html>")
        assert render_text(report)
        assert DriftReport.from_json(report.to_json()) == report
    assert BaselineStatistics.from_json(baseline.to_json()) == baseline


@pytest.mark.property
@given(frames())
def test_profiles_survive_json(frame: pd.DataFrame):
    profile = profile_batch(frame, a_baseline())
    assert BatchProfile.from_json(profile.to_json()) == profile


@pytest.mark.property
@given(frames(most_rows=30))
def test_identical_data_have_no_drift(frame: pd.DataFrame):
    frame = pd.concat([frame] * 4, ignore_index=True) if len(frame) else frame
    report = DriftDetector(build_baseline(frame)).detect_drift(frame)
    assert report.drift_score == 0.0
    assert report.features_with_drift == ()
    assert all(feature.psi == 0.0 for feature in report.features.values())


@pytest.mark.property
@given(st.integers(0, 2**32 - 1))
def test_a_larger_shift_has_a_larger_score(seed: int):
    rng = np.random.default_rng(seed)
    reference, current = rng.normal(0, 1, 2000), rng.normal(0, 1, 1000)
    detector = DriftDetector(build_baseline(pd.DataFrame({"x": reference})))
    shifts = (0.0, 0.3, 0.6, 1.0, 1.5, 2.5)
    psi = [detector.detect_drift(pd.DataFrame({"x": current + s})).features["x"].psi for s in shifts]
    assert psi == sorted(psi)


@pytest.mark.property
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 50.0), st.floats(-100.0, 100.0))
def test_units_do_not_matter(seed: int, scale: float, offset: float):
    rng = np.random.default_rng(seed)
    reference, current = rng.gamma(2, 3, 500).round(4), rng.gamma(2.4, 3, 300).round(4)
    plain = DriftDetector(build_baseline(pd.DataFrame({"x": reference})))
    other = DriftDetector(build_baseline(pd.DataFrame({"x": reference * scale + offset})))
    psi = plain.detect_drift(pd.DataFrame({"x": current})).features["x"].psi
    scaled = other.detect_drift(pd.DataFrame({"x": current * scale + offset})).features["x"].psi
    # an end of a bin that is itself a value may round to its other side: at most one row of 300
    assert scaled == pytest.approx(psi, abs=0.02)


@pytest.mark.property
@given(st.integers(0, 2**32 - 1))
def test_a_monotone_transform_does_not_matter_for_values_that_training_had(seed: int):
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 1, 1001)  # deciles of 1,001 rows are rows themselves
    current = rng.choice(values, 400, p=np.linspace(0, 2, 1001) / 1001)
    psi = [
        DriftDetector(build_baseline(pd.DataFrame({"x": transform(values)})))
        .detect_drift(pd.DataFrame({"x": transform(current)}))
        .features["x"]
        .psi
        for transform in (np.asarray, np.exp, np.arctan, lambda x: x**3)
    ]
    assert psi == pytest.approx([psi[0]] * len(psi), rel=1e-9)


@pytest.mark.property
@given(frames())
def test_a_feature_is_compared_as_if_it_were_the_only_one(batch: pd.DataFrame):
    baseline = a_baseline()
    counted = profile_batch(batch, baseline).features
    pairs = [Pair(profile, counted[name]) for name, profile in baseline.features.items()]
    for pair, together in zip(pairs, compare_pairs(pairs), strict=True):
        (alone,) = compare_pairs([pair])
        for shift, expected in ((together.present, alone.present), (together.rest, alone.rest)):
            if shift is None or expected is None:
                assert shift is expected
                continue
            numbers = (shift.psi, shift.p_value, shift.jensen_shannon, shift.ks or 0.0)
            expected_numbers = (expected.psi, expected.p_value, expected.jensen_shannon, expected.ks or 0.0)
            assert numbers == pytest.approx(expected_numbers, rel=1e-9, abs=1e-12)
        assert together.wasserstein == pytest.approx(alone.wasserstein)
        assert together.unseen_p_value == alone.unseen_p_value
        assert together.outliers_p_value == alone.outliers_p_value
    assert describe_changes(pairs) == [text for pair in pairs for text in describe_changes([pair])]


def test_rare_levels_join_the_other_values_beside_a_feature_with_more_bins():
    amount = np.random.default_rng(1).normal(0, 20, 400)
    once = [f"once {number}" for number in range(8)]  # under 1 % each: no bins, the other values
    baseline = build_baseline(pd.DataFrame({"amount": amount, "region": ["a"] * 388 + ["b"] * 4 + once}))
    batch = pd.DataFrame({"amount": amount, "region": ["a"] * 380 + ["b"] * 10 + ["new"] * 10})
    counted = profile_batch(batch, baseline).features
    pairs = [Pair(profile, counted[name]) for name, profile in baseline.features.items()]
    together, (alone,) = compare_pairs(pairs)[1], compare_pairs(pairs[1:])
    assert together.present.psi == pytest.approx(alone.present.psi)
    assert alone.present.chi_square.degrees_of_freedom == 1  # `a` and all others


def test_only_what_the_page_draws_has_a_histogram():
    baseline, rng = a_baseline(), np.random.default_rng(2)
    moved = pd.DataFrame(
        {
            "amount": rng.normal(60, 20, 300),
            "count": rng.integers(0, 4, 300).astype(float),
            "region": rng.choice(["a", "b", "c"], 300),
        }
    )
    report = DriftDetector(baseline).detect_drift(moved)
    assert report.features_with_drift == ("amount",)
    assert [name for name, feature in report.features.items() if feature.histogram] == ["amount"]
