"""How often we cry wolf, and how often we miss one: the claims behind the default thresholds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlops.models.drift.report import DriftReport
from mlops.monitoring import DriftDetector, build_baseline

N_FEATURES = 20
N_TRIALS = 120  # few enough for every test run; the tolerance is for that number


def trial(rng: np.random.Generator, rows: int, *, moved: int = 0) -> DriftReport:
    columns = [f"x{index}" for index in range(N_FEATURES)]
    reference = pd.DataFrame(rng.normal(size=(2000, N_FEATURES)), columns=columns)
    current = rng.normal(size=(rows, N_FEATURES))
    current[:, :moved] += 0.5
    for index in range(N_FEATURES - 5, N_FEATURES):
        reference[columns[index]] = rng.choice(["a", "b", "c", "d"], 2000, p=[0.5, 0.3, 0.15, 0.05])
    frame = pd.DataFrame(current, columns=columns)
    for index in range(N_FEATURES - 5, N_FEATURES):
        frame[columns[index]] = rng.choice(["a", "b", "c", "d"], rows, p=[0.5, 0.3, 0.15, 0.05])
    return DriftDetector(build_baseline(reference)).detect_drift(frame)


@pytest.mark.parametrize("rows", [300, 1000])
def test_without_drift_at_most_one_run_in_twenty_raises_anything(rows: int):
    rng = np.random.default_rng(rows)
    alarms = sum(trial(rng, rows).verdict != "OK" for _ in range(N_TRIALS))
    assert alarms <= 0.05 * N_TRIALS


def test_with_a_hundred_rows_false_alarms_stay_rare():
    rng = np.random.default_rng(100)
    alarms = sum(bool(trial(rng, 100).features_with_drift) for _ in range(N_TRIALS))
    assert alarms <= 0.2 * N_TRIALS


@pytest.mark.parametrize(("rows", "power"), [(100, 0.6), (300, 0.95), (1000, 0.99)])
def test_half_a_standard_deviation_is_found(rows: int, power: float):
    rng = np.random.default_rng(rows)
    actual = [len({"x0", "x1", "x2"} & set(trial(rng, rows, moved=3).features_with_drift)) for _ in range(40)]
    assert np.mean(actual) / 3 >= power
