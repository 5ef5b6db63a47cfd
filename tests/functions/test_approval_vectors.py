"""The approval page under attack: every vector of the list, against the real page on moto."""

from __future__ import annotations

import html
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from mlops.approval.emails import compose_request
from mlops.approval.pages import approval_view
from mlops.links.signing_keys import SigningKeys
from mlops.models.approval import Answer, RequestStatus
from mlops.models.errors import NoApproverError
from mlops.models.registry import Status
from tests.functions.approval_links import is_untouched, packed, payload_of, token_of
from tests.functions.approval_stage import BASE_URL, GROUP, KEY

VECTORS = "approval_vectors.json"


def test_every_vector_of_the_list_has_a_test(repository):
    vectors = json.loads((repository / "tests/data" / VECTORS).read_text())["vectors"]
    tested = set(re.findall(r"def test_(v\d\d)_", Path(__file__).read_text()))
    elsewhere = {"v03"}  # needs a browser: tests/functions/test_approval_browser.py
    assert {vector["id"] for vector in vectors} - tested == elsewhere


def test_v01_a_get_shows_model_version_and_metrics_and_decides_nothing(stage, link):
    answer = stage.http_request(link)
    assert answer["statusCode"] == 200
    for message in (GROUP, "v1.0.0", "Average precision", "0.6100", "0.5600 to 0.6600", "+0.0600"):
        assert message in answer["body"]
    assert is_untouched(stage)


def test_v01_fifty_gets_and_heads_change_nothing(stage, link):
    for method in ("GET", "HEAD") * 25:
        assert stage.http_request(link, method)["statusCode"] == 200
    assert stage.http_request(link, "HEAD")["body"] == ""
    assert is_untouched(stage)


def test_v05_a_post_with_the_typed_version_approves_once(stage, link):
    answer = stage.post(link, reason="better on every slice")
    assert answer["statusCode"] == 303
    assert answer["headers"]["Location"] == token_of(link)
    execution = stage.execution()
    output = json.loads(execution["output"])
    assert execution["status"] == "SUCCEEDED"
    assert (output["decision"], output["decided_by"]) == ("approved", "link of ada@example.com")
    assert output["reason"] == "better on every slice"
    assert output["approval_id_hash"] == stage.registry.get_model(GROUP, "v1.0.0").approval_request
    request = stage.request_of("v1.0.0")
    assert (request.status, request.is_delivered) == (RequestStatus.DECIDED, True)
    assert "Approved" in stage.http_request(link)["body"]


def test_v07_of_64_parallel_posts_one_decides(stage, link):
    with ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(lambda _: stage.post(link), range(64)))
    statuses = [answer["statusCode"] for answer in answers]
    # a post whose page was loaded after the decision has no nonce to send
    assert statuses.count(303) == 1
    assert set(statuses) <= {303, 409, 401}
    assert stage.execution()["status"] == "SUCCEEDED"
    assert len(stage.request_of("v1.0.0").answers) == 1


def test_v07_the_63_others_see_that_it_is_decided(stage, link):
    nonce = re.search(r'name="nonce" value="([^"]*)"', stage.http_request(link)["body"])[1]
    with ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(lambda _: stage.post(link, nonce=nonce), range(64)))
    assert sorted(answer["statusCode"] for answer in answers) == [303] + [409] * 63
    assert all("decided before" in a["body"] for a in answers if a["statusCode"] == 409)


def test_v09_an_approval_after_a_rejection_shows_the_rejection(stage, link):
    nonce = re.search(r'name="nonce" value="([^"]*)"', stage.http_request(link)["body"])[1]
    assert stage.post(link, decision="rejected", reason="leaks the future")["statusCode"] == 303
    late = stage.post(link, nonce=nonce)
    assert late["statusCode"] == 409
    assert "Rejected" in late["body"]
    assert "leaks the future" in late["body"]
    assert json.loads(stage.execution()["output"])["decision"] == "rejected"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_v11_a_link_from_the_future_is_refused(stage, link, method):
    stage.clock.advance(minutes=-5)
    assert stage.http_request(link, method)["statusCode"] == 401
    stage.clock.advance(minutes=5)
    assert is_untouched(stage)


def test_v13_a_changed_payload_breaks_the_signature(stage, link):
    payload, signature = payload_of(token_of(link)), token_of(link).partition(".")[2]
    forged = f"{packed(payload | {'version': 'v1.0.1'})}.{signature}"
    assert stage.http_request(forged)["statusCode"] == 401
    assert stage.http_request(forged, "POST", body="decision=approved")["statusCode"] == 401
    assert is_untouched(stage)


@pytest.mark.parametrize(
    "change",
    [{"version": "v1.0.1"}, {"group": "other"}, {"bind": "x"}, {"for": "0" * 12}, {"aud": "rollback"}],
)
def test_v15_a_well_signed_token_of_something_else_is_refused(stage, link, change):
    body = packed(payload_of(token_of(link)) | change)
    answer = stage.http_request(f"{body}.{SigningKeys((KEY.encode(),)).sign(body)}")
    assert answer["statusCode"] == 401
    assert is_untouched(stage)


def test_v15_the_form_of_one_model_does_not_work_on_the_page_of_another(stage):
    stage.subscribe("ada@example.com")
    first = stage.ask(stage.register())[0]
    other = stage.registry.register("other-group", stage_candidate()).model
    second = stage.ask(other, run="run-2")[0]
    nonce = re.search(r'name="nonce" value="([^"]*)"', stage.http_request(first)["body"])[1]
    assert stage.post(second, nonce=nonce)["statusCode"] == 401
    assert stage.registry.get_model("other-group", "v1.0.0").status is Status.PENDING_APPROVAL


def stage_candidate():
    from tests.functions.approval_stage import a_candidate

    return a_candidate()


def test_v17_a_link_signed_by_the_previous_key_works_until_that_key_is_replaced(stage, link):
    stage.rotate(current="n" * 64, previous=KEY)
    assert stage.http_request(link)["statusCode"] == 200
    stage.rotate(current="n" * 64)
    assert stage.http_request(link)["statusCode"] == 401
    stage.rotate(current="n" * 64, previous=KEY, note="kept by a person")
    assert stage.post(link)["statusCode"] == 303


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a" * 8192,
        "\0",
        "%00",
        "ünïcode.☃",
        ".",
        "..",
        "a.b",
        "null",
        "../../etc/passwd",
        "<script>",
        "a" * 43 + "." + "b" * 43,
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_v19_nonsense_is_refused_fast_and_without_a_trace(stage, token, method):
    started = time.perf_counter()
    answer = stage.http_request(f"{BASE_URL}/{token}", method)
    assert answer["statusCode"] in (400, 401)
    assert "Traceback" not in answer["body"]
    assert "script" not in answer["body"].lower().replace("description", "")
    assert time.perf_counter() - started < 1.0  # far below, but the machine is shared


def test_v19_a_link_that_is_named_twice_is_refused(stage, link):
    token = token_of(link)
    assert stage.http_request(link, query=f"token={token}&token={token}")["statusCode"] == 400
    assert is_untouched(stage)


def test_v21_two_different_tokens_are_refused(stage, link):
    assert stage.http_request(link, query="token=other")["statusCode"] == 400
    assert stage.post(link, token="other")["statusCode"] == 400
    assert is_untouched(stage)


def test_v23_no_site_may_frame_the_page(stage, link):
    for answer in (stage.http_request(link), stage.http_request("nonsense"), stage.post(link, version="")):
        headers = answer["headers"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_v25_what_a_file_or_a_person_wrote_is_escaped(stage, link):
    attack = "<script>alert(1)</script>"
    request = stage.request_of("v1.0.0")
    evidence = replace(
        request.evidence,
        importances={attack: 0.5, '=HYPERLINK("http://evil")': 0.4},
        findings=(attack,),
        target=attack,
        hyperparameters={attack: attack},
        champion_version=attack,
    )
    hostile = replace(request, group=attack, evidence=evidence)
    shown = approval_view.render_request(
        hostile,
        attack,
        nonce='"><b>',
        problem=attack,
        filled_in={"reason": "</textarea>" + attack, "version": '"><b>', "decision": attack},
    )
    assert "<script" not in shown
    assert '"><b>' not in shown
    assert html.escape(attack) in shown
    subject, body = compose_request(hostile, "ada@example.com", link)
    assert max(len(line) for line in body.splitlines() if line != link) <= 72
    assert "\n" not in subject
    assert not re.search(r"^[=+@]", body, re.MULTILINE)  # no line is a formula


def test_v25_what_an_approver_wrote_is_escaped_among_the_answers(stage, link):
    attack = "<script>alert(1)</script>"
    answer = Answer(attack, "approved", attack, stage.clock())
    request = replace(stage.request_of("v1.0.0"), answers=(answer,), required_approvals=2)
    shown = approval_view.render_outcome(request)
    assert "<script" not in shown
    assert shown.count(html.escape(attack)) == 2


def test_v27_a_decision_after_the_execution_has_ended_expires_the_version(stage):
    stage.machine = stage.create_machine("impatient", seconds=1)  # moto cannot stop a waiting execution
    stage.subscribe("ada@example.com")
    link = stage.ask(stage.register())[0]
    assert stage.execution()["status"] == "FAILED"
    stage.clock.advance(minutes=1)
    answer = stage.post(link)
    assert answer["statusCode"] == 410
    assert stage.registry.get_model(GROUP, "v1.0.0").status is Status.EXPIRED
    assert stage.registry.champion(GROUP) is None
    assert stage.http_request(link)["statusCode"] == 410


def test_v27_a_late_click_gets_a_friendly_page(stage, link):
    nonce = re.search(r'name="nonce" value="([^"]*)"', stage.http_request(link)["body"])[1]
    stage.clock.advance(hours=2)
    answer = stage.http_request(link)
    assert answer["statusCode"] == 410
    assert "This approval request has expired" in answer["body"]
    assert "mlops reopen" in answer["body"]
    assert stage.post(link, nonce=nonce)["statusCode"] == 410
    assert stage.request_of("v1.0.0").answers == ()


def test_v29_without_a_confirmed_subscriber_there_is_no_request(stage):
    model = stage.register()
    with pytest.raises(NoApproverError, match=r"but 0 of ada@example.com have confirmed"):
        stage.ask(model)
    assert stage.registry.get_model(GROUP, model.version).status is Status.REGISTERED
