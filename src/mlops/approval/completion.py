"""Decisions whose execution has ended before it carried them out: carried out without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from mlops.approval.decisions import ApprovalService
from mlops.approval.emails import NewChampion, mail_promotion
from mlops.approval.mailer import Mailer
from mlops.approval.rollbacks import RollbackService
from mlops.models.approval import ApprovalDecision, ApprovalRequest
from mlops.models.errors import ArtifactError
from mlops.models.registry import ModelMetadata, Promotion, Status
from mlops.registry.promotion import DeclineOutcome, check_artifact, decline, promote_approved
from mlops.registry.promotion_notification import notify_decline, notify_promotion

# A version in one of these has not left the stage of the decision.
_UNDECIDED = (Status.REGISTERED, Status.PENDING_APPROVAL, Status.APPROVED, Status.EXPIRED)
PROMOTION_GRACE = timedelta(hours=1)  # longer than the step of the state machine with its retries
_BY = "the check of the approvals"


@dataclass(frozen=True, slots=True)
class Completion:
    """Does what the state machine does after a decision; every step may be repeated.

    `mailer` sends the links to the rollback page.
    """

    service: ApprovalService
    rollbacks: RollbackService
    mailer: Mailer

    def carry_out(self, request: ApprovalRequest, decision: ApprovalDecision, *, execution: str) -> bool:
        """Carry out what an ended execution has left of a decision, and record that nothing is left.

        Only a changed artifact voids an approval: the version is rejected then. A newer version that is in
        service was approved later, so it stays, and the older one is superseded.

        Parameters
        ----------
        execution
            The status of the execution. When it has not succeeded, the notifications may be missing, and are
            sent again.

        Returns
        -------
        bool
            Whether something was left to do.
        """
        model = self.service.registry.get_model(request.group, request.version)
        is_left = model.approval_request == request.id_hash and _is_left(model, decision, execution)
        if is_left:
            self._settle(model, decision)
        self.service.table.put(replace(request, is_carried_out=True, revision=request.revision + 1))
        return is_left

    def forgotten(self) -> Iterator[ModelMetadata]:
        """Yield the versions that were approved automatically, without a request, and are not in service yet.

        Only the last version of a group is considered: a newer one replaces an older one anyway.
        """
        registry = self.service.registry
        for group in registry.groups():
            model = registry.find_model(group, "latest")
            is_automatic = model.status is Status.APPROVED and model.approval_request is None
            approved_at = model.status_changed_at or model.created_at
            if is_automatic and self.service.now() - approved_at > PROMOTION_GRACE:
                yield model

    def promote(self, model: ModelMetadata, *, by: str, reason: str) -> None:
        """Put an approved version into service that has no request; a changed artifact is rejected.

        Raises
        ------
        TransitionNotAllowedError
            If the version is not approved.
        """

        def promote() -> Promotion:
            check_artifact(model, self.rollbacks.objects)
            return self.service.registry.promote_model(model.model_group, model.version, by=by, reason=reason)

        self._promote(model, promote, by)

    def _settle(self, model: ModelMetadata, decision: ApprovalDecision) -> None:
        group, registry = model.model_group, self.service.registry
        if model.status is Status.EXPIRED:
            registry.reopen(group, model.version, by=_BY, reason="It was decided within the time limit.")
        if decision.decision != "approved":
            outcome: DeclineOutcome = "Rejected" if decision.decision == "rejected" else "Superseded"
            self._decline(model, outcome, decision.decided_by, decision.reason)
            return
        champion = registry.champion(group)
        if champion is not None and champion.number > model.number:
            reason = f"{champion.version} is newer, and was approved before this approval was carried out."
            self._decline(model, "Superseded", _BY, reason)
            return
        self._promote(model, lambda: self._promote_approved(model, decision), decision.decided_by)

    def _promote_approved(self, model: ModelMetadata, decision: ApprovalDecision) -> Promotion:
        registry, objects = self.service.registry, self.rollbacks.objects
        return promote_approved(
            model.model_group, model.version, decision, registry=registry, objects=objects
        )

    def _promote(self, model: ModelMetadata, promote: Callable[[], Promotion], by: str) -> None:
        try:
            promotion = promote()
        except ArtifactError as error:
            self._decline(model, "Rejected", _BY, f"The approval has no effect. {error}")
        else:
            self._notify_promotion(promotion, by)

    def _decline(self, model: ModelMetadata, outcome: DeclineOutcome, by: str, reason: str) -> None:
        group, registry = model.model_group, self.service.registry
        declined = decline(group, model.version, outcome, registry=registry, by=by, reason=reason)
        notify_decline(declined, registry.champion(group), self.rollbacks.notifier)

    def _notify_promotion(self, promotion: Promotion, decided_by: str) -> None:
        model = promotion.model
        notify_promotion(promotion, self.rollbacks.notifier)
        summary = f"{model.model_group} {model.version}: {model.algorithm}."
        news = NewChampion(model.model_group, model.version, decided_by, summary, promotion.previous_champion)
        mail_promotion(news, self.rollbacks, self.mailer)


def _is_left(model: ModelMetadata, decision: ApprovalDecision, execution: str) -> bool:
    """Return whether an execution with this status has left something of a decision to do."""
    if model.status in _UNDECIDED:
        return True
    decided = Status.CHAMPION if decision.decision == "approved" else Status.REJECTED
    return model.status is decided and execution != "SUCCEEDED"
