"""The way back, each function in a process of its own: email, page, the previous champion."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from local.stack import read_form
from mlops.approval.rollbacks import COMPLETION_GRACE
from mlops.approval.store import OfferStore
from mlops.infrastructure.aws.dynamodb import DynamoDBTable
from mlops.models.objects import Artifact
from mlops.models.registry import Candidate
from mlops.models.training import EvaluationMetrics
from mlops.registry.model_registry import ModelRegistry
from mlops.registry.store import RegistryStore
from tests.conftest import create_table
from tests.functions.approval_stage import an_http_event
from tests.proofs.walk import Walk
from tests.proofs.world import Runner, poll


class WayBack(Walk):
    """One group's way from its second champion back to the first."""

    def to_the_end(self) -> dict[str, Any]:
        """Email, open the link, roll back, complete what is left; return the final state."""
        self._take_own_tables()
        first, second = self._put_two_into_service()
        news = {"group": self.group, "version": second, "decided_by": "ada", "previous_champion": first}
        self.step("mail_promotion", news)
        token = poll(self._token, "no mail with a way back")
        page = self.runner("roll_back_model", self._visit(token))[0]
        answer = {**read_form(page["body"]).hidden, "version": first, "reason": "Worse."}
        shown = self.step("roll_back_model", self._visit(token, "POST", urlencode(answer)))
        assert shown["statusCode"] in (200, 303, 409), shown["body"]  # 409: the first answer had counted
        self._let_the_grace_pass()
        self.step("watch_approvals", {})
        return self.state()

    def _take_own_tables(self) -> None:
        """Use tables without the groups of other walks: the scheduled round reads all that it finds."""
        names = {"registry": f"registry-{self.group}", "approvals": f"approvals-{self.group}"}
        dynamodb = self.world.cloud.client("dynamodb")
        create_table(names["registry"], "pk", "sk", dynamodb=dynamodb)
        create_table(names["approvals"], "pk", "sk", index=("OpenIndex", "open_kind"), dynamodb=dynamodb)
        own = {"REGISTRY_TABLE_NAME": names["registry"], "APPROVAL_TABLE_NAME": names["approvals"]}
        self.world = replace(self.world, variables={**self.world.variables, **own})
        self.runner = Runner(self.world)

    def _put_two_into_service(self) -> tuple[str, str]:
        dynamodb, s3 = self.world.cloud.client("dynamodb"), self.world.cloud.client("s3")
        store = RegistryStore(DynamoDBTable(self.world.variables["REGISTRY_TABLE_NAME"], dynamodb=dynamodb))
        registry = ModelRegistry(store=store, actor="proof")
        versions = []
        for number in range(2):
            content, key = f"model {number}".encode(), f"training/{self.group}/{number}/model.tar.gz"
            stored = s3.put_object(Bucket="artifacts", Key=key, Body=content)
            digest = hashlib.sha256(content).hexdigest()
            artifact = Artifact(f"s3://artifacts/{key}", digest, stored["VersionId"])
            self.names[stored["VersionId"]] = f"STORED {number}"
            candidate = Candidate("Ridge", {}, EvaluationMetrics(), f"d{number}", artifact)
            version = registry.register(self.group, candidate).model.version
            registry.approve_model(self.group, version)
            registry.promote_model(self.group, version)
            versions.append(version)
        return versions[0], versions[1]

    def _let_the_grace_pass(self) -> None:
        """Make a decision that was not carried out older: no process can be completing it now."""
        name, dynamodb = self.world.variables["APPROVAL_TABLE_NAME"], self.world.cloud.client("dynamodb")
        table = OfferStore(DynamoDBTable(name, dynamodb=dynamodb))
        for offer in table.open():
            if offer.group == self.group and offer.decision is not None:
                earlier = offer.decision.decided_at - 2 * COMPLETION_GRACE
                aged = replace(offer.decision, decided_at=earlier)
                assert table.put(replace(offer, decision=aged, revision=offer.revision + 1))

    def _token(self) -> str | None:
        for mail in self.world.cloud.emails():
            link = re.search(r"https://api\.example\.com/rollbacks/(\S+)", mail["body"])
            if link and self.group in mail["subject"]:
                return link[1]
        return None

    def _visit(self, token: str, method: str = "GET", body: str = "") -> dict[str, Any]:
        return an_http_event(token, method, body=body, route="/rollbacks/{token}")
