"""Drift of predictions: judged against held-out rows, and said wherever a verdict is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from mlops.models.drift.profiles import BaselineStatistics, BatchProfile
from mlops.models.drift.report import DriftReport
from mlops.monitoring import DriftDetector, build_baseline, merge, profile_batch, render, render_text
from mlops.monitoring.drift_metrics import as_cloudwatch, metrics_of
from mlops.monitoring.verdict.causes import NO_CAUSE, likely_causes
from mlops.use_cases.drift.drift_notification import notify

from .test_nightly_check import RecordingAnnouncer, RecordingPersonalEmails

N_TRIALS = 150


def inputs(rng: np.random.Generator, rows: int, *, age: float = 50.0) -> pd.DataFrame:
    return pd.DataFrame({"age": rng.normal(age, 10, rows), "dose": rng.normal(5, 1, rows)})


def outputs(rng: np.random.Generator, rows: int, *, shift: float = 0.0) -> pd.DataFrame:
    probability = 1.0 / (1.0 + np.exp(-rng.normal(shift - 1.0, 1.0, rows)))
    label = pd.Categorical.from_codes((probability > 0.5).astype(int), ["no", "yes"])
    return pd.DataFrame({"prediction": label, "probability_yes": probability})


def a_baseline(rng: np.random.Generator, held_out: int = 500) -> BaselineStatistics:
    return build_baseline(inputs(rng, 2000), outputs=outputs(rng, held_out))


def judged(
    baseline: BaselineStatistics, rng: np.random.Generator, *, rows: int = 600, shift: float = 0.0
) -> DriftReport:
    batch = profile_batch(inputs(rng, rows), baseline, outputs=outputs(rng, rows, shift=shift))
    return DriftDetector(baseline).detect_drift(batch, model_group="adherence")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def baseline(rng: np.random.Generator) -> BaselineStatistics:
    return a_baseline(rng)


def test_predictions_that_change_while_no_input_does_alert_and_are_named(baseline, rng):
    report = judged(baseline, rng, shift=1.0)
    assert (report.verdict, report.prediction_verdict, report.features_with_drift) == ("ALERT", "ALERT", ())
    assert set(report.predictions_with_drift) == {"prediction", "probability_yes"}
    assert report.drift_score == report.prediction_drift_score > 0.2
    assert "the predictions changed a lot" in " ".join(report.reasons)
    text, page = render_text(report), render(report)
    assert text.startswith("The predictions changed a lot, the inputs did not.\n")
    assert "- prediction: share of " in text
    assert "500 held-out rows" in page
    assert DriftReport.from_json(report.to_json()) == report


def test_predictions_like_those_of_the_held_out_rows_are_ok_and_shown(baseline, rng):
    report = judged(baseline, rng)
    assert (report.verdict, report.prediction_verdict, report.reasons) == ("OK", "OK", ())
    assert sorted(report.predictions) == ["prediction", "probability_yes"]
    assert report.predictions_with_drift == ()
    assert "Drift of predictions" in render(report)


def test_changed_inputs_and_predictions_are_both_in_the_headline(baseline, rng):
    batch = profile_batch(inputs(rng, 600, age=70), baseline, outputs=outputs(rng, 600, shift=1.0))
    text = render_text(DriftDetector(baseline).detect_drift(batch))
    assert text.startswith("Inputs and predictions changed a lot.\n")


def test_a_probability_ten_times_as_high_is_a_change_and_not_another_unit(rng):
    low = pd.DataFrame({"probability_yes": rng.beta(2, 80, 500)})
    baseline = build_baseline(inputs(rng, 500), outputs=low)
    batch = profile_batch(inputs(rng, 500), baseline, outputs=low * 10)
    report = DriftDetector(baseline).detect_drift(batch)
    assert report.prediction_verdict == "ALERT"
    assert "unit" not in report.predictions["probability_yes"].description


@pytest.mark.parametrize("held_out", [0, 99])
def test_with_too_few_held_out_rows_only_inputs_are_judged(rng, held_out: int):
    baseline = a_baseline(rng, held_out)
    report = judged(baseline, rng, shift=2.0)
    assert (report.verdict, report.prediction_verdict, report.predictions) == ("OK", None, {})
    assert "Drift of predictions" not in render(report)
    assert "prediction_drift_score" not in metrics_of(report)


def test_documents_of_an_earlier_release_have_no_predictions_and_are_judged_as_before(baseline, rng):
    old = BaselineStatistics.from_dict({k: v for k, v in baseline.to_dict().items() if k != "outputs"})
    batch = profile_batch(inputs(rng, 600), baseline, outputs=outputs(rng, 600, shift=2.0))
    report = DriftDetector(old).detect_drift(batch)
    assert (report.verdict, report.prediction_verdict) == ("OK", None)
    without = BatchProfile.from_dict({k: v for k, v in batch.to_dict().items() if k != "outputs"})
    assert DriftDetector(baseline).detect_drift(without).prediction_verdict is None
    both = merge(without, batch)
    assert (both.n_rows, both.outputs) == (1200, batch.outputs)


def test_outputs_of_pieces_add_up_to_those_of_the_whole(baseline, rng):
    frame, said = inputs(rng, 300), outputs(rng, 300)
    whole = profile_batch(frame, baseline, outputs=said)
    pieces = [
        profile_batch(frame[part], baseline, outputs=said[part]) for part in (slice(0, 90), slice(90, 300))
    ]
    assert merge(*pieces) == whole


def test_rows_without_a_prediction_do_not_count(baseline, rng):
    batch = profile_batch(inputs(rng, 600), baseline, outputs=outputs(rng, 80, shift=2.0))
    report = DriftDetector(baseline).detect_drift(batch)
    assert (report.verdict, report.prediction_verdict) == ("OK", "INSUFFICIENT_DATA")
    assert "prediction_drift_score" not in metrics_of(report)


def test_metric_email_and_event_carry_the_verdict_of_the_predictions(baseline, rng):
    report = judged(baseline, rng, shift=1.0)
    metrics = {metric.name: metric.value for metric in as_cloudwatch(metrics_of(report))}
    assert metrics["PredictionDriftScore"] == report.prediction_drift_score
    notifier = RecordingAnnouncer()
    night = date(2026, 5, 10)
    notify(
        "DriftDetected",
        report,
        night,
        report_uri="s3://artifacts/drift/adherence/2026-05-10/drift_report.html",
        notifier=notifier,
        personal=RecordingPersonalEmails(),
    )
    ((subject, body),) = notifier.emails
    assert subject.startswith("Predictions changed: adherence (")
    assert "This says that predictions changed" in body
    ((_, detail),) = notifier.events
    assert (detail["prediction_verdict"], detail["features_with_drift"]) == ("ALERT", [])
    inputs_too = replace(
        report, features_with_drift=("age",), features={"age": report.predictions["prediction"]}
    )
    notify(
        "DriftDetected",
        inputs_too,
        night,
        report_uri="s3://artifacts/drift/adherence/2026-05-10/drift_report.html",
        notifier=notifier,
        personal=RecordingPersonalEmails(),
    )
    assert notifier.emails[1][0] == "Inputs changed: adherence (age)"


@pytest.mark.parametrize(("held_out", "rows"), [(100, 300), (500, 1000)])
def test_unchanged_predictions_warn_in_at_most_one_of_twenty_checks(held_out: int, rows: int):
    rng = np.random.default_rng(held_out)
    n_warned = sum(
        judged(a_baseline(rng, held_out), rng, rows=rows).prediction_verdict != "OK" for _ in range(N_TRIALS)
    )
    assert n_warned <= 0.05 * N_TRIALS


def test_likely_causes_are_ranked_by_importance_and_change_and_say_what_they_cannot_tell(rng):
    baseline = build_baseline(
        inputs(rng, 2000), importance={"age": 0.6, "dose": 0.1}, outputs=outputs(rng, 500)
    )
    moved = inputs(rng, 600, age=58).assign(dose=lambda rows: rows.dose + 0.8)
    batch = profile_batch(moved, baseline, outputs=outputs(rng, 600, shift=1.0))
    report = DriftDetector(baseline).detect_drift(batch)
    age, dose = likely_causes(report)
    assert (age.feature.name, dose.feature.name) == ("age", "dose")
    assert age.share > 0.75
    assert age.share + dose.share == pytest.approx(1.0)
    text, page = render_text(report), render(report)
    assert "Likely causes of the changed predictions: age " in text
    assert "nor changed combinations of inputs" in text
    assert "nor changed combinations of inputs" in page
    assert "Likely causes" in page
    alike = replace(
        report, predictions={name: replace(p, verdict="OK") for name, p in report.predictions.items()}
    )
    assert likely_causes(alike) == []
    assert "Likely causes" not in render(alike)


def test_changed_predictions_without_a_changed_input_say_that_combinations_are_not_seen(baseline, rng):
    report = judged(baseline, rng, shift=1.0)
    assert likely_causes(report) == []
    assert NO_CAUSE in render_text(report)
    assert NO_CAUSE in render(report)
