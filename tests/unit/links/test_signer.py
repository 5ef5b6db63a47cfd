"""Signed links of every purpose: what is read back, what is refused, and what earlier releases mailed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.approval.links import approver_key
from mlops.links.link import Link, Purpose
from mlops.links.page_links import PageLinks
from mlops.links.signer import (
    NONCE_LIFETIME_SECONDS,
    LinkSigner,
    MalformedTokenError,
    UntrustedTokenError,
)
from mlops.links.signing_keys import SigningKeys
from mlops.models.intake.trainings import TrainingFailure, split_attempt_id
from mlops.models.scoring.batch import BatchSummary
from mlops.use_cases.drift.alert_links import make_link
from tests.conftest import REPOSITORY

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SIGNER = LinkSigner(SigningKeys((b"k" * 64,)))
MAILED = json.loads((REPOSITORY / "tests/data/mailed_links.json").read_text())
REFUSED = (MalformedTokenError, UntrustedTokenError)


def a_link(purpose: Purpose = Purpose.APPROVAL, **changes) -> Link:
    personal = {"version": "v1.0.0", "holder": "a" * 12, "binding": "b"}
    link = Link(purpose, "g", "the-id", issued_at=NOW, expires_at=NOW + timedelta(days=7), **personal)
    return replace(link, **changes)


TOKEN = SIGNER.sign(a_link())


@pytest.mark.parametrize("purpose", Purpose)
def test_a_link_is_read_as_it_was_made(purpose: Purpose):
    for link in (a_link(purpose), a_link(purpose, version="", holder="", binding="")):
        assert SIGNER.read(SIGNER.sign(link), purpose, now=NOW) == link


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("other", Purpose)
def test_a_link_is_for_one_purpose(purpose: Purpose, other: Purpose):
    if other is purpose:
        return
    with pytest.raises(UntrustedTokenError, match="made for something else"):
        SIGNER.read(SIGNER.sign(a_link(purpose)), other, now=NOW)
    nonce = SIGNER.make_nonce(a_link(purpose), now=NOW)
    with pytest.raises(UntrustedTokenError, match="does not belong to this link"):
        SIGNER.check_nonce(nonce, a_link(other), now=NOW)


@pytest.mark.parametrize("purpose", Purpose)
def test_a_form_is_no_link_and_a_link_is_no_form(purpose: Purpose):
    with pytest.raises(REFUSED):
        SIGNER.read(SIGNER.make_nonce(a_link(purpose), now=NOW), purpose, now=NOW)
    with pytest.raises(REFUSED):
        SIGNER.check_nonce(SIGNER.sign(a_link(purpose)), a_link(purpose), now=NOW)


@pytest.mark.parametrize("change", [{"subject": "another"}, {"holder": "c" * 12}])
def test_a_form_belongs_to_one_link(change):
    nonce = SIGNER.make_nonce(a_link(), now=NOW)
    SIGNER.check_nonce(nonce, a_link(), now=NOW + timedelta(seconds=NONCE_LIFETIME_SECONDS))
    with pytest.raises(UntrustedTokenError):
        SIGNER.check_nonce(nonce, a_link(**change), now=NOW)


def test_a_link_ends_at_the_moment_that_it_contains():
    link = SIGNER.read(TOKEN, Purpose.APPROVAL, now=NOW + timedelta(days=9))
    assert not link.is_expired(NOW + timedelta(days=7, seconds=-1))
    assert link.is_expired(NOW + timedelta(days=7))


@given(st.integers(0, len(TOKEN) - 1), st.sampled_from("AZaz09-_.=+/ é\0"))
@pytest.mark.property
def test_a_token_with_any_character_changed_is_refused(position, character):
    changed = TOKEN[:position] + character + TOKEN[position + 1 :]
    if changed != TOKEN:
        with pytest.raises(REFUSED):
            SIGNER.read(changed, Purpose.APPROVAL, now=NOW)


@given(st.text(max_size=2000))
@pytest.mark.property
def test_no_text_crashes_the_reader(text):
    with pytest.raises(REFUSED):
        SIGNER.read(text, Purpose.APPROVAL, now=NOW)


# ── Links of earlier releases, in emails that may be opened for 30 days ───────────


def mailed(purpose: Purpose) -> Link:
    signer = LinkSigner(SigningKeys((b"n" * 48, MAILED["key"].encode())))
    link = signer.read(MAILED["tokens"][purpose], purpose, now=NOW)
    signer.check_nonce(MAILED["nonces"][purpose], link, now=NOW)
    return link


@pytest.mark.parametrize("purpose", [Purpose.APPROVAL, Purpose.ROLLBACK])
def test_a_mailed_link_of_an_approver_has_what_a_new_one_has(purpose: Purpose):
    link = mailed(purpose)
    subject, version = ("the-id", "v1.0.0") if purpose is Purpose.APPROVAL else ("the-offer", "v1.0.1")
    assert (link.group, link.subject, link.version) == ("g", subject, version)
    assert link.holder == approver_key("ada@example.com")
    assert (link.issued_at, link.expires_at) == (NOW, NOW + timedelta(days=7))
    assert SIGNER.read(SIGNER.sign(link), purpose, now=NOW) == link


def test_a_mailed_link_to_a_failed_training_opens_its_attempt():
    link = mailed(Purpose.RETRY)
    assert (link.group, split_attempt_id(link.subject)) == ("g", ("7d05b2a6" * 4, 2))
    assert link.expires_at == NOW + timedelta(days=30)


def test_a_mailed_link_to_a_result_opens_its_folder():
    link = mailed(Purpose.RESULT)
    assert (link.group, link.subject) == ("g", "predictions/g/2026-03-01/march-0d7e4a1b93c2")
    assert link.expires_at == NOW + timedelta(days=30)


@pytest.mark.parametrize("purpose", [Purpose(name) for name in MAILED["tokens"]])
def test_a_mailed_link_is_for_one_purpose_too(purpose: Purpose):
    signer = LinkSigner(SigningKeys((MAILED["key"].encode(),)))
    for other in set(Purpose) - {purpose}:
        with pytest.raises(UntrustedTokenError):
            signer.read(MAILED["tokens"][purpose], other, now=NOW)


FAILURE = TrainingFailure("g", "7d05b2a6" * 4, 2, "TrainingError", "", NOW)
BATCH = BatchSummary("g", "b", 1, "s3://a/predictions/g/2026-03-01/march-0d7e4a1b93c2/predictions.csv")


@pytest.mark.parametrize(
    ("purpose", "subject"),
    [
        (Purpose.RETRY, FAILURE.attempt_id),
        (Purpose.RESULT, BATCH.folder),
        (Purpose.RETRAINING, "20260301T120000000000-v1.0.0"),
    ],
)
def test_a_link_for_every_reader_is_the_one_that_was_mailed_before(purpose: Purpose, subject: str):
    links = PageLinks(
        "https://api.example.com/page/", LinkSigner(SigningKeys((MAILED["key"].encode(),))), purpose
    )
    assert links.make("g", subject, NOW) == MAILED["addresses"][purpose]


def test_a_link_to_an_alert_is_the_one_that_was_mailed_before():
    signer = LinkSigner(SigningKeys((MAILED["key"].encode(),)))
    link = make_link("g", date(2026, 3, 1), "ada@example.com", now=NOW)
    assert signer.address("https://api.example.com/page", link) == MAILED["addresses"][Purpose.ALERT]
