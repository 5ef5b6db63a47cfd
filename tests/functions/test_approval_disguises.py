"""Attacks in disguise: forms of other kinds, tokens spelled otherwise, hosts that are not ours, replays."""

from __future__ import annotations

import json
from urllib.parse import quote, urlencode

import pytest

from tests.functions.approval_stage import GROUP
from tests.functions.test_approval_attacks import FORM, is_untouched, send


@pytest.fixture
def link(stage) -> str:
    stage.subscribe("ada@example.com")
    return stage.ask(stage.register())[0]


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/json",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencodedx",
    ],
)
def test_a_form_of_another_content_type_is_refused(stage, link, content_type):
    answer = stage.post(link, headers={"content-type": content_type})
    assert answer["statusCode"] == 400
    assert is_untouched(stage)


def test_the_charset_beside_the_content_type_does_not_matter(stage, link):
    kind = "Application/X-WWW-Form-Urlencoded; charset=UTF-8"
    assert stage.post(link, headers={"content-type": kind})["statusCode"] == 303


@pytest.mark.parametrize(
    "reason",
    ["x" * 4_000, "a\x00b", "red\x1b[31m", "\u202edevorppa", "\u2066x\u2069", "x\x7f", "one\x85two"],
)
def test_a_reason_that_would_be_shown_otherwise_than_it_is_recorded_is_refused(stage, link, reason):
    answer = stage.post(link, decision="rejected", reason=reason)
    assert answer["statusCode"] == 400
    assert "Nothing was decided: the reason" in answer["body"]
    assert is_untouched(stage)


@pytest.mark.parametrize("reason", ["النموذج جيد", "הדגם טוב", "👩‍🔬 sieht gut aus", "x" * 1_000])
def test_a_reason_in_any_script_is_recorded(stage, link, reason):
    assert stage.post(link, reason=reason)["statusCode"] == 303
    assert json.loads(stage.execution()["output"])["reason"] == reason


def test_half_a_character_in_a_reason_is_refused(stage, link):
    body = urlencode(FORM | {"nonce": stage.nonce(link)}) + "%ED%A0%80"
    assert send(stage, link, body)["statusCode"] == 400
    assert is_untouched(stage)


@pytest.mark.parametrize(
    ("disguise", "status"),
    [
        (str.lower, 401),
        (str.upper, 401),
        (str.swapcase, 401),
        (lambda token: quote(token.replace(".", "%2E"), safe=""), 400),  # encoded twice
        (lambda token: token.replace(".", "%2e"), 400),
        (lambda token: token.replace(".", "．"), 400),
        (lambda token: token + "=", 400),
        (lambda token: token[:-1], 400),
        (lambda token: token + "\u200b", 400),
        (lambda token: f"{token}.{token}", 400),
        (lambda token: ".".join(reversed(token.split("."))), 400),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_token_in_another_spelling_is_refused(stage, link, disguise, status, method):
    base, token = link.rsplit("/", 1)
    assert stage.http_request(f"{base}/{disguise(token)}", method)["statusCode"] == status
    assert is_untouched(stage)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example", "x-forwarded-host": "evil.example"},
        {"origin": "https://evil.example", "forwarded": "host=evil.example"},
        {"origin": "https://evil.example", "x-original-url": "/", "referer": "https://api.example.com/"},
        {"origin": "https://api.example.com.evil.example"},
        {"origin": "https://api.example.com@evil.example"},
        {"origin": "https://api.example.com", "sec-fetch-site": "same-site"},
    ],
)
def test_headers_that_name_another_host_do_not_let_another_site_in(stage, link, headers):
    assert stage.post(link, headers=headers)["statusCode"] == 403
    assert is_untouched(stage)


def test_no_header_changes_where_the_page_sends_anybody(stage, link):
    headers = {"host": "evil.example", "x-forwarded-host": "evil.example", "x-forwarded-proto": "http"}
    shown, answer = stage.http_request(link, headers=headers), stage.post(link, headers=headers)
    assert "evil.example" not in json.dumps([shown, answer])
    assert answer["headers"]["Location"] == link.rsplit("/", 1)[1]


def test_the_last_second_counts_and_the_next_one_does_not(stage, link):
    end = stage.request_of("v1.0.0").expires_at
    stage.clock.moment = end
    nonce = stage.nonce(link)
    for method in ("GET", "HEAD"):
        assert stage.http_request(link, method)["statusCode"] == 410
    assert stage.post(link, nonce=nonce or "1.x")["statusCode"] in (401, 410)
    assert is_untouched(stage)
    stage.clock.advance(seconds=-1)
    assert stage.post(link)["statusCode"] == 303


def test_an_approval_replayed_after_a_rollback_puts_nothing_back(stage):
    stage.subscribe("ada@example.com")
    stage.promote_two()
    version = stage.register(dataset_version="d2").version
    link = stage.ask(stage.registry.get_model(GROUP, version))[0]
    nonce = stage.nonce(link)
    assert stage.post(link, nonce=nonce, version=version)["statusCode"] == 303
    stage.registry.approve_model(GROUP, version)
    stage.registry.promote_model(GROUP, version)
    stage.registry.rollback(GROUP, reason="worse")
    before = stage.registry.audit(GROUP)
    assert stage.post(link, nonce=nonce, version=version)["statusCode"] == 409
    assert stage.registry.champion(GROUP).version == "v1.0.1"
    assert stage.registry.audit(GROUP) == before
