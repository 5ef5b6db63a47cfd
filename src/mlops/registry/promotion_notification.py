"""Notifications about a version, sent after its change was written.

A step that dies between the two is run again by its caller, changes nothing, and sends all of them: an event
is published at least once. The metric is last, so that it counts once.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mlops.infrastructure import event_names
from mlops.infrastructure.aws.cloudwatch import Metric
from mlops.infrastructure.metric_names import (
    APPROVALS_EXPIRED,
    CHAMPIONS_ROLLED_BACK,
    MODELS_PROMOTED,
    MODELS_REGISTERED,
    MODELS_REJECTED_BY_GATE,
    TRAINING_COST_USD,
)
from mlops.infrastructure.notifications import Notifier
from mlops.models.registry import ModelMetadata, Promotion, Status
from mlops.registry.promotion import compose_decline, describe_change

DECLINED: Mapping[Status, str] = MappingProxyType(
    {
        Status.REJECTED: event_names.MODEL_REJECTED,
        Status.EXPIRED: event_names.MODEL_EXPIRED,
        Status.SUPERSEDED: event_names.MODEL_SUPERSEDED,
    }
)


def notify_registration(model: ModelMetadata, summary: str, notifier: Notifier) -> None:
    """Notify of a version that was registered, or refused by its gate."""
    notifier.publish_event(event_names.MODEL_REGISTERED, describe_change(model, summary=summary))
    is_refused = model.gate is not None and not model.gate.passed
    metrics = [Metric(MODELS_REGISTERED, 1), Metric(MODELS_REJECTED_BY_GATE, int(is_refused))]
    job = model.training_job
    if job is not None and job.actual_cost_usd is not None:
        metrics.append(Metric(TRAINING_COST_USD, job.actual_cost_usd, "None"))
    notifier.publish_metrics(metrics, group=model.model_group)


def notify_promotion(promotion: Promotion, notifier: Notifier) -> None:
    """Notify of a version that was approved and is the champion now."""
    notifier.publish_event(event_names.MODEL_APPROVED, describe_change(promotion.model))
    _notify_champion(promotion, notifier, is_rollback=False)
    notifier.publish_metrics([Metric(MODELS_PROMOTED, 1)], group=promotion.model.model_group)


def notify_decline(model: ModelMetadata, champion: ModelMetadata | None, notifier: Notifier) -> None:
    """Notify of a candidate that was rejected, expired or superseded; `champion` stays in service."""
    group = model.model_group
    notifier.publish_event(DECLINED[model.status], describe_change(model))
    notifier.send_email(*compose_decline(model, champion), group=group)
    notifier.publish_metrics([Metric(APPROVALS_EXPIRED, int(model.status is Status.EXPIRED))], group=group)


def notify_rollback(promotion: Promotion, notifier: Notifier) -> None:
    """Notify of a version that is the champion again."""
    _notify_champion(promotion, notifier, is_rollback=True)
    group = promotion.model.model_group
    notifier.send_email(*compose_rollback(promotion.model, promotion.previous_champion), group=group)
    notifier.publish_metrics([Metric(CHAMPIONS_ROLLED_BACK, 1)], group=group)


def compose_rollback(model: ModelMetadata, left: str | None) -> tuple[str, str]:
    """Return subject and body of the email about a rollback from the version `left`."""
    name = f"{model.model_group} {model.version}"
    lines = [
        f"{name} is in service again.",
        f"It was put back into service instead of {left} by {model.status_changed_by}.",
        f"Reason: {model.status_reason}",
        "",
        "Files that are dropped from now on are scored with it. Batches",
        f"that had begun are finished with {left}, and say so.",
        "",
        "Predictions that were made meanwhile stay where they are; their",
        "manifest.json names the version that made them.",
    ]
    return f"Rolled back: {name} is in service again", "\n".join(lines) + "\n"


def _notify_champion(promotion: Promotion, notifier: Notifier, *, is_rollback: bool) -> None:
    detail = describe_change(
        promotion.model, previous_champion=promotion.previous_champion, is_rollback=is_rollback
    )
    notifier.publish_event(event_names.CHAMPION_CHANGED, detail)
