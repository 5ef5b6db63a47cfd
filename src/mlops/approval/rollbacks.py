"""Rollbacks by email: an offer is sent with the news of a new champion, decided once, and completed once."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mlops.approval.decisions import describe_fault
from mlops.approval.store import OfferStore
from mlops.infrastructure.aws.clients import aws_errors
from mlops.infrastructure.clock import utc_now
from mlops.infrastructure.notifications import Notifier
from mlops.infrastructure.object_store import ObjectStore
from mlops.links.link import LIFETIMES, Purpose, hash_subject
from mlops.models.approval import RollbackDecision, RollbackOffer
from mlops.models.errors import ApprovalClosedError, ArtifactError, MlopsError, TransitionNotAllowedError
from mlops.registry.model_registry import ModelRegistry
from mlops.registry.promotion import check_artifact
from mlops.registry.rollback import roll_back

# The request that stores a decision also completes it; only after this long it may have failed.
COMPLETION_GRACE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class OpenedOffer:
    """An offer, with the id that goes into its links."""

    offer: RollbackOffer
    offer_id: str


@dataclass(frozen=True, slots=True)
class DecidedOffer:
    """An offer after an answer to it; `is_new` is False when it was decided before."""

    offer: RollbackOffer
    is_new: bool


@dataclass(frozen=True, slots=True)
class CompletionSummary:
    """How many decisions were completed, and the faults of the others; the next round tries again."""

    n_completed: int = 0
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RollbackService:
    """Stores offers to roll back, takes their decisions, and completes them."""

    table: OfferStore
    registry: ModelRegistry
    objects: ObjectStore
    notifier: Notifier
    now: Callable[[], datetime] = utc_now

    def offer(
        self,
        group: str,
        version: str,
        previous: str,
        approvers: Sequence[str],
        *,
        make_id: Callable[[], str] = lambda: secrets.token_urlsafe(24),
    ) -> OpenedOffer:
        """Store the offer to roll back from champion `version` to `previous`."""
        offer_id, now = make_id(), self.now()
        offer = RollbackOffer(
            id_hash=hash_subject(offer_id),
            group=group,
            version=version,
            previous=previous,
            artifact=self.registry.get_model(group, previous).artifact,
            approvers=tuple(approvers),
            created_at=now,
            expires_at=now + LIFETIMES[Purpose.ROLLBACK],
        )
        self.table.put(offer)
        return OpenedOffer(offer, offer_id)

    def answer(self, id_hash: str, decision: RollbackDecision) -> DecidedOffer:
        """Take a decision, once, and complete it.

        The decision is stored before it is completed, so a crash between the two does not lose it.

        Raises
        ------
        ApprovalClosedError
            If the offer does not exist or has expired, or its champion is not in service any more.
        ArtifactError
            If the artifact of the previous champion does not exist, or its bytes have changed.
        """
        while True:
            offer = self.table.get(id_hash)
            if offer is None or self.now() >= offer.expires_at:
                raise ApprovalClosedError("This offer has expired.")
            if offer.decision is not None:
                return DecidedOffer(offer, is_new=False)
            champion = self.registry.champion(offer.group)
            if champion is None or champion.version != offer.version:
                raise ApprovalClosedError(f"{offer.version} is not in service any more.")
            check_artifact(self.registry.get_model(offer.group, offer.previous), self.objects)
            stored = replace(offer, decision=decision, revision=offer.revision + 1)
            if self.table.put(stored):
                return DecidedOffer(self.complete(stored, decision), is_new=True)

    def complete(self, offer: RollbackOffer, decision: RollbackDecision) -> RollbackOffer:
        """Roll back as decided, notify people, and store that; a repeated call does not roll back further."""
        try:
            roll_back(
                offer.group,
                registry=self.registry,
                notifier=self.notifier,
                objects=self.objects,
                reason=decision.reason,
                by=decision.decided_by,
                only_from=offer.version,
                to=offer.previous,
            )
            outcome = f"{offer.previous} is in service again."
        except (TransitionNotAllowedError, ArtifactError) as error:
            outcome = f"Nothing was rolled back. {error}"
        done = replace(offer, is_carried_out=True, outcome=outcome, revision=offer.revision + 1)
        return done if self.table.put(done) else self.table.get(offer.id_hash) or done

    def complete_all(self) -> CompletionSummary:
        """Complete the decisions that a crash left; a fault with one offer does not stop the others."""
        n_completed, faults = 0, []
        for offer in self.table.open():
            if offer.decision is None or self.now() - offer.decision.decided_at < COMPLETION_GRACE:
                continue
            try:
                self.complete(offer, offer.decision)
                n_completed += 1
            except aws_errors(MlopsError) as fault:
                faults.append(describe_fault(offer, fault))
        return CompletionSummary(n_completed, tuple(faults))
