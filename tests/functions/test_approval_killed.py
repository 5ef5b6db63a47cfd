"""The process dies before or after any call that changes something; it is finished later, once."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from mlops.approval.watch_approvals import watch_requests
from mlops.infrastructure.aws.clients import client
from mlops.models.approval import RequestStatus
from mlops.registry.model_registry import ModelRegistry
from tests.conftest import create_table
from tests.functions.approval_stage import GROUP, Stage, moto_with_executions

EFFECTS = ("Publish", "Put", "Send", "Transact", "Update")
SERVICES = ("dynamodb", "kms", "sns", "events", "cloudwatch", "stepfunctions", "s3", "secretsmanager")


class KilledError(BaseException):
    """The process was killed: nothing catches this."""


@contextmanager
def killed_at(call: int, moment: str) -> Iterator[list[str]]:
    """Die `before-call` or `after-call` number `call` of those with an effect; yields what was made."""
    made: list[str] = []

    def die(model=None, **_: object) -> None:
        if not model.name.startswith(EFFECTS):
            return
        made.append(model.name)
        if len(made) == call:
            raise KilledError(model.name)

    for service in SERVICES:
        client(service).meta.events.register(moment, die, unique_id="killer")
    try:
        yield made
    finally:
        for service in SERVICES:
            client(service).meta.events.unregister(moment, unique_id="killer")


@pytest.fixture
def new_stage(monkeypatch, atomic_dynamodb) -> Callable:
    @contextmanager
    def make() -> Iterator[Stage]:
        with moto_with_executions(monkeypatch):
            create_table("registry", "pk", "sk")
            create_table("policies", "pk", "sk")
            create_table("approvals", "pk", "sk", index=("OpenIndex", "open_kind"))
            yield Stage()

    return make


def look_after(stage: Stage) -> None:
    """What the schedule does, two minutes later."""
    stage.clock.advance(minutes=2)
    watch_requests(stage.completion, stage.mailer, lambda _: None)
    stage.rollbacks.complete_all()


def die_everywhere(new_stage: Callable, prepare: Callable, act: Callable, check: Callable) -> int:
    """Run `act` once for every call that it makes, dying there, and check; return how many deaths it was."""
    deaths = 0
    for moment in ("before-call", "after-call"):
        for call in itertools.count(1):
            with new_stage() as stage:
                prepared = prepare(stage)
                was_killed = False
                with killed_at(call, moment):
                    try:
                        act(stage, prepared)
                    except KilledError:
                        was_killed = True
                check(stage, prepared, f"{moment} {call}")
            if not was_killed:
                break
            deaths += 1
    return deaths


def test_an_approval_that_died_anywhere_is_delivered_once(new_stage):
    def prepare(stage: Stage) -> tuple[str, str]:
        stage.subscribe("ada@example.com")
        link = stage.ask(stage.register())[0]
        return link, stage.nonce(link)

    def act(stage: Stage, prepared: tuple[str, str]) -> None:
        stage.post(prepared[0], nonce=prepared[1], reason="good")

    def check(stage: Stage, prepared: tuple[str, str], where: str) -> None:
        look_after(stage)
        if stage.request_of("v1.0.0").status is RequestStatus.PENDING:
            stage.post(prepared[0], reason="good")  # the person sees no answer and tries again
        look_after(stage)
        assert json.loads(stage.execution()["output"])["reason"] == "good", where  # waits for its end
        look_after(stage)
        request = stage.request_of("v1.0.0")
        assert (request.status, request.is_delivered) == (RequestStatus.DECIDED, True), where
        assert len(request.answers) == 1, where
        assert list(stage.table.open()) == [], where

    assert die_everywhere(new_stage, prepare, act, check) == 2 * 3


def test_a_rollback_that_died_anywhere_is_carried_out_once(new_stage):
    def prepare(stage: Stage) -> tuple[str, str]:
        link = stage.offer_rollback("ada@example.com")[0]
        return link, stage.nonce(link)

    def act(stage: Stage, prepared: tuple[str, str]) -> None:
        stage.post(prepared[0], nonce=prepared[1], reason="worse")

    def check(stage: Stage, prepared: tuple[str, str], where: str) -> None:
        look_after(stage)
        if stage.registry.champion(GROUP).version != "v1.0.0":
            stage.post(prepared[0], reason="worse")
        look_after(stage)
        registry = ModelRegistry(use_dynamodb=True, table_name="registry")
        assert registry.champion(GROUP).version == "v1.0.0", where
        actions = [entry.action for entry in registry.audit(GROUP)]
        assert actions.count("roll back to") == 1, where
        assert len(stage.emails(stage.notifications)) >= 1, where
        assert list(stage.rollbacks.table.open()) == [], where
        assert "v1.0.0 is in service again." in stage.http_request(prepared[0])["body"], where

    assert die_everywhere(new_stage, prepare, act, check) == 2 * 6
