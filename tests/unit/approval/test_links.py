"""Keys and tokens of approval links, and how answers add up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.approval.links import (
    MalformedTokenError,
    UntrustedTokenError,
    approver_key,
    find_approver,
    hash_id,
    make_token,
    read_token,
)
from mlops.approval.quorum import count_answer
from mlops.approval.signing_keys import SigningKeys
from mlops.models.approval import Answer, ApprovalRequest, Evidence, RequestStatus
from mlops.models.registry import Artifact

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEYS = SigningKeys((b"k" * 64,))


def a_request(**changes) -> ApprovalRequest:
    values = {
        "id_hash": hash_id("the-id"),
        "group": "g",
        "version": "v1.0.0",
        "artifact": Artifact("s3://b/k", "0" * 64, "1"),
        "execution_arn": "arn:e",
        "approvers": ("Ada@example.com", "bob@example.com"),
        "created_at": NOW,
        "expires_at": NOW + timedelta(days=7),
        "evidence": Evidence("RandomForest", "binary", "t", "d", 1, 1, "roc_auc"),
        "sealed": "",
    }
    return ApprovalRequest(**values | changes)


TOKEN = make_token(a_request(), "the-id", "Ada@example.com", keys=KEYS, now=NOW)


def test_a_token_says_whose_link_it_is_and_until_when():
    claims = read_token(TOKEN, "approval", keys=KEYS, now=NOW)
    assert find_approver(claims, a_request()) == "Ada@example.com"
    assert claims.expires_at == (NOW + timedelta(days=7)).timestamp()
    assert "@" not in TOKEN
    assert approver_key(" ada@EXAMPLE.com") == approver_key("Ada@example.com")


@pytest.mark.parametrize("purpose", ["rollback", "retry", ""])
def test_a_link_is_for_one_purpose(purpose):
    with pytest.raises(UntrustedTokenError, match="made for something else"):
        read_token(TOKEN, purpose, keys=KEYS, now=NOW)


@given(st.integers(0, len(TOKEN) - 1), st.sampled_from("AZaz09-_.=+/ é\0"))
@pytest.mark.property
def test_a_token_with_any_character_changed_is_refused(position, character):
    changed = TOKEN[:position] + character + TOKEN[position + 1 :]
    if changed != TOKEN:
        with pytest.raises((MalformedTokenError, UntrustedTokenError)):
            read_token(changed, "approval", keys=KEYS, now=NOW)


@given(st.text(max_size=2000))
@pytest.mark.property
def test_no_text_crashes_the_reader(text):
    with pytest.raises((MalformedTokenError, UntrustedTokenError)):
        read_token(text, "approval", keys=KEYS, now=NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"artifact": Artifact("s3://b/k", "1" * 64, "1")},
        {"artifact": Artifact("s3://b/k", "0" * 64, "2")},
        {"execution_arn": "arn:other"},
        {"approvers": ("eve@example.com",)},
        {"version": "v1.0.1"},
    ],
)
def test_a_link_works_for_one_artifact_execution_version_and_approver(change):
    with pytest.raises(UntrustedTokenError):
        find_approver(read_token(TOKEN, "approval", keys=KEYS, now=NOW), a_request(**change))


def test_answers_add_up_to_a_decision():
    request = a_request(required_approvals=2)
    one = count_answer(request, Answer("Ada@example.com", "approved", "good", NOW))
    assert (one.status, one.decision, one.revision) == (RequestStatus.PENDING, None, 2)
    two = count_answer(one, Answer("bob@example.com", "approved", "", NOW))
    assert (two.status, two.decision.decided_by) == (
        RequestStatus.DECIDED,
        "link of Ada@example.com, link of bob@example.com",
    )
    no = count_answer(one, Answer("bob@example.com", "rejected", "leak", NOW))
    assert (no.decision.decision, no.decision.reason) == ("rejected", "leak")


def test_a_request_survives_storage():
    request = count_answer(a_request(), Answer("Ada@example.com", "approved", "good", NOW))
    assert ApprovalRequest.from_json(request.to_json()) == request
