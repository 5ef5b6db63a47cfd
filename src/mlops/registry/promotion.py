"""The last steps of a candidate: into service after its bytes were checked again, or out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from mlops.infrastructure.object_store import ObjectStore
from mlops.models.approval import ApprovalDecision
from mlops.models.errors import ArtifactError, ObjectNotFoundError, RegistryError
from mlops.models.objects import ObjectRef
from mlops.models.registry import ModelMetadata, Promotion, Status
from mlops.registry.artifacts import describe_artifact, describe_object, s3_objects
from mlops.registry.model_registry import ModelRegistry

DeclineOutcome = Literal["Rejected", "Expired", "Superseded"]


def promote_approved(
    group: str, version: str, approval: ApprovalDecision, *, registry: ModelRegistry, objects: ObjectStore
) -> Promotion:
    """Make an approved version the champion, if its artifact still is what was approved.

    Raises
    ------
    ArtifactError
        If that version of the artifact does not exist any more, or its bytes have changed.
    RegistryError
        If the approval is that of another version, or no approval.
    TransitionNotAllowedError
        If the version has left this stage in another way.
    """
    model = registry.get_model(group, version)
    if approval.decision != "approved" or approval.approval_id_hash != (model.approval_request or ""):
        raise RegistryError(f"This is not an approval of {group} {version}; request approval again.")
    check_artifact(model, objects)
    if model.status is not Status.CHAMPION:
        registry.approve_model(group, version, by=approval.decided_by, reason=approval.reason)
    return registry.promote_model(group, version, by=approval.decided_by, reason=approval.reason)


def decline(
    group: str, version: str, outcome: DeclineOutcome, *, registry: ModelRegistry, by: str, reason: str
) -> ModelMetadata:
    """Close a candidate that does not go into service; one that is closed already stays as it is."""
    steps = {"Rejected": registry.reject_model, "Expired": registry.expire, "Superseded": registry.supersede}
    model = registry.get_model(group, version)
    if model.status in (Status.REJECTED, Status.EXPIRED, Status.SUPERSEDED):
        return model
    return steps[outcome](group, version, by=by, reason=reason)


def describe_change(model: ModelMetadata, **more: Any) -> Mapping[str, Any]:
    """Return what events say about a version."""
    return {
        "group": model.model_group,
        "version": model.version,
        "status": model.status.value,
        "artifact_sha256": model.artifact.sha256,
        "by": model.status_changed_by,
        "reason": model.status_reason,
        **more,
    }


def compose_decline(model: ModelMetadata, champion: ModelMetadata | None) -> tuple[str, str]:
    """Return subject and body of the email about a closed candidate."""
    name = f"{model.model_group} {model.version}"
    message = {
        Status.EXPIRED: ("expired", "No one decided in time, so it was closed."),
        Status.SUPERSEDED: ("was superseded", "A newer candidate replaced it before a decision was made."),
    }
    headline, sentence = message.get(
        model.status, ("was rejected", f"It was rejected by {model.status_changed_by}.")
    )
    stays = f"{champion.version} stays in service." if champion else "No model is in service yet."
    reason = f"\nReason: {model.status_reason}" if model.status_reason else ""
    advice = f"To try again, drop a training file into\n{model.model_group}/training/ of the data bucket."
    if model.status is Status.EXPIRED:
        ask_again = f"mlops reopen {model.model_group} {model.version} --reason WHY"
        advice = f"To ask about it again:\n{ask_again}\n\n{advice}"
    return f"{name} {headline}", f"{name} {headline}.\n{sentence}{reason}\n\n{stays}\n\n{advice}\n"


def check_artifact(model: ModelMetadata, objects: ObjectStore | None = None) -> None:
    """Read the version's artifact again and compare it with what was registered.

    Raises
    ------
    ArtifactError
        If that version of the artifact does not exist any more, or its bytes have changed.
    """
    try:
        if model.artifact.uri.startswith("s3://"):
            ref = ObjectRef.from_uri(model.artifact.uri, model.artifact.version_id)
            current = describe_object(ref, objects or s3_objects())
        else:
            current = describe_artifact(model.artifact.uri)
    except ObjectNotFoundError as error:
        raise ArtifactError(f"The artifact of {model.version} does not exist any more: {error}") from error
    if current != model.artifact:
        raise ArtifactError(
            f"The artifact of {model.model_group} {model.version} is not the one that was registered; train "
            "it again."
        )
