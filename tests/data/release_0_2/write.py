"""Writes `in_flight.json` with release 0.2, in its own checkout (see README.md); no later release runs it."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from mlops.infrastructure.aws.clients import client
from mlops.models.registry import Artifact
from tests.conftest import create_table
from tests.functions.approval_stage import GROUP, KEY, Stage, moto_with_executions

MODEL = b"the model that waits for its approval"
OBJECT = "training/g/j/output/model.tar.gz"


def items(table: str) -> list[dict[str, Any]]:
    """Return every item of a table in DynamoDB's own form."""
    return sorted(client("dynamodb").scan(TableName=table)["Items"], key=lambda item: item["pk"]["S"])


def write(path: Path) -> None:
    """Put v1.0.0 into service, let v1.0.1 wait for approval, and write what is stored and was sent then."""
    create_table("registry", "pk", "sk")
    create_table("approvals", "pk", "sk", index=("OpenIndex", "open_kind"))
    stage = Stage()
    stage.subscribe("ada@example.com")
    stored = client("s3").put_object(Bucket="artifacts", Key=OBJECT, Body=MODEL)
    artifact = Artifact(f"s3://artifacts/{OBJECT}", hashlib.sha256(MODEL).hexdigest(), stored["VersionId"])
    champion = stage.register(artifact=artifact)
    stage.registry.approve_model(GROUP, champion.version, by="ada", reason="good")
    stage.registry.promote_model(GROUP, champion.version, by="ada", reason="good")
    waiting = stage.register(artifact=artifact, dataset_version="d2")
    (link,) = stage.ask(waiting, run="waits", timeout_seconds=10**7)
    document = {
        "signing_key": KEY,
        "link": link,
        "artifact": {"key": OBJECT, "content": MODEL.decode(), "version_id": stored["VersionId"]},
        "sealed": stage.service.unseal(stage.request_of(waiting.version)),
        "tables": {name: items(name) for name in ("registry", "approvals")},
    }
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    with pytest.MonkeyPatch.context() as patch, moto_with_executions(patch):
        write(Path(sys.argv[1]))
