"""The page of a proposed retraining: opening it starts nothing, its button requests it once."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from functions.check_retraining import app as check
from functions.decide_retraining import app
from functions.retrain_model import app as retrain
from mlops.links.link import LIFETIMES, Purpose
from tests.functions.approval_stage import GROUP, an_http_event
from tests.functions.retraining_stage import PROPOSE, RETRAINING_URL, RetrainingStage, some_rows


@pytest.fixture
def proposed(stage, tmp_path: Path) -> RetrainingStage:
    """A retraining was proposed."""
    ready = RetrainingStage(stage, tmp_path)
    ready.write_settings(PROPOSE)
    ready.promote(ready.accept(some_rows(200)))
    scored = some_rows(80, first=1001, seed=1)
    ready.score(scored)
    ready.label(scored)
    ready.drop_quality()
    ready.handle(check, {"scheduled_at": ready.now.isoformat()})
    ready.events.clear()
    return ready


def nonce(proposed: RetrainingStage) -> str:
    return re.search(r'name="nonce" value="([^"]*)"', proposed.visit(app, proposed.link())["body"])[1]


def test_opening_the_page_starts_nothing_and_shows_why_and_what(proposed):
    for method in ("GET", "HEAD") * 5:
        assert proposed.visit(app, proposed.link(), method)["statusCode"] == 200
    page = proposed.visit(app, proposed.link())["body"]
    for text in (GROUP, "The quality dropped", "80 of them are new", "Start the retraining"):
        assert text in page
    assert proposed.events == []
    assert proposed.newest().status == "proposed"


def test_sixteen_presses_at_once_request_one_retraining(proposed):
    link, pressed = proposed.link(), nonce(proposed)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: proposed.visit(app, link, "POST", nonce=pressed), range(16)))
    assert {answer["statusCode"] for answer in answers} == {303}
    requested = proposed.newest()
    assert (requested.status, requested.requested_by) == (
        "requested",
        "the link in the email about the proposal",
    )
    for name, detail in list(proposed.events):  # each press repeats the event
        assert name == "RetrainingRequested"
        proposed.handle(retrain, {"detail": detail})
    assert proposed.executions() == {proposed.newest().training_id}
    shown = proposed.visit(app, link)["body"]
    assert "The retraining was started" in shown
    assert "nonce" not in shown


def test_a_form_of_another_link_or_without_a_nonce_starts_nothing(proposed):
    link = proposed.link()
    for form in ({}, {"nonce": ""}, {"nonce": nonce(proposed) + "x"}):
        assert proposed.visit(app, link, "POST", **form)["statusCode"] == 401
    assert proposed.visit(app, link[:-2] + "xx")["statusCode"] == 401
    event = an_http_event(link.rsplit("/", 1)[1], route="/rollbacks/{token}")
    assert proposed.stage.rollback_page.reply(event)["statusCode"] == 401
    assert proposed.newest().status == "proposed"


def test_a_proposal_about_an_earlier_champion_is_over(proposed):
    pressed = nonce(proposed)
    proposed.promote(proposed.accept(some_rows(210), "more.csv"))
    answer = proposed.visit(app, proposed.link(), "POST", nonce=pressed)
    assert answer["statusCode"] == 409
    assert "not in service any more" in answer["body"]
    assert "This proposal is over." in proposed.visit(app, proposed.link())["body"]
    assert proposed.events == []


def test_an_expired_link_says_how_to_train_again(proposed):
    link = proposed.link()
    proposed.now += LIFETIMES[Purpose.RETRAINING] + timedelta(seconds=1)
    answer = proposed.visit(app, link)
    assert answer["statusCode"] == 410
    assert "mlops retrain" in answer["body"]
    assert link.startswith(RETRAINING_URL)
