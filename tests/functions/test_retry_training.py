"""The page of a failed training: opening it starts nothing, its button starts one more attempt, once."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from functions.retry_training import app
from mlops.infrastructure.aws.clients import client
from mlops.intake.failures.retry_page import RetryPage
from mlops.links.link import LIFETIMES, Purpose
from mlops.links.page_links import PageLinks
from mlops.models.errors import TrainingError
from mlops.models.intake.trainings import TrainingFailure, TrainingRecord
from tests.functions.approval_stage import GROUP, an_http_event
from tests.functions.training_stage import RETRY_URL, TRAINING, TrainingStage


@pytest.fixture
def trainings(stage) -> TrainingStage:
    return TrainingStage(stage)


@pytest.fixture
def failure(trainings) -> TrainingFailure:
    return trainings.fail(trainings.start())


@pytest.fixture
def link(trainings, failure) -> str:
    return link_to(failure, trainings)


def link_to(failure: TrainingFailure, trainings: TrainingStage) -> str:
    links = PageLinks(RETRY_URL, trainings.stage.signer, Purpose.RETRY)
    return links.make(failure.group, failure.attempt_id, failure.failed_at)


def visit(trainings, link: str, method: str = "GET", *, headers: dict | None = None, **form: str) -> dict:
    token = link.removeprefix(f"{RETRY_URL}/")
    route = "/retries/{token}"
    event = an_http_event(token, method, body=urlencode(form), headers=headers, route=route)
    return trainings.handle(app, event)


def nonce(trainings, link: str) -> str:
    return re.search(r'name="nonce" value="([^"]*)"', visit(trainings, link)["body"])[1]


def latest(trainings) -> TrainingRecord:
    return trainings.trainings.latest(GROUP, TRAINING)


def test_fifty_gets_and_heads_show_the_reason_and_start_nothing(trainings, link):
    for method in ("GET", "HEAD") * 25:
        assert visit(trainings, link, method)["statusCode"] == 200
    page = visit(trainings, link)["body"]
    for message in ("It was killed.", "Train model", "Start the training again", GROUP):
        assert message in page
    assert trainings.executions() == {TRAINING}
    assert latest(trainings).attempt == 1


def test_the_button_starts_one_more_attempt_with_the_same_input(trainings, link):
    assert visit(trainings, link, "POST", nonce=nonce(trainings, link))["statusCode"] == 303
    assert (latest(trainings).attempt, latest(trainings).started_by) == (
        2,
        "the link in the email about the failure",
    )
    assert trainings.executions() == {TRAINING, f"{TRAINING}-2"}
    arn = f"{trainings.stage.machine.replace(':stateMachine:', ':execution:')}:{TRAINING}-2"
    described = client("stepfunctions").describe_execution(executionArn=arn)
    assert json.loads(described["input"])["seed"] == 7
    shown = visit(trainings, link)
    assert shown["statusCode"] == 200
    assert "Attempt 2 was started" in shown["body"]
    assert "nonce" not in shown["body"]


def test_sixteen_presses_at_once_start_one_attempt(trainings, link):
    pressed = nonce(trainings, link)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: visit(trainings, link, "POST", nonce=pressed), range(16)))
    assert {answer["statusCode"] for answer in answers} == {303}
    assert trainings.executions() == {TRAINING, f"{TRAINING}-2"}


def test_a_form_that_was_not_shown_for_this_link_starts_nothing(trainings, link, failure):
    other = link_to(replace(failure, attempt=7), trainings)
    for answer in (
        visit(trainings, link, "POST", nonce=""),
        visit(trainings, link, "POST"),
        visit(trainings, link[:-2] + "xx", "POST", nonce=nonce(trainings, link)),
        visit(trainings, link, "POST", nonce=nonce(trainings, link) + "x"),
    ):
        assert answer["statusCode"] == 401
    assert visit(trainings, other)["statusCode"] == 410
    cross_site = {"sec-fetch-site": "cross-site"}
    answer = visit(trainings, link, "POST", headers=cross_site, nonce=nonce(trainings, link))
    assert answer["statusCode"] == 403
    assert visit(trainings, link, "PUT")["statusCode"] == 405
    assert latest(trainings).attempt == 1


def test_a_link_of_another_page_does_not_open_this_one(trainings, link):
    approval = trainings.stage.offer_rollback("ada@example.com")[0]
    assert visit(trainings, f"{RETRY_URL}/{approval.rsplit('/', 1)[1]}")["statusCode"] == 401
    token = link.rsplit("/", 1)[1]
    for page, route in (
        (trainings.stage.page, "/approvals/{token}"),
        (trainings.stage.rollback_page, "/rollbacks/{token}"),
    ):
        assert page.reply(an_http_event(token, route=route))["statusCode"] == 401


def test_an_expired_link_says_so_and_how_to_train_again(trainings, link):
    now = trainings.parts.now() + LIFETIMES[Purpose.RETRY] + timedelta(seconds=1)
    page = RetryPage(trainings.parts.retries, trainings.stage.signer, lambda: now)
    event = an_http_event(link.rsplit("/", 1)[1], route="/retries/{token}")
    answer = page.reply(event)
    assert answer["statusCode"] == 410
    assert "This link to start a training again has expired" in answer["body"]
    assert f"It was valid until {now:%Y-%m-%d}." in answer["body"]
    assert "drop the file again or use" in answer["body"]


def test_the_command_finds_the_last_failed_training_or_the_named_one(trainings, failure):
    retries = trainings.parts.retries
    other = trainings.fail(trainings.start("ab" * 16))
    assert retries.find(GROUP) == other
    assert retries.find(GROUP, TRAINING[:6]) == failure
    with pytest.raises(TrainingError, match="no failed training ffff"):
        retries.find(GROUP, "ffff")
    retries.retry(other, by="ada", now=trainings.parts.now())
    assert retries.find(GROUP) == failure
    with pytest.raises(TrainingError, match="no failed training"):
        retries.find("another")


def test_a_training_whose_input_is_gone_is_started_by_its_file_only(trainings):
    failure = trainings.fail(trainings.start(has_execution=False))
    with pytest.raises(TrainingError, match="drop its file again"):
        trainings.parts.retries.retry(failure, by="ada", now=trainings.parts.now())
    assert latest(trainings).attempt == 1
