"""Roll back to the previous champion: one transaction, then the notifications."""

from __future__ import annotations

from mlops.infrastructure.notifications import Notifier
from mlops.infrastructure.object_store import ObjectStore
from mlops.models.errors import RegistryError
from mlops.models.registry import Promotion
from mlops.registry.model_registry import ModelRegistry
from mlops.registry.promotion import check_artifact
from mlops.registry.promotion_notification import notify_rollback
from mlops.registry.tags import find_reason_problem


def roll_back(
    group: str,
    *,
    registry: ModelRegistry,
    notifier: Notifier,
    reason: str,
    by: str,
    only_from: str | None = None,
    to: str | None = None,
    objects: ObjectStore | None = None,
) -> Promotion:
    """Put the previous champion back into service, if its artifact still is what was approved.

    It publishes the event ChampionChanged, an email and a metric. With `only_from` a repeated call rolls back
    no further than the first one did, and sends the notifications again.

    Parameters
    ----------
    only_from
        The champion to replace: the one that the caller saw when deciding.
    to
        The archived version to go back to; default is the one that the champion replaced.

    Raises
    ------
    RegistryError
        If the reason is empty, or the group has no earlier champion.
    TransitionNotAllowedError
        If `only_from` is not the champion any more.
    ArtifactError
        If the artifact of the previous champion does not exist any more, or its bytes have changed.
    """
    if problem := find_reason_problem(reason, is_required=True):
        raise RegistryError(f"Nothing was rolled back: {problem}.")
    target = to or registry.predecessor(group, only_from)
    check_artifact(registry.get_model(group, target), objects)
    promotion = registry.rollback(group, to=target, only_from=only_from, by=by, reason=reason.strip())
    notify_rollback(promotion, notifier)
    return promotion
