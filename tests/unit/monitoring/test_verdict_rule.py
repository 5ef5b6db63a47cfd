"""The verdict, its number and its rule: they never contradict each other, and faults always alert."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from itertools import product

import numpy as np
import pandas as pd
import pytest

from mlops.models.drift.profiles import BaselineStatistics
from mlops.models.drift.report import DriftReport
from mlops.monitoring import DriftDetector, build_baseline, profile_batch, render, render_text
from mlops.monitoring.verdict.compared_counts import Pair
from mlops.monitoring.verdict.rule import Thresholds
from mlops.monitoring.verdict.scale import unit_factors

IMPORTANCE = {"age": 0.9, "dose": 0.05, "spend": 0.03, "visits": 0.01, "smoker": 0.005, "region": 0.005}
UNIMPORTANT = [name for name in IMPORTANCE if name != "age"]
NUMBERS = [name for name in UNIMPORTANT if name != "region"]


def a_frame(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    has_spend = rng.random(rows) < 0.1
    return pd.DataFrame(
        {
            "age": rng.normal(50, 10, rows),
            "dose": rng.normal(5, 1, rows),
            "spend": np.where(has_spend, rng.lognormal(3, 0.5, rows), 0.0),
            "visits": rng.poisson(1, rows).astype(float),
            "smoker": (rng.random(rows) < 0.05).astype(float),
            "region": rng.choice(["EU-1", "EU-2", "US-1"], rows),
        }
    )


@pytest.fixture(scope="module")
def baseline() -> BaselineStatistics:
    return build_baseline(a_frame(2000, 0), importance=IMPORTANCE)


def judged(
    baseline: BaselineStatistics, name: str, change: Callable[[pd.Series], pd.Series], rows: int = 1000
) -> DriftReport:
    frame = a_frame(rows, 1)
    return DriftDetector(baseline).detect_drift(frame.assign(**{name: change(frame[name])}))


def test_the_same_population_is_ok(baseline: BaselineStatistics):
    assert DriftDetector(baseline).detect_drift(a_frame(1000, 1)).verdict == "OK"


@pytest.mark.parametrize(
    ("name", "factor"),
    # a small factor needs more present values than the 100 of `spend`
    [*product(NUMBERS, (12.0, 1 / 12, 1000.0)), *product([n for n in NUMBERS if n != "spend"], (2.205,))],
)
def test_another_unit_alerts_in_a_feature_without_importance(
    baseline: BaselineStatistics, name: str, factor: float
):
    report = judged(baseline, name, lambda column: column * factor)
    assert (report.verdict, report.reasons[0]) == ("ALERT", f"columns with a fault: {name}")


def test_the_factor_of_another_unit_is_named_where_only_one_fits(baseline: BaselineStatistics):
    larger = judged(baseline, "dose", lambda column: column * 12.0)
    assert "values are about 12 times those of training" in larger.features["dose"].description
    smaller = judged(baseline, "dose", lambda column: column / 1000.0)
    assert "values are a small fraction of those of training" in smaller.features["dose"].description


def test_a_shift_is_not_called_another_unit(baseline: BaselineStatistics):
    report = judged(baseline, "age", lambda column: column + 30.0, rows=300)
    assert [each.kind for each in report.anomalies if each.column == "age"] == ["distribution_shift"]


def temperature(day: int, rows: int, rng: np.random.Generator) -> np.ndarray:
    return rng.normal(12.0 - 9.0 * math.cos(2.0 * math.pi * day / 365.0), 4.0, rows)


def sales(day: int, rows: int, rng: np.random.Generator) -> np.ndarray:
    return rng.gamma(3.0, 10.0 * (1.0 + 0.6 * math.sin(2.0 * math.pi * day / 365.0)), rows)


@pytest.mark.parametrize("rows", [200, 1000])
@pytest.mark.parametrize("season", [temperature, sales])
def test_a_season_is_not_called_another_unit(
    season: Callable[[int, int, np.random.Generator], np.ndarray], rows: int
):
    rng = np.random.default_rng(0)
    year = np.concatenate([season(day, 11, rng) for day in range(365)])
    profile = build_baseline(pd.DataFrame({"x": year}))
    days = rng.integers(0, 365, 100).tolist()
    batches = [profile_batch(pd.DataFrame({"x": season(day, rows, rng)}), profile) for day in days]
    pairs = [Pair(profile.features["x"], each.features["x"]) for each in batches]
    assert sum(bool(unit_factors(pair)) for pair in pairs) <= 5


@pytest.mark.parametrize("name", UNIMPORTANT)
def test_a_column_without_values_alerts_whatever_its_importance(baseline: BaselineStatistics, name: str):
    report = judged(baseline, name, lambda column: column.mask(column.notna()))
    assert (report.verdict, report.features_with_drift) == ("ALERT", (name,))


@pytest.mark.parametrize("name", UNIMPORTANT)
def test_a_column_that_lost_most_of_its_values_alerts_whatever_its_importance(
    baseline: BaselineStatistics, name: str
):
    report = judged(baseline, name, lambda column: column.mask(np.arange(len(column)) % 5 > 0))
    assert report.verdict == "ALERT"
    assert report.features[name].description.startswith(f"{name}: missing 0 % -> 80 %")


def test_missing_values_that_vanish_are_a_change_too():
    values = np.random.default_rng(0).normal(size=1000)
    sparse = pd.DataFrame({"x": np.where(np.arange(1000) % 2, values, np.nan)})
    report = DriftDetector(build_baseline(sparse)).detect_drift(pd.DataFrame({"x": values}))
    assert report.features["x"].description.startswith("x: missing 50 % -> 0 %")
    assert report.verdict == "ALERT"


@pytest.mark.parametrize(("sds", "share"), [(1.0, 0.1), (0.5, 0.2)])
def test_a_shift_of_the_present_values_of_a_sparse_column_is_found(sds: float, share: float):
    found = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        sides = [rng.normal(mean, 1.0, rows) for mean, rows in ((0.0, 2000), (sds, 1000))]
        sparse = [
            pd.DataFrame({"x": np.where(rng.random(len(side)) < share, side, np.nan)}) for side in sides
        ]
        found.append(DriftDetector(build_baseline(sparse[0])).detect_drift(sparse[1]).verdict != "OK")
    assert np.mean(found) >= 0.95


@pytest.mark.parametrize("rows", [300, 5000])
def test_halves_with_a_level_of_a_single_row_stay_ok(rows: int):
    warned = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        levels = np.array(["a", "b", "c"] * (2 * rows // 3) + ["rare-1", "rare-2", "rare-2", "rare-3"])
        codes = np.append(rng.integers(0, 4, len(levels) - 3), [7, 8, 8])
        order = rng.permutation(len(levels))
        frame = pd.DataFrame({"level": levels[order], "code": codes[order]})
        middle = len(frame) // 2
        warned.append(
            DriftDetector(build_baseline(frame[:middle])).detect_drift(frame[middle:]).verdict != "OK"
        )
    assert np.mean(warned) <= 0.05


@pytest.mark.parametrize("shift", [0.0, 0.3, 0.45, 1.0, 4.0])
@pytest.mark.parametrize("name", ["age", "dose"])
def test_the_drift_score_is_bounded_and_in_the_range_of_the_verdict(
    baseline: BaselineStatistics, name: str, shift: float
):
    report = judged(baseline, name, lambda column: column + shift * column.std())
    low, high = {"OK": (0.0, 0.1), "WARN": (0.1, 0.2), "ALERT": (0.2, 1.01)}[report.verdict]
    assert low <= round(report.drift_score, 2) < high


def test_a_score_never_rounds_up_to_the_next_verdict():
    thresholds = Thresholds()
    assert f"{thresholds.score(0.1999, 'WARN'):.2f}" == "0.19"
    assert f"{thresholds.score(3.12, 'WARN'):.2f}" == "0.19"
    assert thresholds.score(0.02, "ALERT") == 0.2
    assert thresholds.score(14.2, "ALERT") == 1.0


def test_page_and_email_show_the_same_verdict_score_and_rule(baseline: BaselineStatistics):
    report = judged(baseline, "dose", lambda column: column + 2.0)
    page, text = render(report), render_text(report)
    assert (report.verdict, report.reasons) == ("WARN", ("changed a lot, but of little importance: dose",))
    assert "Verdict WARN, drift score 0.19: changed a lot, but of little importance: dose" in text
    assert "<dd>0.19</dd>" in page
    assert report.rule in text
    assert report.rule in page
    assert DriftReport.from_json(report.to_json()).rule == report.rule


@pytest.mark.parametrize("rows", [0, 5])
def test_a_check_of_too_few_rows_has_no_score(baseline: BaselineStatistics, rows: int):
    report = DriftDetector(baseline).detect_drift(a_frame(1000, 1)[:rows])
    assert "drift score -" in render_text(report)
    assert re.search(r"Drift score</dt><dd>-</dd>", render(report))
    assert "0.000" not in render(report)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (lambda rng: 2017 + 0.2 * rng.random(2000), lambda rng: 2017.1 + 0.2 * rng.random(1000)),
        (lambda rng: rng.choice(30, 2000), lambda rng: np.clip(rng.choice(30, 1000), 8, 21)),
        (lambda rng: rng.integers(2000, 2035, 2000), lambda rng: 2017 + rng.integers(-9, 10, 1000)),
    ],
    ids=["digits", "tails", "years"],
)
def test_a_description_of_a_change_shows_two_different_sides(
    before: Callable[[np.random.Generator], np.ndarray], now: Callable[[np.random.Generator], np.ndarray]
):
    rng = np.random.default_rng(0)
    sides = [pd.DataFrame({"x": side(rng).astype(float)}) for side in (before, now)]
    feature = DriftDetector(build_baseline(sides[0])).detect_drift(sides[1]).features["x"]
    assert feature.has_drift
    left, right = feature.description.rsplit(" -> ", 1)
    assert not left.endswith(right)
