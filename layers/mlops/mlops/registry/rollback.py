"""Back to the champion before: one transaction, and then everybody hears of it."""

from __future__ import annotations

from mlops.errors import RegistryError
from mlops.infrastructure.announcing import Announcer
from mlops.infrastructure.cloudwatch import Metric
from mlops.infrastructure.event_names import CHAMPION_CHANGED
from mlops.infrastructure.metric_names import CHAMPIONS_ROLLED_BACK
from mlops.infrastructure.objects import ObjectStore
from mlops.models.registry import ModelMetadata, Promotion
from mlops.registry.model_registry import ModelRegistry
from mlops.registry.promotion import check_artifact, describe_change


def roll_back(
    group: str,
    *,
    registry: ModelRegistry,
    announcer: Announcer,
    reason: str,
    by: str,
    only_from: str | None = None,
    to: str | None = None,
    objects: ObjectStore | None = None,
) -> Promotion:
    """Put the previous champion back into service, if its artifact still is what was approved.

    It publishes the event ChampionChanged, a mail and a metric. With `only_from` a repeated call rolls back
    no further than the first one did, and tells everybody again.

    Parameters
    ----------
    reason
        Why; it stands in the audit log for good.
    only_from
        The champion that is to leave: what the caller saw when deciding.
    to
        The archived version to go back to; default is the one that the champion took over from.

    Raises
    ------
    RegistryError
        If no reason is given, or there is nothing to go back to.
    TransitionNotAllowedError
        If `only_from` is not the champion any more.
    ArtifactError
        If the artifact of the previous champion is gone, or its bytes have changed.
    """
    if not reason.strip():
        raise RegistryError("A rollback needs a reason: say what is wrong with the champion.")
    target = to or registry.predecessor(group, only_from)
    check_artifact(registry.get_model(group, target), objects)
    promotion = registry.rollback(group, to=target, only_from=only_from, by=by, reason=reason.strip())
    model = promotion.model
    detail = describe_change(model, previous_champion=promotion.previous_champion, is_rollback=True)
    announcer.event(CHAMPION_CHANGED, detail)
    announcer.mail(*compose_rollback(model, promotion.previous_champion), group=group)
    announcer.metrics([Metric(CHAMPIONS_ROLLED_BACK, 1)], group=group)
    return promotion


def compose_rollback(model: ModelMetadata, left: str | None) -> tuple[str, str]:
    """Return subject and body of the mail about a rollback away from the version `left`."""
    name = f"{model.model_group} {model.version}"
    lines = [
        f"{name} is in service again.",
        f"It was put back in place of {left} by {model.status_changed_by}.",
        f"Reason: {model.status_reason}",
        "",
        "Files that are dropped from now on are scored with it. Batches",
        f"that had begun are finished with {left}, and say so.",
        "",
        "Predictions that were made meanwhile stay where they are; their",
        "manifest.json names the version that made them.",
    ]
    return f"Rolled back: {name} is in service again", "\n".join(lines) + "\n"
