"""Promotion: only of what was approved, and only of the bytes that were registered."""

from __future__ import annotations

import hashlib
import json

import pytest

from functions.promote_model import app
from mlops.infrastructure.aws.clients import client
from mlops.models.errors import ArtifactError, RegistryError, TransitionNotAllowedError
from mlops.models.objects import Artifact
from mlops.models.registry import Status
from tests.functions.approval_stage import GROUP

KEY = "training/g/j/output/model.tar.gz"


@pytest.fixture
def promote(stage):
    return lambda event: stage.handle(app, event)


def an_artifact(content: bytes = b"a model") -> Artifact:
    answer = client("s3").put_object(Bucket="artifacts", Key=KEY, Body=content)
    return Artifact(f"s3://artifacts/{KEY}", hashlib.sha256(content).hexdigest(), answer["VersionId"])


def an_approved(stage, repository, **changes) -> dict:
    """Register a version that is waiting for approval and return the event that promotes it."""
    event = json.loads((repository / "events/promote_model.json").read_text())
    model = stage.register(artifact=an_artifact(), **changes)
    stage.registry.request_approval(GROUP, model.version, event["approval"]["approval_id_hash"])
    return event | {"version": model.version}


def test_the_approved_version_becomes_the_champion(stage, promote, repository):
    event = an_approved(stage, repository)
    assert promote(event) == {"group": GROUP, "version": "v1.0.0", "previous_champion": None}
    assert stage.registry.champion(GROUP).version == "v1.0.0"
    approve, promoted = stage.registry.audit(GROUP)[-2:]
    assert (approve.action, approve.by) == ("approve", "link of ada@example.com")
    assert (promoted.action, promoted.reason) == ("promote", "Better on every slice.")
    metrics = client("cloudwatch").list_metrics(Namespace="MLOps/test")["Metrics"]
    assert {metric["MetricName"] for metric in metrics} == {"ModelsPromoted"}


def test_promoting_again_says_the_same_and_changes_nothing(stage, promote, repository):
    promote(an_approved(stage, repository))
    event = an_approved(stage, repository, dataset_version="d2")
    first = promote(event)
    entries = len(stage.registry.audit(GROUP))
    assert promote(event) == first == {"group": GROUP, "version": "v1.0.1", "previous_champion": "v1.0.0"}
    assert len(stage.registry.audit(GROUP)) == entries


def test_an_overwritten_object_does_no_harm_because_its_version_is_promoted(stage, promote, repository):
    event = an_approved(stage, repository)
    an_artifact(b"another model under the same key")
    assert promote(event)["version"] == "v1.0.0"


def test_a_deleted_artifact_is_not_promoted(stage, promote, repository):
    event = an_approved(stage, repository)
    version_id = stage.registry.get_model(GROUP, "v1.0.0").artifact.version_id
    client("s3").delete_object(Bucket="artifacts", Key=KEY, VersionId=version_id)
    with pytest.raises(ArtifactError, match="does not exist any more"):
        promote(event)
    assert stage.registry.champion(GROUP) is None


def test_other_bytes_than_the_registered_are_not_promoted(stage, promote, repository):
    event = json.loads((repository / "events/promote_model.json").read_text())
    stored = an_artifact(b"swapped")
    stage.register(artifact=Artifact(stored.uri, "0" * 64, stored.version_id))
    stage.registry.request_approval(GROUP, "v1.0.0", event["approval"]["approval_id_hash"])
    with pytest.raises(ArtifactError, match="not the one that was registered"):
        promote(event)
    assert stage.registry.get_model(GROUP, "v1.0.0").status is Status.PENDING_APPROVAL


@pytest.mark.parametrize("change", [{"approval_id_hash": "d0" * 32}, {"decision": "rejected"}])
def test_the_approval_of_something_else_does_not_count(stage, promote, repository, change):
    event = an_approved(stage, repository)
    with pytest.raises(RegistryError, match="not an approval of"):
        promote(event | {"approval": event["approval"] | change})
    assert stage.registry.champion(GROUP) is None


def test_a_superseded_version_is_not_promoted(stage, promote, repository):
    event = an_approved(stage, repository)
    stage.registry.supersede(GROUP, "v1.0.0")
    with pytest.raises(TransitionNotAllowedError, match="Superseded"):
        promote(event)
