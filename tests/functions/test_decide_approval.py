"""The approval page: forms that are not right, answers that add up, and the handler around it."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace

import pytest

from mlops.approval.links import make_link
from mlops.infrastructure.aws.clients import client
from mlops.models.approval import RequestStatus
from mlops.models.registry import Status
from mlops.models.scoring.shadow import ShadowAgreement, ShadowBatch, ShadowPart, ShadowQuality
from tests.functions.approval_links import is_untouched, token_of
from tests.functions.approval_stage import GROUP, an_http_event


def test_a_decision_that_was_not_delivered_is_delivered_by_the_next_click(stage, link):
    nonce = re.search(r'name="nonce" value="([^"]*)"', stage.http_request(link)["body"])[1]
    refuse_next(stage, "SendTaskSuccess")
    with pytest.raises(Exception, match="ThrottlingException"):
        stage.post(link)
    request = stage.request_of("v1.0.0")
    assert (request.status, request.is_delivered) == (RequestStatus.DECIDED, False)
    assert stage.is_running()
    assert stage.post(link, nonce=nonce)["statusCode"] == 409
    assert json.loads(stage.execution()["output"])["decision"] == "approved"
    assert stage.request_of("v1.0.0").is_delivered


def test_a_delivery_whose_answer_was_lost_counts_as_delivered(stage, link):
    nonce = re.search(r'name="nonce" value="([^"]*)"', stage.http_request(link)["body"])[1]
    assert stage.post(link)["statusCode"] == 303
    stage.execution()
    request = stage.request_of("v1.0.0")
    stage.table.put(replace(request, is_delivered=False, revision=request.revision + 1))
    assert stage.post(link, nonce=nonce)["statusCode"] == 409
    assert stage.request_of("v1.0.0").is_delivered
    assert stage.registry.get_model(GROUP, "v1.0.0").status is Status.PENDING_APPROVAL


def refuse_next(stage, operation: str) -> None:
    """Let the next call of an operation be throttled, whatever the client retries."""

    def throttle(**_: object) -> None:
        from botocore.exceptions import ClientError

        client("stepfunctions").meta.events.unregister(f"before-call.sfn.{operation}", throttle)
        raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, operation)

    client("stepfunctions").meta.events.register(f"before-call.sfn.{operation}", throttle)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"decision": None}, "choose Approve or Reject"),
        ({"decision": "maybe"}, "choose Approve or Reject"),
        ({"version": ""}, "type the version exactly"),
        ({"version": "v1.0.1"}, "type the version exactly"),
        ({"decision": "rejected"}, "a reason is needed"),
        ({"decision": "rejected", "reason": "\u200b\u200c"}, "a reason is needed"),
        ({"decision": "rejected", "reason": "x" * 1001}, "longer than 1000"),
    ],
)
def test_an_incomplete_form_says_what_is_missing_and_decides_nothing(stage, link, changes, message):
    answer = stage.post(link, **changes)
    assert answer["statusCode"] == 400
    assert message in answer["body"]
    assert is_untouched(stage)


@pytest.mark.parametrize("nonce", [None, "", "1.x", "9" * 12 + "." + "A" * 43])
def test_a_form_without_a_nonce_of_the_page_is_refused(stage, link, nonce):
    assert stage.post(link, nonce=nonce)["statusCode"] == 401
    assert is_untouched(stage)


def test_a_page_that_was_open_too_long_must_be_opened_again(stage):
    stage.subscribe("ada@example.com")
    link = stage.ask(stage.register(), timeout_seconds=86_400)[0]
    nonce = re.search(r'name="nonce" value="([^"]*)"', stage.http_request(link)["body"])[1]
    stage.clock.advance(hours=5)
    assert stage.post(link, nonce=nonce)["statusCode"] == 401
    assert stage.post(link)["statusCode"] == 303


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"sec-fetch-site": "same-origin", "origin": "null"}, 303),
        ({"origin": "https://api.example.com"}, 303),
    ],
)
def test_only_our_own_page_may_send_the_form(stage, link, headers, status):
    assert stage.post(link, headers=headers)["statusCode"] == status


@pytest.mark.parametrize(
    "body", ["a=1&a=2", "x" * 20_000, "%ff=%fe", "decision=approved&extra=1", "nonsense"]
)
def test_a_body_that_is_not_a_form_is_refused(stage, link, body):
    assert stage.http_request(link, "POST", body=body)["statusCode"] == 400
    assert is_untouched(stage)


def test_a_base64_body_is_read(stage, link):
    nonce = re.search(r'name="nonce" value="([^"]*)"', stage.http_request(link)["body"])[1]
    body = base64.b64encode(f"nonce={nonce}&decision=approved&version=v1.0.0".encode()).decode()
    event = an_http_event(token_of(link), "POST", body=body) | {"isBase64Encoded": True}
    assert stage.page.reply(event)["statusCode"] == 303


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_not_possible(stage, link, method):
    assert stage.http_request(link, method)["statusCode"] == 405
    assert is_untouched(stage)


def test_two_of_three_approvers_are_enough_when_two_are_required(stage):
    stage.subscribe("ada@example.com", "bob@example.com", "cyd@example.com")
    model = stage.register(settings=stage.settings(required_approvals=2))
    ada, bob, cyd = stage.ask(model)
    assert stage.post(ada, reason="good")["statusCode"] == 303
    assert "Not decided yet" in stage.http_request(ada)["body"]
    assert stage.is_running()
    assert "1 approvals are still" not in stage.http_request(bob)["body"]
    assert stage.post(bob)["statusCode"] == 303
    output = json.loads(stage.execution()["output"])
    assert output["decided_by"] == "link of ada@example.com, link of bob@example.com"
    answered = [entry for entry in stage.registry.check_audit(GROUP) if entry.action == "answer"]
    assert [(entry.by, entry.reason) for entry in answered] == [("link of ada@example.com", "approved: good")]
    assert answered[0].approval_request == stage.request_of("v1.0.0").id_hash
    assert "Approved" in stage.http_request(cyd)["body"]


def test_one_no_is_enough(stage):
    stage.subscribe("ada@example.com", "bob@example.com")
    ada, bob = stage.ask(stage.register(settings=stage.settings(required_approvals=2)))
    stage.post(ada)
    stage.post(bob, decision="rejected", reason="no")
    assert json.loads(stage.execution()["output"])["decision"] == "rejected"


def test_the_handler_answers_and_logs_no_link(stage, link, caplog):
    from functions.decide_approval import app

    answer = stage.handle(app, an_http_event(token_of(link)))
    assert answer["statusCode"] == 200
    logged = "\n".join(str(vars(record)) for record in caplog.records)
    assert "page answered" in logged
    assert token_of(link) not in logged


def test_the_sample_event_gets_a_page(stage, repository):
    from functions.decide_approval import app

    event = json.loads((repository / "events/decide_approval.json").read_text())
    answer = stage.handle(app, event)
    assert answer["statusCode"] in (400, 401, 410)


def test_a_token_fits_where_addresses_must_fit(stage, link):
    assert len(link) < 500
    request = stage.request_of("v1.0.0")
    longest = make_link(replace(request, group="g" * 63), "i" * 32, "ada@example.com", now=stage.clock())
    assert len(stage.signer.sign(longest)) < 512


@pytest.fixture
def asked_beside_champion(stage) -> tuple[str, str, str]:
    """The link of the approver of a candidate, its version, and that of the champion."""
    stage.promote_two()
    stage.subscribe("ada@example.com")
    model = stage.register(dataset_version="d2")
    return stage.ask(model)[0], model.version, stage.registry.champion(GROUP).version


def test_the_page_says_how_the_candidate_did_in_shadow(stage, asked_beside_champion):
    link, version, champion = asked_beside_champion
    assert "In shadow" not in stage.http_request(link)["body"]
    part = ShadowPart(25, 20)
    agreement = ShadowAgreement(
        n_batches=1, total=ShadowPart(200, 30), parts={"site = A": part}, changes={"yes -> no": 30}
    )
    for batch_id, one in (("b1", agreement), ("b2", ShadowAgreement(skipped={"larger than 10 bytes": 1}))):
        stage.shadow.write(ShadowBatch(GROUP, batch_id, champion, version, one))
    stage.shadow.write(ShadowBatch(GROUP, "b3", "v0.9.0", version, agreement))  # beside another champion
    body = stage.http_request(link)["body"]
    assert "The same prediction for 85.0 % on 200 rows of 1 file" in body
    assert "Differs more where site = A: 80.0 % differ, of 25 rows." in body
    assert "larger than 10 bytes" in body
    assert "No outcome of these rows is known yet." in body
    stage.shadow.write_quality(GROUP, ShadowQuality(champion, version, False, 40, 0.75, 0.8))
    body = stage.http_request(link)["body"]
    assert f"Right predictions on 40 rows with a label: {version} 80.0 %, {champion} 75.0 %." in body
    assert "No outcome" not in body


def test_differences_of_numbers_are_said_as_numbers(stage, asked_beside_champion):
    link, version, champion = asked_beside_champion
    agreement = ShadowAgreement(is_number=True, n_batches=1, total=ShadowPart(10, 4, 25.0), n_only_champion=1)
    stage.shadow.write(ShadowBatch(GROUP, "b1", champion, version, agreement))
    body = stage.http_request(link)["body"]
    assert "Mean absolute difference of the predictions 2.5 on 10 rows" in body
    assert f"1 row scored by {champion} and not by {version}." in body
