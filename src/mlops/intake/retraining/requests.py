"""A retraining is requested: on the page of a proposal, by command, or by the policy of the group."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mlops.infrastructure.event_names import RETRAINING_REQUESTED
from mlops.infrastructure.notifications import Notifier
from mlops.intake.retraining.store import RetrainingStore, retraining_id_at
from mlops.models.errors import TrainingError
from mlops.models.intake.retraining import Retraining
from mlops.models.registered import Champions


@dataclass(frozen=True, slots=True)
class RetrainingRequests:
    """Records who wants a retraining; an event then starts the function that makes its training set.

    `artifact_bucket` says in the event of which stack it is.
    """

    store: RetrainingStore
    champions: Champions
    notifier: Notifier
    artifact_bucket: str

    def request(self, retraining: Retraining, *, by: str, now: datetime) -> Retraining:
        """Request a proposed retraining, once: a repeated call returns what the first one did.

        Raises
        ------
        TrainingError
            If another version is in service, or a newer retraining was made since.
        """
        if retraining.status == "proposed":
            if problem := self.find_problem(retraining):
                raise TrainingError(problem)
            retraining = self.store.save(retraining, status="requested", requested_by=by, requested_at=now)
        self.announce(retraining)
        return retraining

    def request_now(self, group: str, *, by: str, now: datetime) -> Retraining:
        """Request a retraining that was not proposed.

        Raises
        ------
        TrainingError
            If the group has no champion, or another retraining has not started yet.
        """
        champion, newest = self.champions.champion(group), self.store.newest(group)
        if champion is None:
            raise no_champion(group)
        if newest is not None and newest.status == "requested":
            self.announce(newest)  # the event may be lost
            raise TrainingError(f"A retraining of {group} was requested by {newest.requested_by} already.")
        retraining = Retraining(
            group,
            retraining_id_at(now, champion.version),
            champion.version,
            (f"{by} requested it.",),
            "requested",
            now,
            requested_by=by,
            requested_at=now,
        )
        if not self.store.add(retraining, newest):
            raise TrainingError(f"Another retraining of {group} was requested at the same moment.")
        self.announce(retraining)
        return retraining

    def announce(self, retraining: Retraining) -> None:
        """Start the function that makes the training set, as long as nothing has come of it."""
        if retraining.status == "requested":
            detail = {
                "group": retraining.group,
                "retraining_id": retraining.retraining_id,
                "artifact_bucket": self.artifact_bucket,
            }
            self.notifier.publish_event(RETRAINING_REQUESTED, detail)

    def find_problem(self, retraining: Retraining) -> str:
        """Return why a proposal is not valid any more; empty while it is."""
        champion, newest = self.champions.champion(retraining.group), self.store.newest(retraining.group)
        if champion is None or champion.version != retraining.champion:
            return f"It was about {retraining.champion}, which is not in service any more."
        if newest is not None and newest.retraining_id != retraining.retraining_id:
            return f"A newer retraining of {retraining.group} was proposed or requested since."
        return ""


def no_champion(group: str) -> TrainingError:
    """Return the error about a group without a version to train again."""
    return TrainingError(
        f"The group {group} has no approved model; drop a training file and approve its version."
    )


def retraining_detail(retraining: Retraining) -> dict[str, object]:
    """Return the content of the events about a retraining."""
    return {
        "group": retraining.group,
        "retraining_id": retraining.retraining_id,
        "champion": retraining.champion,
        "reasons": list(retraining.reasons),
        "files_rows": retraining.files_rows,
        "ledger_rows": retraining.ledger_rows,
        "n_new_rows": retraining.n_new_rows,
        "requested_by": retraining.requested_by,
        "training_id": retraining.training_id,
        "dataset_id": retraining.dataset_id,
    }
