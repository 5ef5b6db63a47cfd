"""What the link of an approver is good for, and how answers add up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mlops.approval.links import approver_key, find_approver, make_link
from mlops.approval.quorum import count_answer
from mlops.links.link import hash_subject
from mlops.links.signer import UntrustedTokenError
from mlops.models.approval import Answer, ApprovalRequest, Evidence, RequestStatus
from mlops.models.objects import Artifact

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def a_request(**changes) -> ApprovalRequest:
    values = {
        "id_hash": hash_subject("the-id"),
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


LINK = make_link(a_request(), "the-id", "Ada@example.com", now=NOW)


def test_a_link_is_of_one_approver_and_ends_with_the_request():
    assert find_approver(LINK, a_request()) == "Ada@example.com"
    assert LINK.expires_at == NOW + timedelta(days=7)
    assert "@" not in str(LINK)
    assert approver_key(" ada@EXAMPLE.com") == approver_key("Ada@example.com")


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
        find_approver(LINK, a_request(**change))


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
