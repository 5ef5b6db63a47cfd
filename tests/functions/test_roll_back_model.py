"""The rollback page: the previous champion back, by one decision, with the safety of the approval page."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from functions.roll_back_model import app
from mlops.approval.links import make_link
from mlops.infrastructure.aws.clients import client
from mlops.links.link import Purpose, hash_subject
from mlops.models.approval import RollbackDecision
from mlops.models.registry import Status
from tests.functions.approval_stage import GROUP, ROLLBACK_URL, an_http_event

REASON = "It predicts nonsense since noon."


@pytest.fixture
def link(stage) -> str:
    """The link of the one approver, from v1.0.1 back to v1.0.0."""
    return stage.offer_rollback("ada@example.com")[0]


def offer_of(stage, link: str):
    opened = stage.signer.read(link.rsplit("/", 1)[1], Purpose.ROLLBACK, now=stage.clock())
    return stage.rollbacks.table.get(opened.subject_hash)


def champion(stage) -> str:
    return stage.registry.champion(GROUP).version


def test_fifty_gets_and_heads_show_what_would_happen_and_change_nothing(stage, link):
    for method in ("GET", "HEAD") * 25:
        assert stage.http_request(link, method)["statusCode"] == 200
    page = stage.http_request(link)["body"]
    for message in ("In service: v1.0.1", "Before: v1.0.0", "Average precision", "0.6100", "is archived"):
        assert message in page
    assert stage.http_request(link, "HEAD")["body"] == ""
    assert champion(stage) == "v1.0.1"
    assert offer_of(stage, link).revision == 1


def test_a_post_with_the_typed_version_and_a_reason_puts_the_previous_champion_back(stage, link):
    assert stage.post(link, reason=REASON)["statusCode"] == 303
    assert champion(stage) == "v1.0.0"
    assert stage.registry.get_model(GROUP, "v1.0.1").status is Status.ARCHIVED
    last = stage.registry.audit(GROUP)[-1]
    assert (last.action, last.by, last.reason) == ("roll back to", "link of ada@example.com", REASON)
    mail = stage.emails(stage.notifications)[-1]
    assert mail["subject"] == f"Rolled back: {GROUP} v1.0.0 is in service again"
    assert REASON in mail["body"]
    metrics = client("cloudwatch").list_metrics(Namespace="MLOps/test")["Metrics"]
    assert "ChampionsRolledBack" in {metric["MetricName"] for metric in metrics}
    shown = stage.http_request(link)
    assert shown["statusCode"] == 200
    assert "v1.0.0 is in service again." in shown["body"]
    assert "<form" not in shown["body"]


def test_64_parallel_posts_of_two_approvers_roll_back_once(stage):
    links = stage.offer_rollback("ada@example.com", "bob@example.com")
    nonces = {link: stage.nonce(link) for link in links}
    with ThreadPoolExecutor(64) as pool:
        posts = [links[index % 2] for index in range(64)]
        answers = list(pool.map(lambda link: stage.post(link, nonce=nonces[link], reason=REASON), posts))
    statuses = [answer["statusCode"] for answer in answers]
    assert statuses.count(303) == 1
    assert set(statuses) <= {303, 409, 410}
    assert champion(stage) == "v1.0.0"
    assert [entry.action for entry in stage.registry.audit(GROUP)].count("roll back to") == 1
    assert len(stage.emails(stage.notifications)) == 1


def test_a_second_answer_shows_the_first(stage, link):
    nonce = stage.nonce(link)
    stage.post(link, reason=REASON)
    late = stage.post(link, nonce=nonce, reason="me too")
    assert late["statusCode"] == 409
    assert "did not count" in late["body"]
    assert REASON in late["body"]
    assert stage.registry.audit(GROUP)[-1].reason == REASON


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "a reason is needed"),
        ({"reason": "   "}, "a reason is needed"),
        ({"reason": "\u200b"}, "a reason is needed"),
        ({"reason": "\u0301\u3164"}, "a reason is needed"),
        ({"reason": REASON, "version": ""}, "type the version exactly as v1.0.0"),
        ({"reason": REASON, "version": "v1.0.1"}, "type the version exactly as v1.0.0"),
        ({"reason": REASON, "version": "ⅴ1.0.0"}, "type the version exactly"),  # a homoglyph of v
        ({"reason": REASON, "version": "v1.0.О"}, "type the version exactly"),
        ({"reason": "x" * 1001}, "longer than 1000"),
    ],
)
def test_an_incomplete_form_says_what_is_missing_and_changes_nothing(stage, link, changes, message):
    answer = stage.post(link, **changes)
    assert answer["statusCode"] == 400
    assert message in answer["body"]
    assert champion(stage) == "v1.0.1"


def test_a_link_expires_after_thirty_days(stage, link):
    nonce = stage.nonce(link)
    stage.clock.advance(days=29, hours=23)
    assert stage.http_request(link)["statusCode"] == 200
    stage.clock.advance(hours=2)
    late = stage.http_request(link)
    assert (late["statusCode"], "This rollback link has expired" in late["body"]) == (410, True)
    assert stage.post(link, nonce=nonce, reason=REASON)["statusCode"] in (401, 410)
    assert champion(stage) == "v1.0.1"


@pytest.mark.parametrize("kind", ["approval", "rollback"])
def test_a_link_works_only_on_the_page_that_it_was_made_for(stage, link, kind):
    approval = stage.ask(stage.register(dataset_version="d2"))[0]
    one, other = (approval, link) if kind == "approval" else (link, approval)
    base = other.rsplit("/", 1)[0]
    crossed = f"{base}/{one.rsplit('/', 1)[1]}"
    for method in ("GET", "HEAD", "POST"):
        assert stage.http_request(crossed, method)["statusCode"] == 401
    assert stage.post(other, nonce=stage.nonce(one), reason=REASON, version="v1.0.0")["statusCode"] == 401
    assert champion(stage) == "v1.0.1"
    assert stage.request_of("v1.0.2").answers == ()


def test_an_offer_with_the_id_of_an_approval_is_distinguished_by_its_purpose(stage, link):
    offer = replace(offer_of(stage, link), id_hash=hash_subject("same"), revision=1)
    stage.rollbacks.table.put(offer)
    same = make_link(offer, "same", "ada@example.com", now=stage.clock())
    assert stage.http_request(stage.signer.address(ROLLBACK_URL, same))["statusCode"] == 200
    assert stage.table.get(hash_subject("same")) is None


def test_when_the_champion_has_changed_meanwhile_nothing_is_rolled_back(stage, link):
    nonce = stage.nonce(link)
    newer = stage.register(dataset_version="d2").version
    stage.registry.approve_model(GROUP, newer)
    stage.registry.promote_model(GROUP, newer)
    shown, answer = stage.http_request(link), stage.post(link, nonce=nonce, reason=REASON)
    assert (shown["statusCode"], answer["statusCode"]) == (410, 410)
    assert "v1.0.1 is not in service any more" in answer["body"]
    assert champion(stage) == newer
    assert offer_of(stage, link).decision is None


def test_a_previous_champion_without_its_artifact_is_not_put_back(stage, link):
    artifact = stage.registry.get_model(GROUP, "v1.0.0").artifact
    key = artifact.uri.removeprefix("s3://artifacts/")
    client("s3").delete_object(Bucket="artifacts", Key=key, VersionId=artifact.version_id)
    answer = stage.post(link, reason=REASON)
    assert answer["statusCode"] == 409
    assert "does not exist any more" in answer["body"]
    assert champion(stage) == "v1.0.1"
    assert offer_of(stage, link).decision is None


def test_a_decision_that_was_not_carried_out_is_made_up_for_once(stage, link):
    offer = offer_of(stage, link)
    decision = RollbackDecision("link of ada@example.com", REASON, stage.clock())
    stage.rollbacks.table.put(replace(offer, decision=decision, revision=2))
    assert stage.rollbacks.complete_all().n_completed == 0  # the request that decided may still complete it
    stage.clock.advance(minutes=2)
    assert stage.rollbacks.complete_all().n_completed == 1
    assert champion(stage) == "v1.0.0"
    assert stage.rollbacks.complete_all().n_completed == 0
    assert "v1.0.0 is in service again." in stage.http_request(link)["body"]


def test_a_decision_that_cannot_be_carried_out_any_more_says_so(stage, link):
    offer = offer_of(stage, link)
    decision = RollbackDecision("link of ada@example.com", REASON, stage.clock())
    stage.rollbacks.table.put(replace(offer, decision=decision, revision=2))
    newer = stage.register(dataset_version="d2").version
    stage.registry.approve_model(GROUP, newer)
    stage.registry.promote_model(GROUP, newer)
    stage.clock.advance(minutes=2)
    assert stage.rollbacks.complete_all().n_completed == 1
    assert champion(stage) == newer
    assert "Nothing was rolled back." in stage.http_request(link)["body"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_not_possible(stage, link, method):
    assert stage.http_request(link, method)["statusCode"] == 405


def test_only_our_own_page_may_send_the_form(stage, link):
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        assert stage.post(link, reason=REASON, headers=headers)["statusCode"] == 403
    assert champion(stage) == "v1.0.1"


def test_the_handler_rolls_back_and_logs_no_link(stage, link, caplog):
    token = link.rsplit("/", 1)[1]
    body = f"nonce={stage.nonce(link)}&reason=worse&version=v1.0.0"
    event = an_http_event(token, "POST", body=body, route="/rollbacks/{token}")
    assert stage.handle(app, event)["statusCode"] == 303
    assert champion(stage) == "v1.0.0"
    assert token not in "\n".join(str(vars(record)) for record in caplog.records)


def test_the_sample_event_gets_a_page(stage, repository):
    event = json.loads((repository / "events/roll_back_model.json").read_text())
    assert stage.handle(app, event)["statusCode"] == 401
