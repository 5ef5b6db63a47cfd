"""Verdicts: what counts as drift, what as an anomaly, and what as too little to tell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops.models.drift.report import DriftReport
from mlops.models.errors import DriftError
from mlops.monitoring import DriftDetector, build_baseline, profile_batch

IMPORTANCE = {"age": 0.6, "region": 0.25, "visits": 0.1, "height": 0.05}


def a_frame(rows: int = 1000, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": rng.normal(41, 10, rows).round(),
            "height": rng.normal(170, 9, rows),
            "region": rng.choice(["EU-1", "EU-2", "US-1"], rows),
            "visits": rng.poisson(2, rows).astype(float),
        }
    )


def judged(change: Callable[[pd.DataFrame], pd.DataFrame], *, rows: int = 1000) -> DriftReport:
    detector = DriftDetector(build_baseline(a_frame(2000), importance=IMPORTANCE))
    return detector.detect_drift(change(a_frame(rows, seed=1)))


def kinds(report: DriftReport, column: str) -> dict[str, str]:
    return {a.kind: a.verdict for a in report.anomalies if a.column == column}


def test_unchanged_inputs_are_ok_and_score_zero():
    report = judged(lambda frame: frame)
    assert (report.verdict, report.drift_score, report.features_with_drift) == ("OK", 0.0, ())
    assert report.anomalies == ()


def test_a_moved_number_alerts_in_plain_words():
    report = judged(lambda frame: frame.assign(age=frame.age + 14))
    assert report.verdict == "ALERT"
    assert report.features_with_drift == ("age",)
    assert report.features["age"].psi > report.drift_score == 1.0
    assert report.features["age"].description == "age: median 41 -> 55"
    assert kinds(report, "age") == {"distribution_shift": "ALERT"}


def test_an_unimportant_feature_that_alerts_makes_the_dataset_warn():
    report = judged(lambda frame: frame.assign(height=frame.height + 20))
    assert report.features["height"].verdict == "ALERT"
    assert not report.features["height"].is_important
    assert report.verdict == "WARN"


def test_more_than_three_tenths_of_the_features_make_the_dataset_alert():
    report = judged(lambda frame: frame.assign(height=frame.height + 20, visits=frame.visits + 3))
    assert report.verdict == "ALERT"


def test_features_with_drift_are_ranked_by_importance_times_effect():
    report = judged(
        lambda frame: frame.assign(height=frame.height + 8, age=frame.age + 8, visits=frame.visits + 2)
    )
    assert report.features_with_drift == ("age", "visits", "height")


def test_a_new_category_warns_once_it_is_no_accident_and_alerts_in_many_rows():
    def with_new(n: int) -> Callable[[pd.DataFrame], pd.DataFrame]:
        return lambda frame: frame.assign(region=["EU-7"] * n + frame.region.tolist()[n:])

    one, some, many = judged(with_new(1)), judged(with_new(8)), judged(with_new(120))
    assert (one.verdict, kinds(one, "region")) == ("OK", {"new_category": "OK"})
    assert (some.verdict, kinds(some, "region")) == ("WARN", {"new_category": "WARN"})
    assert kinds(many, "region")["new_category"] == "ALERT"
    assert many.features["region"].description.startswith("region: EU-7 is new, 12 % of rows")


def test_a_rare_category_that_training_happened_to_miss_is_noted_but_no_warning():
    reference = pd.DataFrame({"c": ["a"] * 990 + [f"rare-{i}" for i in range(10)]})
    report = DriftDetector(build_baseline(reference)).detect_drift(
        pd.DataFrame({"c": ["a"] * 495 + [f"rare-{i}" for i in range(8, 13)]})
    )
    assert kinds(report, "c") == {"new_category": "OK"}
    assert report.verdict == "OK"


def test_a_rise_of_missing_values_is_reported_even_when_psi_is_small():
    x = np.random.default_rng(0).normal(size=2000)
    rows = np.arange(2000)
    report = DriftDetector(
        build_baseline(pd.DataFrame({"x": np.where(rows % 5 == 0, np.nan, x)}))
    ).detect_drift(pd.DataFrame({"x": np.where(rows % 11 < 3, np.nan, x)}))
    assert report.features["x"].psi < 0.1
    assert kinds(report, "x") == {"missing_values": "ALERT"}
    assert report.features["x"].description.startswith("x: missing 20 % -> 27 %")


def test_a_rise_of_missing_values_by_four_points_is_not():
    report = judged(lambda frame: frame.assign(age=frame.age.mask(np.arange(len(frame)) % 25 == 0)))
    assert "missing_values" not in kinds(report, "age")


def test_outliers_beyond_the_fences_alert():
    report = judged(
        lambda frame: frame.assign(height=frame.height.mask(np.arange(len(frame)) % 50 == 0, 9999.0))
    )
    assert kinds(report, "height")["outliers"] == "ALERT"


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda frame: frame.drop(columns="age"), "missing_column"),
        (lambda frame: frame.assign(age=np.nan), "empty_column"),
        (lambda frame: frame.assign(age="forty"), "retyped_column"),
        (lambda frame: frame.assign(age=pd.Timestamp("2026-05-01")), "retyped_column"),
    ],
    ids=["missing", "empty", "words", "dates"],
)
def test_a_column_without_usable_values_alerts_and_never_raises(
    change: Callable[[pd.DataFrame], pd.DataFrame], kind: str
):
    report = judged(change)
    assert kinds(report, "age")[kind] == "ALERT"
    assert (report.verdict, report.features_with_drift) == ("ALERT", ("age",))


def test_numbers_instead_of_categories_are_another_column_not_new_categories():
    report = judged(lambda frame: frame.assign(region=frame.height))
    assert kinds(report, "region")["retyped_column"] == "ALERT"
    assert "new_category" not in kinds(report, "region")


def test_a_constant_column_is_named_with_its_value():
    report = judged(lambda frame: frame.assign(age=41.0))
    assert kinds(report, "age")["constant_column"] == "WARN"
    assert "all 1,000 rows have the value 41" in report.features["age"].description


def test_an_extra_column_warns():
    report = judged(lambda frame: frame.assign(surprise=1))
    assert kinds(report, "surprise") == {"extra_column": "WARN"}
    assert report.verdict == "WARN"


@pytest.mark.parametrize("rows", [0, 1, 99])
def test_fewer_than_a_hundred_rows_are_reported_but_never_alarmed(rows: int):
    report = judged(lambda frame: frame.assign(age=frame.age + 50, region="new"), rows=rows)
    assert (report.verdict, report.drift_score, report.features_with_drift) == ("INSUFFICIENT_DATA", 0.0, ())
    assert {feature.verdict for feature in report.features.values()} == {"INSUFFICIENT_DATA"}


def test_a_hundred_rows_are_enough():
    assert judged(lambda frame: frame.assign(age=frame.age + 50), rows=100).verdict == "ALERT"


def test_a_large_effect_without_significance_is_not_drift():
    rng = np.random.default_rng(5)
    detector = DriftDetector(build_baseline(pd.DataFrame({f"x{i}": rng.normal(size=150) for i in range(20)})))
    report = detector.detect_drift(pd.DataFrame({f"x{i}": rng.normal(size=100) for i in range(20)}))
    assert max(feature.psi for feature in report.features.values()) > 0.2
    assert (report.verdict, report.drift_score) == ("OK", 0.0)


def test_a_trivial_shift_of_many_rows_is_not_drift_though_significant():
    rng = np.random.default_rng(0)
    detector = DriftDetector(build_baseline(pd.DataFrame({"x": rng.normal(size=20_000)})))
    report = detector.detect_drift(pd.DataFrame({"x": rng.normal(0.1, 1, 20_000)}))
    assert report.features["x"].q_value < 0.001
    assert report.verdict == "OK"


def test_an_outlier_in_training_does_not_hide_half_a_standard_deviation():
    rng = np.random.default_rng(0)
    reference = rng.normal(size=5000)
    reference[0] = 1e6
    report = DriftDetector(build_baseline(pd.DataFrame({"x": reference}))).detect_drift(
        pd.DataFrame({"x": rng.normal(0.5, 1, 5000)})
    )
    assert report.features["x"].psi == pytest.approx(0.24, abs=0.03)


def test_distances_from_stored_counts_are_close_to_the_exact_ones():
    from scipy.stats import ks_2samp, wasserstein_distance

    rng = np.random.default_rng(3)
    reference, current = rng.normal(0, 1, 5000), rng.normal(0.7, 1.2, 4000)
    feature = (
        DriftDetector(build_baseline(pd.DataFrame({"x": reference})))
        .detect_drift(pd.DataFrame({"x": current}))
        .features["x"]
    )
    assert feature.ks == pytest.approx(ks_2samp(reference, current).statistic, abs=0.01)
    assert feature.wasserstein == pytest.approx(
        wasserstein_distance(reference, current) / reference.std(), rel=0.03
    )


def test_a_profile_and_its_rows_get_the_same_report():
    baseline = build_baseline(a_frame())
    frame = a_frame(500, seed=2)
    detector = DriftDetector(baseline)
    assert detector.detect_drift(profile_batch(frame, baseline)) == detector.detect_drift(frame)


def test_a_baseline_may_be_a_record_a_dict_or_a_file(tmp_path: Path):
    baseline = build_baseline(a_frame())
    path = tmp_path / "baseline_statistics.json"
    path.write_text(baseline.to_json())
    reports = [
        DriftDetector(source, threshold=0.1).detect_drift(a_frame(300))
        for source in (baseline, baseline.to_dict(), path, str(path))
    ]
    assert all(report == reports[0] for report in reports)


def test_excluded_columns_are_not_judged_and_said_so():
    detector = DriftDetector(build_baseline(a_frame()), exclude_columns=["age"])
    report = detector.detect_drift(a_frame().assign(age=0.0))
    assert "age" not in report.features
    assert report.excluded["age"] == "excluded by the settings"
    assert report.verdict == "OK"


def test_a_higher_threshold_lets_a_small_shift_pass():
    baseline = build_baseline(a_frame(5000))
    shifted = a_frame(5000, seed=1).assign(age=lambda frame: frame.age + 4)
    assert DriftDetector(baseline, threshold=0.1).detect_drift(shifted).features_with_drift == ("age",)
    assert DriftDetector(baseline, threshold=0.5).detect_drift(shifted).features_with_drift == ()


@pytest.mark.parametrize("thresholds", [(0.0, 0.2), (0.3, 0.2), (-1.0, None)])
def test_impossible_thresholds_are_refused(thresholds: tuple[float, float | None]):
    with pytest.raises(DriftError, match="threshold"):
        DriftDetector(build_baseline(a_frame(10)), thresholds[0], alert_threshold=thresholds[1])


def test_metrics_are_returned_and_go_nowhere_by_default(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("METRICS_NAMESPACE", raising=False)
    detector = DriftDetector(build_baseline(a_frame()))
    report = detector.detect_drift(a_frame().assign(age=0.0))
    assert detector.publish_metrics(report) == {
        "overall_drift_score": report.drift_score,
        "features_with_drift": 1,
        "drift_alerts": 1,
        "features_checked": 4,
        "rows_checked": 1000,
    }


def test_metrics_go_to_the_sink_that_is_given():
    sent = []
    detector = DriftDetector(
        build_baseline(a_frame()), sink=lambda report, metrics: sent.append((report, metrics))
    )
    report = detector.detect_drift(a_frame())
    detector.publish_metrics(report)
    assert sent[0][0] is report
    assert sent[0][1]["overall_drift_score"] == 0.0


def test_metrics_go_to_cloudwatch_when_the_environment_names_a_namespace(
    aws: None, monkeypatch: pytest.MonkeyPatch
):
    from mlops.infrastructure.aws.clients import client

    monkeypatch.setenv("METRICS_NAMESPACE", "Trial")
    detector = DriftDetector(build_baseline(a_frame()))
    detector.publish_metrics(detector.detect_drift(a_frame(), model_group="adherence"))
    actual = client("cloudwatch").list_metrics(Namespace="Trial")["Metrics"]
    assert {metric["MetricName"] for metric in actual} == {"DriftScore", "FeaturesWithDrift"}
    assert {tuple(d["Value"] for d in metric["Dimensions"]) for metric in actual} == {(), ("adherence",)}
