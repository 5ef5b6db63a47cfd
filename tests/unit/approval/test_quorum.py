"""How answers add up: quorum, the uploader, and which identities are one person."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.approval.pages.approval_view import describe_progress
from mlops.approval.quorum import approvals_missing, count_answer, has_answered, is_same_person
from mlops.models.approval import Answer, RequestStatus
from tests.unit.approval.test_links import NOW, a_request

PEOPLE = ("Ada@example.com", "bob@example.com", "cyd@example.com", "dee@example.com")


def a_request_of(required: int = 1, uploader: str | None = None):
    request = a_request(approvers=PEOPLE, required_approvals=required)
    return replace(request, evidence=replace(request.evidence, uploader=uploader))


def yes(who: str) -> Answer:
    return Answer(who, "approved", "", NOW)


def test_the_uploaders_yes_counts_only_together_with_anothers():
    one = count_answer(a_request_of(uploader="ADA@example.com"), yes("Ada@example.com"))
    assert (one.status, approvals_missing(one)) == (RequestStatus.PENDING, 1)
    assert describe_progress(one) == "1 of 2 approvals are in"
    two = count_answer(one, yes("bob@example.com"))
    assert two.decision.decided_by == "link of Ada@example.com, link of bob@example.com"


def test_anothers_yes_needs_no_uploader():
    assert count_answer(a_request_of(uploader="ada@example.com"), yes("bob@example.com")).decision is not None


def test_a_quorum_with_the_uploader_in_it_is_a_quorum():
    one = count_answer(a_request_of(2, uploader="ada@example.com"), yes("Ada@example.com"))
    assert describe_progress(one) == "1 of 2 approvals are in"
    assert count_answer(one, yes("bob@example.com")).status is RequestStatus.DECIDED


def test_the_uploaders_no_decides():
    answer = Answer("Ada@example.com", "rejected", "wrong file", NOW)
    assert count_answer(a_request_of(uploader="ada@example.com"), answer).decision.decision == "rejected"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Ada@Example.com", " ada@example.com", True),
        ("arn:aws:sts::1:assumed-role/Dev/ada@example.com", "ada@example.com", True),
        ("AROAEXAMPLE:ada@example.com", "ada@example.com", True),
        ("arn:aws:iam::1:user/ada", "ada@example.com", False),
        ("ada@example.org", "ada@example.com", False),
        ("", "", False),
        ("arn:aws:iam::1:role/", "", False),
    ],
)
def test_people_are_told_by_the_last_part_of_their_name(one, other, same):
    assert is_same_person(one, other) is same
    assert is_same_person(other, one) is same


@given(
    required=st.integers(1, 4),
    uploader=st.sampled_from([None, *PEOPLE]),
    answers=st.lists(st.tuples(st.sampled_from(PEOPLE), st.booleans()), max_size=8),
)
@pytest.mark.property
def test_a_request_is_decided_exactly_when_the_rules_say_so(required, uploader, answers):
    request = a_request_of(required, uploader)
    for who, is_yes in answers:
        if request.status is not RequestStatus.PENDING or has_answered(request, who):
            continue
        request = count_answer(request, replace(yes(who), choice="approved" if is_yes else "rejected"))
    said_yes = {answer.approver for answer in request.answers if answer.choice == "approved"}
    said_no = {answer.approver for answer in request.answers if answer.choice == "rejected"}
    if said_no:
        assert request.decision.decision == "rejected"
        assert len(said_no) == 1
    elif len(said_yes) >= required and said_yes != {uploader}:
        assert request.decision.decision == "approved"
    else:
        assert request.decision is None
        assert 0 < approvals_missing(request) <= required
    assert request.revision == 1 + len(request.answers)
