"""More attacks on the pages, of the kind of the vectors: forged, replayed, doubled, oversized, at once."""

from __future__ import annotations

import base64
import json
import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, urlencode

import pytest

from mlops.infrastructure.aws.clients import client
from mlops.links.signer import NONCE_LIFETIME_SECONDS
from mlops.links.signing_keys import SigningKeys
from mlops.models.approval import RequestStatus
from mlops.models.errors import NoApproverError
from mlops.models.registry import DataFindings, Status
from tests.functions.approval_stage import BASE_URL, GROUP, KEY, an_http_event

FORM = {"decision": "approved", "version": "v1.0.0", "reason": ""}
TYPED = "type the version exactly"


@pytest.fixture
def link(stage) -> str:
    stage.subscribe("ada@example.com")
    return stage.ask(stage.register())[0]


def is_untouched(stage) -> bool:
    request = stage.request_of("v1.0.0")
    return (request.status, request.answers) == (RequestStatus.PENDING, ()) and stage.is_running()


def send(stage, link: str, body: str, **more) -> dict:
    return stage.http_request(link, "POST", body=body, **more)


@pytest.mark.parametrize(
    "version",
    ["V1.0.0", "v1.0.0\u200b", "v1.0.O", "v1٫0٫0", "ｖ1.0.0", "v1.0.0; v1.0.1", "v1.0.00", "1.0.0", "v1․0․0"],
)
def test_a_version_that_only_looks_right_is_not_typed_right(stage, link, version):
    answer = stage.post(link, version=version)
    assert answer["statusCode"] == 400
    assert TYPED in answer["body"]
    assert is_untouched(stage)


def test_spaces_around_the_version_are_forgiven(stage, link):
    assert stage.post(link, version=" v1.0.0 ")["statusCode"] == 303


@pytest.mark.parametrize("doubled", ["decision", "version", "nonce", "reason"])
def test_a_field_that_comes_twice_is_refused(stage, link, doubled):
    form = FORM | {"nonce": stage.nonce(link)}
    body = f"{urlencode(form)}&{urlencode({doubled: form[doubled]})}"
    assert send(stage, link, body)["statusCode"] == 400
    assert is_untouched(stage)


@pytest.mark.parametrize(
    "body",
    [
        "&".join(f"f{number}=x" for number in range(5_000)),
        "reason=" + "x" * 16_384,
        "reason=" + "%F0%9F%98%80" * 1_500,
        json.dumps(FORM),
        "decision[]=approved&version=v1.0.0",
        "DECISION=approved&version=v1.0.0",
        ";decision=approved;version=v1.0.0",
        "\x00",
        "<form><input name=decision value=approved></form>",
    ],
)
def test_a_body_of_another_kind_is_refused(stage, link, body):
    assert send(stage, link, body)["statusCode"] in (400, 401)
    assert is_untouched(stage)


@pytest.mark.parametrize("body", ["%%%", "A" * 40_000, base64.b64encode(b"\xff\xfe").decode()])
def test_a_body_that_is_not_base64_of_a_form_is_refused(stage, link, body):
    event = an_http_event(link.rsplit("/", 1)[1], "POST", body=body) | {"isBase64Encoded": True}
    assert stage.page.reply(event)["statusCode"] == 400
    assert is_untouched(stage)


def test_a_nonce_is_worth_nothing_after_the_decision(stage, link):
    nonce = stage.nonce(link)
    assert stage.post(link, nonce=nonce)["statusCode"] == 303
    replayed = stage.post(link, nonce=nonce, decision="rejected", reason="changed my mind")
    assert replayed["statusCode"] == 409
    assert len(stage.request_of("v1.0.0").answers) == 1


def test_a_nonce_of_another_approvers_page_is_refused(stage):
    stage.subscribe("ada@example.com", "bob@example.com")
    ada, bob = stage.ask(stage.register())
    assert stage.post(bob, nonce=stage.nonce(ada))["statusCode"] == 401
    assert is_untouched(stage)


@pytest.mark.parametrize("seconds", [-61, NONCE_LIFETIME_SECONDS + 1])
def test_a_nonce_from_the_future_or_the_distant_past_is_refused(stage, seconds):
    stage.subscribe("ada@example.com")
    link = stage.ask(stage.register(), timeout_seconds=10 * 3600)[0]
    stage.clock.advance(minutes=10)
    nonce = stage.nonce(link)
    stage.clock.advance(seconds=seconds)
    assert stage.post(link, nonce=nonce)["statusCode"] == 401
    assert is_untouched(stage)


def test_clocks_may_differ_by_a_minute(stage, link):
    nonce = stage.nonce(link)
    stage.clock.advance(seconds=-55)
    assert stage.post(link, nonce=nonce)["statusCode"] == 303


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "get post", ""])
def test_a_method_of_another_kind_changes_nothing(stage, link, method):
    body = urlencode(FORM | {"nonce": stage.nonce(link)})
    answer = stage.http_request(link, method, body=body)
    assert (answer["statusCode"], answer["headers"]["Allow"]) == (405, "GET, HEAD, POST")
    assert is_untouched(stage)


def test_a_head_with_a_body_or_another_method_named_in_a_header_only_reads(stage, link):
    body = urlencode(FORM | {"nonce": stage.nonce(link)})
    for headers in ({}, {"x-http-method-override": "POST"}, {"x-method-override": "POST"}):
        for method in ("GET", "HEAD"):
            assert stage.http_request(link, method, body=body, headers=headers)["statusCode"] == 200
    assert stage.http_request(link, query=body)["statusCode"] == 200
    assert is_untouched(stage)


@pytest.mark.parametrize("change", ["/", "/card", "%2Fcard", "/..", "?token=x", "#card", ".html", " ", "\n"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_something_after_the_token_is_another_token(stage, link, change, method):
    assert stage.http_request(link + change, method)["statusCode"] == 400
    assert is_untouched(stage)


def test_the_page_is_chosen_by_the_route_of_the_gateway_not_by_the_path(stage, link):
    token = link.rsplit("/", 1)[1]
    event = an_http_event(token, "POST", body=urlencode(FORM)) | {"rawPath": f"/approvals/{token}/card"}
    assert stage.page.reply(event)["statusCode"] == 401  # the form's page, and the nonce is missing
    assert is_untouched(stage)


@pytest.mark.parametrize(
    "forge",
    [
        lambda payload: payload | {"aud": ["approval", "rollback"]},
        lambda payload: payload | {"for": "0" * 12},
        lambda payload: {key: value for key, value in payload.items() if key != "aud"},
        lambda payload: payload | {"alg": "none", "aud": "Approval"},
        lambda payload: [payload],
    ],
)
def test_a_signed_token_of_another_shape_is_refused(stage, link, forge):
    body = link.rsplit("/", 1)[1].split(".")[0]
    payload = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    forged = base64.urlsafe_b64encode(json.dumps(forge(payload)).encode()).rstrip(b"=").decode()
    token = f"{forged}.{SigningKeys((KEY.encode(),)).sign(forged)}"
    assert stage.http_request(f"{BASE_URL}/{token}")["statusCode"] == 401


@pytest.mark.parametrize("key", ["", "0" * 64, KEY[:-1], KEY + "k"])
def test_a_token_under_another_key_is_refused(stage, link, key):
    body = link.rsplit("/", 1)[1].split(".")[0]
    forged = f"{BASE_URL}/{body}.{SigningKeys((key.encode(),)).sign(body)}"
    assert stage.http_request(forged)["statusCode"] == 401
    assert is_untouched(stage)


def test_the_reason_goes_through_as_it_was_written_and_is_shown_as_text(stage, link):
    reason = '<img src=x onerror=alert(1)> "quoted" & ünïcode\n=1+1'
    assert stage.post(link, reason=reason)["statusCode"] == 303
    assert json.loads(stage.execution()["output"])["reason"] == reason
    assert "<img src=x" not in stage.http_request(link)["body"]


def test_no_answer_leaves_its_page_without_protection(stage, link):
    answers = [
        stage.http_request(link),
        stage.http_request(f"{BASE_URL}/{quote('<b>')}"),
        stage.http_request(link, "PUT"),
        stage.post(link, version="x"),
        stage.post(link),
    ]
    assert [answer["statusCode"] for answer in answers] == [200, 400, 405, 400, 303]
    for answer in answers:
        assert "default-src 'none'" in answer["headers"]["Content-Security-Policy"]
        assert "unsafe" not in answer["headers"]["Content-Security-Policy"]
        assert answer["headers"]["Cache-Control"] == "no-store"
        assert answer["headers"]["Referrer-Policy"] == "no-referrer"


# ── Quorum and the uploader, on the page ──────────────────────────────────────────


def test_the_second_approver_sees_whose_yes_is_in(stage):
    stage.subscribe("ada@example.com", "bob@example.com", "cyd@example.com")
    ada, bob, _ = stage.ask(stage.register(settings=stage.settings(required_approvals=2)))
    assert "0 of 2 approvals are in" in stage.http_request(ada)["body"]
    stage.post(ada, reason="fine by me")
    for page in (stage.http_request(ada)["body"], stage.http_request(bob)["body"]):
        assert "1 of 2 approvals are in" in page
        assert "link of ada@example.com" in page
        assert "fine by me" in page
    assert "<form" not in stage.http_request(ada)["body"]
    assert "<form" in stage.http_request(bob)["body"]


def test_64_parallel_posts_of_three_approvers_give_one_decision_by_two_of_them(stage):
    stage.subscribe("ada@example.com", "bob@example.com", "cyd@example.com")
    links = stage.ask(stage.register(settings=stage.settings(required_approvals=2)))
    nonces = {link: stage.nonce(link) for link in links}
    with ThreadPoolExecutor(64) as pool:
        posts = [links[index % 3] for index in range(64)]
        answers = list(pool.map(lambda link: stage.post(link, nonce=nonces[link]), posts))
    statuses = [answer["statusCode"] for answer in answers]
    assert sorted(statuses) == [303] * 2 + [409] * 62
    request = stage.request_of("v1.0.0")
    assert len({answer.approver for answer in request.answers}) == len(request.answers) == 2
    assert json.loads(stage.execution()["output"])["decision"] == "approved"


def test_yes_and_no_at_once_give_one_decision(stage):
    stage.subscribe("ada@example.com", "bob@example.com")
    ada, bob = stage.ask(stage.register())
    nonces = {link: stage.nonce(link) for link in (ada, bob)}
    choices = {ada: "approved", bob: "rejected"}
    with ThreadPoolExecutor(32) as pool:
        posts = [(ada, bob)[index % 2] for index in range(32)]
        sent = pool.map(
            lambda link: stage.post(link, nonce=nonces[link], decision=choices[link], reason="so"), posts
        )
        assert [answer["statusCode"] for answer in sent].count(303) == 1
    assert len(stage.request_of("v1.0.0").answers) == 1


def test_the_uploader_does_not_approve_alone(stage):
    stage.subscribe("ada@example.com", "bob@example.com")
    ada, bob = stage.ask(stage.register(data=DataFindings(uploader="ADA@example.com")))
    assert "your yes counts only together with another" in stage.http_request(ada)["body"]
    assert (
        "ADA@example.com, who dropped the file by its metadata, does not approve alone"
        in stage.http_request(bob)["body"]
    )
    assert "your approval counts only together" in " ".join(stage.emails()[0]["body"].split())
    stage.post(ada)
    assert stage.is_running()
    assert "1 of 2 approvals are in" in stage.http_request(bob)["body"]
    stage.post(bob)
    assert json.loads(stage.execution()["output"])["decision"] == "approved"


def test_without_another_approver_than_the_uploader_there_is_no_request(stage):
    stage.subscribe("ada@example.com")
    model = stage.register(data=DataFindings(uploader="ada@EXAMPLE.com"))
    with pytest.raises(NoApproverError, match="SecondApproverEmail"):
        stage.ask(model)
    assert stage.registry.get_model(GROUP, model.version).status is Status.REGISTERED
    assert stage.emails() == []


def test_automatic_approval_is_counted_on_the_dashboard(stage):
    stage.allow_automatic_approval()
    stage.register(settings=stage.settings(automatic=True), comparison=None)
    arn, token = stage.start_waiting()
    event = {"group": GROUP, "version": "v1.0.0", "task_token": token, "execution_arn": arn}
    stage.invoke_request(event | {"timeout_seconds": 3600})
    answer = client("cloudwatch").get_metric_data(
        StartTime=stage.clock.moment.replace(hour=0, minute=0),
        EndTime=stage.clock.moment.replace(hour=23, minute=59),
        MetricDataQueries=[
            {
                "Id": "m",
                "MetricStat": {
                    "Metric": {"Namespace": "MLOps/test", "MetricName": "ApprovalsAutomatic"},
                    "Period": 86400,
                    "Stat": "Sum",
                },
            }
        ],
    )
    assert answer["MetricDataResults"][0]["Values"] == [
        2.0
    ]  # for the stack and for the group; moto adds both
    assert not re.search("approve", " ".join(mail["subject"] for mail in stage.emails()))
