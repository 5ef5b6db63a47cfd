"""Public data sets: samples whose inputs really changed, and random halves in which they did not."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from mlops.models.drift.report import DriftReport
from mlops.monitoring import DriftDetector, build_baseline

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
FILES = [
    "medication-adherence/train.csv",
    "medication-adherence/score_drifted.csv",
    "storms/train.csv",
    "drug-spend/train.csv",
]


def load(name: str) -> pd.DataFrame:
    return pd.read_csv(EXAMPLES / name)


def report_on(reference: pd.DataFrame, current: pd.DataFrame) -> DriftReport:
    return DriftDetector(build_baseline(reference)).detect_drift(current)


def test_patients_with_much_earlier_therapy_are_another_population():
    reference = load("medication-adherence/train.csv").query("prior_therapy == 'naive'")
    report = report_on(reference, load("medication-adherence/score_drifted.csv"))
    assert {"str2", "preanti", "z30"} <= set(report.features_with_drift)
    assert report.verdict == "ALERT"


def test_two_diameters_of_storms_were_not_measured_before_2004():
    report = report_on(load("storms/train.csv"), load("storms/score_drifted.csv"))
    changed = {"tropicalstorm_force_diameter", "hurricane_force_diameter", "name"}
    assert changed <= set(report.features_with_drift)
    assert report.verdict == "ALERT"


def test_people_with_private_insurance_differ_from_those_without():
    frame = load("drug-spend/train.csv")
    report = report_on(frame.query("private == 0"), frame.query("private == 1"))
    assert {"hi_empunion", "income", "ssiratio", "educyr", "blhisp"} <= set(report.features_with_drift)
    assert report.verdict == "ALERT"


@pytest.mark.parametrize("name", FILES)
def test_random_halves_raise_no_alert_and_warn_in_at_most_one_of_twenty(name: str):
    frame, verdicts = load(name), []
    for seed in range(20):
        shuffled = frame.sample(frac=1.0, random_state=seed)
        middle = len(shuffled) // 2
        verdicts.append(report_on(shuffled[:middle], shuffled[middle:]).verdict)
    assert verdicts.count("ALERT") == 0
    assert verdicts.count("OK") >= 0.95 * len(verdicts)
