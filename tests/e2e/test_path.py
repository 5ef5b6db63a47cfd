"""A dropped CSV becomes an approved champion, predictions, drift reports, metrics and a dashboard."""

from __future__ import annotations

import csv
import io
import json

import pandas as pd
import pytest

from local.cloud import HttpAnswer
from local.stack import DeployedStack
from mlops.context.predict_api import request_predictions
from mlops.models.errors import ScoringError
from mlops.models.scoring.answer import PredictionRequest
from tests.e2e.approvals import operating
from tests.e2e.permissions import readers_of_models
from tests.e2e.walks import EXAMPLE, GROUP, Walk, walk

pytestmark = pytest.mark.e2e


def predictions(stack: DeployedStack, batch_id: str, group: str = GROUP) -> pd.DataFrame:
    content = stack.read(f"{stack.batch_folder(group, batch_id)}/predictions.csv").decode()
    return pd.read_csv(io.StringIO(content), dtype=str)


def test_a_dropped_file_becomes_the_champion(stack: DeployedStack, champion: Walk) -> None:
    assert champion.version == "v1.0.0"
    assert champion.states == [
        "Trained before?",
        "Read the request",
        "Prepare training",
        "A job for each trial?",
        "Train model",
        "Register model",
        "Good enough?",
        "Request approval",
        "Approved?",
        "Promote model",
        "Mail promotion",
        "Model approved",
    ]
    subjects = [mail["subject"] for mail in stack.cloud.emails()]
    assert f"{GROUP} v1.0.0 is in service" in subjects


def test_the_evidence_of_the_version_is_kept(stack: DeployedStack, champion: Walk) -> None:
    metrics = json.loads(stack.read(f"models/{GROUP}/v1.0.0/metrics.json"))
    low, high = metrics["intervals"]["roc_auc"]
    assert low <= metrics["roc_auc"] <= high
    assert metrics["roc_auc"] > 0.55
    folder = f"models/{GROUP}/v1.0.0"
    assert f"{folder}/baseline_statistics.json" in stack.keys(f"{folder}/")
    page = stack.read(f"{folder}/model_card.html").decode()
    for message in (f"Model card: {GROUP} v1.0.0", f"/{GROUP}/training/", "Cost of training"):
        assert message in page
    for name in ("roc", "precision_recall", "calibration", "confusion", "importance", "slices"):
        assert stack.read(f"{folder}/plots/{name}.svg").startswith(b"<svg")


def test_predictions_come_back_in_the_order_of_the_rows(stack: DeployedStack, scored: Walk) -> None:
    scored_rows = list(csv.DictReader((EXAMPLE / "score.csv").read_text().splitlines()))
    actual = predictions(stack, scored.output["batch_id"])
    assert list(actual["patient_id"]) == [row["patient_id"] for row in scored_rows]
    assert list(actual["row"]) == [str(number) for number in range(1, len(actual) + 1)]
    assert set(actual["row_status"]) == {"scored"}
    assert actual["probability_1"].astype(float).between(0, 1).all()
    assert set(actual["model_version"]) == {"v1.0.0"}
    assert scored.states[-1] == "Predictions ready"


def test_the_link_in_the_email_leads_to_the_predictions(
    stack: DeployedStack, scored: Walk, opened_result: tuple[HttpAnswer, HttpAnswer]
) -> None:
    page, answer = opened_result
    assert "score.csv" in page.text
    assert answer.status == 303
    download = stack.cloud.request("GET", answer.headers["location"])
    folder = stack.batch_folder(GROUP, scored.output["batch_id"])
    assert download.body == stack.read(f"{folder}/predictions.csv")


def test_rows_are_predicted_at_once_as_in_a_file(
    stack: DeployedStack, scored: Walk, requested: pd.DataFrame
) -> None:
    expected = predictions(stack, scored.output["batch_id"]).head(len(requested))
    for name in ("row", "patient_id", "prediction", "row_status", "model_version"):
        assert list(requested[name].astype(str)) == list(expected[name])
    assert list(requested["probability_1"]) == list(expected["probability_1"].astype(float))
    assert all(len(reasons) == 3 for reasons in requested["reasons"])


def test_a_request_to_predict_must_be_signed_by_someone_who_may(
    stack: DeployedStack, requested: pd.DataFrame
) -> None:
    url = f"{stack.outputs['PredictUrl']}/groups/{GROUP}/predict"
    assert stack.cloud.request("POST", url, b'{"rows": [{}]}').status == 403
    roles = stack.cloud.client("iam").list_roles()["Roles"]
    reader = next(role["Arn"] for role in roles if "ShowResultFunction" in role["RoleName"])
    with operating(stack), pytest.MonkeyPatch.context() as patch:
        for name, value in stack.cloud.as_role(reader).items():
            patch.setenv(name.upper(), value)
        with pytest.raises(ScoringError, match="403"):
            request_predictions(stack.outputs["PredictUrl"], GROUP, PredictionRequest(({},)))


def test_a_batch_like_the_training_data_has_no_drift(scored: Walk) -> None:
    assert scored.output["drift_verdict"] == "OK"
    assert scored.output["features_with_drift"] == []


def test_a_batch_of_other_patients_is_reported_as_drift(stack: DeployedStack, scored_drifted: Walk) -> None:
    assert scored_drifted.output["drift_verdict"] == "ALERT"
    assert scored_drifted.output["drift_score"] > 0.2
    folder = stack.batch_folder(GROUP, scored_drifted.output["batch_id"])
    page = stack.read(f"{folder}/drift_report.html").decode()
    for feature in scored_drifted.output["features_with_drift"]:
        assert feature in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "<script" not in page


def test_a_larger_file_is_scored_in_ranges_or_in_a_job_by_the_same_code(
    stack: DeployedStack, scored: Walk, scored_in_ranges: Walk, scored_in_a_job: Walk
) -> None:
    assert scored_in_ranges.states[-3:] == ["Score ranges", "Merge ranges", "Predictions ready"]
    assert "Run inference in a job" in scored_in_a_job.states
    small = predictions(stack, scored.output["batch_id"])
    for scored_large in (scored_in_ranges, scored_in_a_job):
        large = predictions(stack, scored_large.output["batch_id"])
        assert len(large) > len(small)
        assert list(large["probability_1"][: len(small)]) == list(small["probability_1"])


def test_a_compiled_model_is_scored_without_scikit_learn(
    stack: DeployedStack, scored: Walk, scored_in_ranges: Walk
) -> None:
    assert readers_of_models(stack, GROUP) >= {"RunInferenceCompiled", "ScoreRangeCompiled"}


def test_a_model_without_a_compiled_form_is_scored_by_its_pipeline(
    stack: DeployedStack, scored_by_pipeline: tuple[Walk, Walk]
) -> None:
    assert scored_by_pipeline[1].states[-3:] == ["Score ranges", "Merge ranges", "Predictions ready"]
    scoring = {"RunInference", "ListRanges", "ScoreRange", "MergeRanges"}
    assert readers_of_models(stack, "wooded") - {"RegisterModel", "PromoteModel"} == scoring
    few, all_rows = (predictions(stack, each.output["batch_id"], "wooded") for each in scored_by_pipeline)
    assert list(all_rows["prediction"][: len(few)]) == list(few["prediction"])


def test_a_scoring_that_fails_is_mailed_with_the_step(stack: DeployedStack, failed_scoring: str) -> None:
    assert stack.status(failed_scoring) == "FAILED"
    expected = f"{GROUP}: scoring failed"
    mail = stack.wait_for_email(lambda m: m["subject"] == expected and "File: k\n" in m["body"], "failure")
    assert "Step: Run inference" in mail["body"]
    assert "Traceback" not in mail["body"]


def test_the_email_about_a_failed_range_says_why_it_failed(failed_range: dict) -> None:
    assert failed_range["subject"] == f"{GROUP}: scoring failed"
    assert "Step: Score ranges\nError: ObjectNotFoundError" in failed_range["body"]
    assert "/ranges/00000.csv does not exist." in failed_range["body"]


def test_ranges_of_a_converted_file_are_read_and_a_deleted_file_is_named_as_such(
    converted_range: dict, errors_of_a_deleted_file: set[str]
) -> None:
    assert converted_range == {"index": 0}
    assert errors_of_a_deleted_file == {"ObjectNotFoundError"}


def test_a_drift_alert_is_acknowledged_on_its_page(acknowledged_alert: HttpAnswer) -> None:
    assert "Acknowledged by link of approver@example.com." in acknowledged_alert.text


def test_an_artifact_that_is_not_the_approved_one_is_not_promoted(
    stack: DeployedStack, swapped_artifact: tuple[str, list[str]]
) -> None:
    execution, states = swapped_artifact
    assert stack.status(execution) == "FAILED"
    assert states[-8:-4] == ["Promote model", "Explain failure", "Run the job again?", "Count failure"]
    assert states[-1] == "Training failed"


def test_an_error_that_passes_does_not_cost_an_approval(
    stack: DeployedStack, unlucky_promotion: Walk
) -> None:
    assert unlucky_promotion.states[-3:] == ["Promote model", "Mail promotion", "Model approved"]
    assert "unlucky v1.0.0 is in service" in [mail["subject"] for mail in stack.cloud.emails()]


def test_the_nightly_check_finds_the_drift_and_publishes_it(
    stack: DeployedStack, checked_for_drift: dict
) -> None:
    actual = {group["group"]: group for group in checked_for_drift["groups"]}
    assert actual[GROUP]["verdict"] == "ALERT"
    assert actual[GROUP]["n_batches"] >= 2
    cloudwatch = stack.cloud.client("cloudwatch")
    names = {
        metric["MetricName"]
        for page in cloudwatch.get_paginator("list_metrics").paginate(
            Namespace=stack.outputs["MetricsNamespace"]
        )
        for metric in page["Metrics"]
    }
    assert {"DriftScore", "FeaturesWithDrift", "DriftAlerts", "DriftChecksCompleted", "RowsScored"} <= names
    assert any(key.endswith("drift_report.html") for key in stack.keys(f"drift/{GROUP}/"))


def test_a_second_check_of_the_same_night_sends_no_second_mail(
    stack: DeployedStack, checked_for_drift: dict
) -> None:
    before = len([mail for mail in stack.cloud.emails() if mail["subject"].startswith("Inputs changed")])
    again = {group["group"]: group for group in stack.check_drift()["groups"]}
    assert again[GROUP]["verdict"] == "ALERT"  # other tests may have scored more batches meanwhile
    after = len([mail for mail in stack.cloud.emails() if mail["subject"].startswith("Inputs changed")])
    assert after == before


def test_a_second_night_in_drift_is_mailed_once(stack: DeployedStack, drift_mail: dict) -> None:
    assert GROUP in drift_mail["subject"]
    assert "preanti" in drift_mail["body"] or "prior_therapy" in drift_mail["body"]


def test_a_newer_candidate_ends_the_wait_for_the_older_one(superseded_candidate: Walk) -> None:
    assert superseded_candidate.states[-2:] == ["Supersede model", "Superseded by a newer candidate"]


def test_a_decision_after_the_execution_was_stopped_is_too_late(answer_after_a_stop: HttpAnswer) -> None:
    assert answer_after_a_stop.status == 410
    assert "late" in answer_after_a_stop.text


def test_a_reviewers_no_is_an_ending_of_its_own(stack: DeployedStack, rejected_candidate: Walk) -> None:
    assert rejected_candidate.states[-1] == "Rejected by reviewer"


def test_a_model_of_noise_is_rejected_by_the_gate_with_a_reason(
    stack: DeployedStack, hopeless_candidate: Walk
) -> None:
    assert hopeless_candidate.states[-1] == "Rejected by gate"
    mail = stack.wait_for_email(lambda m: m["subject"].startswith("noise v1.0.0"), "gate result")
    assert "better than a model that looks at nothing" in " ".join(mail["body"].split())


def test_a_candidate_without_an_answer_expires(stack: DeployedStack, forgotten_candidate: str) -> None:
    ended = walk(stack, forgotten_candidate)
    assert ended.states[-2:] == ["Expire model", "Approval expired"]
    stack.wait_for_email(
        lambda m: "forgotten" in m["subject"] and "expired" in m["subject"].lower(), "expiry"
    )


def test_the_dashboard_and_the_inbox_are_pages(stack: DeployedStack, champion: Walk) -> None:
    for page in ("dashboard", "inbox", ""):
        answer = stack.cloud.request("GET", f"{stack.cloud.endpoint}/_local/{page}")
        assert answer.status == 200, page
