"""Approval on the deployed stack: what fixtures do behind the back of the functions, as an operator could."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from local.cloud import HttpAnswer
from local.stack import APPROVER, STACK_NAME, DeployedStack, read_form
from mlops.approval.decisions import ApprovalService
from mlops.approval.links import make_link
from mlops.approval.quorum import count_answer
from mlops.approval.rollbacks import RollbackService
from mlops.approval.store import OfferStore, RequestStore
from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.aws.dynamodb import DynamoDBTable
from mlops.infrastructure.aws.s3 import S3Objects
from mlops.infrastructure.aws.secretsmanager import read_secret
from mlops.infrastructure.clock import utc_now
from mlops.infrastructure.notifications import NullNotifier
from mlops.links.signer import LinkSigner
from mlops.links.signing_keys import SigningKeys
from mlops.models.approval import Answer, RollbackDecision
from mlops.registry.model_registry import ModelRegistry
from tests.conftest import REPOSITORY


class Operator:
    """A person with administrator's credentials for the stack."""

    def __init__(self, stack: DeployedStack) -> None:
        self.stack = stack
        outputs = stack.outputs
        table = DynamoDBTable(outputs["ApprovalTableName"])
        self.registry = ModelRegistry(True, table_name=outputs["RegistryTableName"], actor="operator")
        self.service = ApprovalService(RequestStore(table), self.registry, outputs["PlatformKeyArn"])
        self.rollbacks = RollbackService(OfferStore(table), self.registry, S3Objects(), NullNotifier())

    def forget_delivery(self, group: str, version: str) -> None:
        """Store an approval, as the page does, and die before the execution hears of it."""
        model = self.registry.get_model(group, version)
        request = self.service.table.get(model.approval_request or "")
        long_ago = utc_now() - timedelta(minutes=5)
        assert request is not None
        assert self.service.table.put(
            count_answer(request, Answer(APPROVER, "rejected", "Not now.", long_ago))
        )

    def ask_earlier(self, group: str, version: str, earlier: timedelta) -> None:
        """Let a request look as if it was made earlier; its time limit stays."""
        model = self.registry.get_model(group, version)
        request = self.service.table.get(model.approval_request or "")
        assert request is not None
        began = (request.asked_at or request.created_at) - earlier
        assert self.service.table.put(replace(request, asked_at=began, revision=request.revision + 1))

    def forget_rollback(self, group: str, version: str, previous: str) -> None:
        """Store the decision to roll back, as the page does, and die before it is carried out."""
        offer = self.rollbacks.offer(group, version, previous, [APPROVER]).offer
        decision = RollbackDecision(f"link of {APPROVER}", "Worse.", utc_now() - timedelta(minutes=5))
        assert self.rollbacks.table.put(replace(offer, decision=decision, revision=2))

    def rollback_link(self, group: str, version: str, previous: str) -> str:
        """Make an offer and return its link."""
        opened = self.rollbacks.offer(group, version, previous, [APPROVER])
        keys = SigningKeys.from_secret(read_secret(self.stack.outputs["ApprovalSigningSecretArn"]))
        link = make_link(opened.offer, opened.offer_id, APPROVER, now=utc_now())
        base_url = self.stack.outputs["ApprovalUrl"].replace("/approvals", "/rollbacks")
        return LinkSigner(keys).address(base_url, link)


@contextmanager
def operating(stack: DeployedStack) -> Iterator[Operator]:
    """Work on the stack with the library, as its root."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in stack.cloud.variables().items():
            patch.setenv(name, value)
        client.cache_clear()
        yield Operator(stack)
    client.cache_clear()


def run_mlops(stack: DeployedStack, *arguments: str, stack_name: str = STACK_NAME) -> str:
    """Run the command line against the stack and return what it says."""
    command = [sys.executable, "-m", "mlops", *arguments, "--stack", stack_name]
    library = str(REPOSITORY / "src")
    environment = {**stack.cloud.environment(), "PYTHONPATH": library}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def watch(stack: DeployedStack) -> dict[str, Any]:
    """Run the round that the schedule runs."""
    return stack.run_scheduled("WatchApprovals", utc_now())


def rollback_link(mail: dict[str, Any]) -> str:
    """Return the link to the rollback page in an email."""
    return next(link for link in mail["links"] if "/rollbacks/" in link)


def roll_back(stack: DeployedStack, link: str, version: str, reason: str) -> HttpAnswer:
    """Open the page behind a rollback link and send its form."""
    page = stack.cloud.request("GET", link)
    assert page.status == 200, page.text
    return stack.post_form(link, {**read_form(page.text).hidden, "version": version, "reason": reason})


def message(page: str) -> str:
    """Return the text of a page without its tags."""
    return " ".join(re.sub("<[^>]+>", " ", page).split())
