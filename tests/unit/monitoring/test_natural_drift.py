"""Public data sets: windows in which the inputs really changed, and random halves in which they did not."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from mlops.models.drift import DriftReport
from mlops.monitoring import DriftDetector, build_baseline

# columns whose PSI the authors of the sets computed to be above 0.1, without the one that defines the window
TRUE_DRIFTS = [
    ("hiv_off_treatment", "experienced", {"str2", "preanti", "z30"}),
    (
        "storms",
        "2000-2009",
        {"tropicalstorm_force_diameter", "hurricane_force_diameter", "name", "status", "month"},
    ),
    (
        "storms",
        "2010-2022",
        {"tropicalstorm_force_diameter", "hurricane_force_diameter", "name", "status", "month"},
    ),
    ("meps_drug_spend", "private", {"hi_empunion", "income", "ssiratio", "educyr", "blhisp"}),
    (
        "rx_persistence",
        "other_sites",
        {"chronic_disease_index", "general_health_index", "plan", "coinsurance_pct", "black"},
    ),
    ("rx_persistence", "later_years", {"general_health_index", "site", "plan"}),
    ("german_doctor_visits", "1988", {"hhninc"}),
]
SETS = sorted({name for name, _, _ in TRUE_DRIFTS})


def load(shared_dir: Path, name: str) -> tuple[pd.DataFrame, dict[str, object]]:
    facts = json.loads((shared_dir / "data" / f"{name}.json").read_text())
    return pd.read_csv(shared_dir / "data" / f"{name}.csv"), facts


def report_on(reference: pd.DataFrame, current: pd.DataFrame) -> DriftReport:
    return DriftDetector(build_baseline(reference)).detect_drift(current)


@pytest.mark.parametrize(("name", "window", "expected"), TRUE_DRIFTS)
def test_every_known_drift_is_found(shared_dir: Path, name: str, window: str, expected: set[str]):
    frame, facts = load(shared_dir, name)
    drift = facts["drift"]
    report = report_on(frame.query(drift["reference"]), frame.query(drift["current"][window]))
    assert expected <= set(report.features_with_drift)
    assert report.verdict == "ALERT"


def test_random_halves_of_all_sets_raise_no_alert_and_warn_in_at_most_one_of_twenty(shared_dir: Path):
    verdicts = []
    for name in SETS:
        frame, _ = load(shared_dir, name)
        for seed in range(10):
            shuffled = frame.sample(frac=1.0, random_state=seed)
            middle = len(shuffled) // 2
            verdicts.append(report_on(shuffled[:middle], shuffled[middle:]).verdict)
    assert verdicts.count("ALERT") == 0
    assert verdicts.count("OK") >= 0.95 * len(verdicts)
