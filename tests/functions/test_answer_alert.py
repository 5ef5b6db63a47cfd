"""The page of a drift alert: opening it changes nothing, its forms acknowledge or snooze it, on record."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pandas as pd
import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sns.models import sns_backends

from functions.answer_alert import app
from mlops.context.dependencies import Dependencies
from mlops.infrastructure.aws.clients import client
from mlops.links.link import LIFETIMES, Purpose
from mlops.monitoring import build_baseline, profile_batch
from mlops.monitoring.alert_state import AlertState
from mlops.monitoring.drift_detector import DriftDetector
from mlops.use_cases.drift.alert_mailer import AlertMailer
from tests.functions.approval_stage import CONTEXT, REGION, an_http_event

GROUP, NIGHT = "claims", date(2026, 3, 1)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
URL = "https://api.example.com/alerts"


class AlertStage:
    """A champion with an open alert, and the personal links of two approvers; `at` is the time now."""

    def __init__(self, registry_table: str, folder: Path) -> None:
        client("s3").create_bucket(Bucket="artifacts")
        secret = client("secretsmanager").create_secret(
            Name="k", SecretString=json.dumps({"current": "k" * 64})
        )
        self.topic = client("sns").create_topic(Name="approval")["TopicArn"]
        self.subscriptions = {
            email: client("sns").subscribe(TopicArn=self.topic, Protocol="email", Endpoint=email)
            for email in ("ada@example.com", "grace@example.com")
        }
        variables = {
            "APPROVAL_SIGNING_SECRET_ARN": secret["ARN"],
            "APPROVAL_TOPIC_ARN": self.topic,
            "ARTIFACT_BUCKET_NAME": "artifacts",
            "REGISTRY_TABLE_NAME": registry_table,
        }
        self.at = NOW
        self.parts = Dependencies("answer_alert", variables, now=lambda: self.at)
        self.registry = self.parts.registry
        self.promote(folder, "v1.0.0")
        rng = np.random.default_rng(0)
        baseline = build_baseline(pd.DataFrame({"age": rng.normal(41, 10, 500)}))
        batch = profile_batch(pd.DataFrame({"age": rng.normal(60, 10, 300)}), baseline)
        detector = DriftDetector(replace(baseline, model_version="v1.0.0"))
        report = detector.detect_drift(batch, created_at=NOW, model_group=GROUP)
        self.parts.drift_archive.write_report(GROUP, NIGHT, report)
        self.remember(alert_since=NIGHT)

    def promote(self, folder: Path, version: str) -> None:
        (folder / "model.txt").write_text(version)
        self.registry.register_model(GROUP, folder / "model.txt", {}, {}, version, "RandomForest")
        self.registry.approve_model(GROUP, version)
        self.registry.promote_model(GROUP, version)

    def remember(self, *, alert_since: date | None) -> None:
        state = AlertState(NIGHT, "v1.0.0", is_alarmed=True, is_announced=True, alert_since=alert_since)
        self.parts.drift_archive.write_state(GROUP, state)

    def send(self, group: str = GROUP) -> dict[str, str]:
        """Email the alert; return the token of each approver."""
        mailer = AlertMailer(self.topic, URL, self.parts.link_signer, self.parts.now)
        sent = sns_backends[DEFAULT_ACCOUNT_ID][REGION].topics[self.topic].sent_notifications
        before = len(sent)
        assert mailer.send(group, NIGHT, lambda link: ("Inputs changed", link)) == 2
        return {
            attributes["approver"]["Value"]: re.search(rf"^{URL}/(\S+)$", body, re.MULTILINE)[1]
            for _, body, _, attributes, *_ in sent[before:]
        }

    def visit(self, token: str, method: str = "GET", **form: str) -> dict:
        event = an_http_event(token, method, body=urlencode(form), route="/alerts/{token}")
        return app.handler(event, CONTEXT, dependencies=self.parts)

    def answer(self, token: str, **form: str) -> dict:
        nonce = re.search(r'name="nonce" value="([^"]*)"', self.visit(token)["body"])[1]
        return self.visit(token, "POST", nonce=nonce, **form)

    def audit(self) -> list[tuple[str, str, str]]:
        entries = self.registry.check_audit(GROUP)
        return [(e.action, e.by, e.reason) for e in entries if e.action in ("acknowledge", "snooze")]


@pytest.fixture
def stage(registry_table: str, tmp_path: Path) -> AlertStage:
    return AlertStage(registry_table, tmp_path)


@pytest.fixture
def token(stage: AlertStage) -> str:
    return stage.send()["ada@example.com"]


def test_gets_and_heads_show_verdict_rule_and_features_and_change_nothing(stage: AlertStage, token: str):
    for method in ("GET", "HEAD") * 5:
        assert stage.visit(token, method)["statusCode"] == 200
    page = stage.visit(token)["body"]
    report = stage.parts.drift_archive.report(GROUP, NIGHT)
    for words in ("Verdict ALERT", report.rule.split(",")[0], "age: ", "link of ada@example.com", GROUP):
        assert words in page
    assert stage.visit(token, "HEAD")["body"] == ""
    assert stage.audit() == []


def test_an_acknowledgement_is_kept_once_with_the_address_of_the_first_person(stage: AlertStage):
    tokens = stage.send()
    assert stage.answer(tokens["ada@example.com"], answer="acknowledge")["statusCode"] == 303
    assert stage.answer(tokens["grace@example.com"], answer="acknowledge")["statusCode"] == 303
    acknowledged = stage.registry.champion(GROUP).drift_acknowledged
    assert (acknowledged.night, acknowledged.by) == (NIGHT, "link of ada@example.com")
    assert stage.audit() == [
        ("acknowledge", "link of ada@example.com", f"drift alert of {NIGHT} acknowledged")
    ]
    page = stage.visit(tokens["grace@example.com"])["body"]
    assert "Acknowledged by link of ada@example.com." in page
    assert "Acknowledge this alert" not in page


def test_a_snooze_has_the_effect_of_the_command(stage: AlertStage, token: str):
    assert stage.answer(token, answer="snooze", days="3")["statusCode"] == 303
    until = NOW.date() + timedelta(days=3)
    assert stage.registry.champion(GROUP).drift_snoozed_until == until
    assert stage.audit() == [("snooze", "link of ada@example.com", f"drift snoozed until {until}")]
    assert f"Snoozed until the end of {until} (UTC)." in stage.visit(token)["body"]


@pytest.mark.parametrize("form", [
    {"answer": "snooze", "days": days} for days in ("0", "366", "-1", "1.5", "٣", "9" * 400, "")
] + [{}, {"answer": "other", "days": "3"}])  # fmt: skip
def test_a_form_without_a_possible_answer_changes_nothing(stage: AlertStage, token: str, form: dict):
    answer = stage.answer(token, **form)
    assert (answer["statusCode"], "from 1 to 365" in answer["body"]) == (400, True)
    assert stage.audit() == []


def test_a_nonce_of_another_link_or_of_yesterday_changes_nothing(stage: AlertStage):
    tokens = stage.send()
    nonce = re.search(r'name="nonce" value="([^"]*)"', stage.visit(tokens["ada@example.com"])["body"])[1]
    for token, given in ((tokens["grace@example.com"], nonce), (tokens["ada@example.com"], "")):
        assert stage.visit(token, "POST", nonce=given, answer="acknowledge")["statusCode"] == 401
    stage.at = NOW + timedelta(hours=5)
    assert (
        stage.visit(tokens["ada@example.com"], "POST", nonce=nonce, answer="acknowledge")["statusCode"] == 401
    )
    assert stage.audit() == []


def test_the_nonce_of_one_group_is_not_one_of_another(stage: AlertStage, token: str):
    nonce = re.search(r'name="nonce" value="([^"]*)"', stage.visit(token)["body"])[1]
    link = stage.parts.link_signer.read(stage.send("other")["ada@example.com"], "alert", now=NOW)
    with pytest.raises(Exception, match="does not belong to this link"):
        stage.parts.link_signer.check_nonce(nonce, link, now=NOW)


def test_the_link_of_someone_who_is_no_approver_any_more_opens_nothing(stage: AlertStage, token: str):
    arn = stage.subscriptions["ada@example.com"]["SubscriptionArn"]
    client("sns").unsubscribe(SubscriptionArn=arn)
    assert stage.visit(token)["statusCode"] == 401


@pytest.mark.parametrize("alert_since", [None, NIGHT + timedelta(days=1)])
def test_an_alert_that_is_over_is_shown_without_a_form(
    stage: AlertStage, token: str, alert_since: date | None
):
    nonce = re.search(r'name="nonce" value="([^"]*)"', stage.visit(token)["body"])[1]
    stage.remember(alert_since=alert_since)
    page = stage.visit(token)
    assert (page["statusCode"], "This alert is over." in page["body"]) == (200, True)
    assert 'name="nonce"' not in page["body"]
    assert stage.visit(token, "POST", nonce=nonce, answer="acknowledge")["statusCode"] == 410
    assert stage.audit() == []


def test_an_alert_about_a_version_that_was_replaced_is_over(stage: AlertStage, token: str, tmp_path: Path):
    stage.promote(tmp_path, "v1.0.1")
    assert "This alert is over." in stage.visit(token)["body"]


def test_an_expired_link_and_a_removed_report_say_so(stage: AlertStage, token: str):
    client("s3").delete_object(Bucket="artifacts", Key=f"drift/{GROUP}/{NIGHT}/drift_report.json")
    removed = stage.visit(token)
    assert (removed["statusCode"], "not stored any more" in removed["body"]) == (410, True)
    stage.at = NOW + LIFETIMES[Purpose.ALERT]
    expired = stage.visit(token)
    assert (expired["statusCode"], "valid until 2026-03-31" in expired["body"]) == (410, True)
    assert "mlops snooze" in expired["body"]
