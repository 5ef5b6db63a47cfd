"""The check whether groups should be trained again: proposals by email, or starts without a question."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from mlops.approval.policy.effective import effective_retraining
from mlops.approval.policy.store import PolicyStore
from mlops.infrastructure.event_names import RETRAINING_PROPOSED
from mlops.infrastructure.notifications import Notifier
from mlops.intake.retraining.emails import compose_proposal
from mlops.intake.retraining.links import RetrainingLinks
from mlops.intake.retraining.planning import RetrainingPlanner, counts_of
from mlops.intake.retraining.reasons import ChampionFacts, find_reasons, is_allowed_day, reason_of_labels
from mlops.intake.retraining.requests import RetrainingRequests
from mlops.intake.retraining.store import RetrainingStore, retraining_id_at
from mlops.models.errors import DatasetError, SettingsError, TrainingError
from mlops.models.record import Record
from mlops.models.registry import ModelMetadata, Status
from mlops.models.retraining import Retraining
from mlops.models.settings.retrain import RetrainSettings
from mlops.use_cases.drift.drift_archive import NightlyArchive
from mlops.use_cases.quality.quality_archive import QualityArchive

_WAITING = (Status.REGISTERED, Status.PENDING_APPROVAL, Status.APPROVED)
_BY_POLICY = "the policy of the group"


class Versions(Protocol):
    """The part of the registry that the check needs."""

    def groups(self) -> list[str]:
        """Return the names of all groups."""

    def champion(self, group: str) -> ModelMetadata | None:
        """Return the version in service; None before the first promotion."""

    def list_models(self, group: str) -> list[ModelMetadata]:
        """Return all versions of a group."""


@dataclass(frozen=True, slots=True)
class CheckedRetraining(Record):
    """The result for one group: a code, so that it may be logged."""

    group: str
    outcome: str
    retraining_id: str | None = None


@dataclass(frozen=True, slots=True)
class RetrainingCheck:
    """The check, with what it reads and where proposals are sent."""

    versions: Versions
    planner: RetrainingPlanner
    requests: RetrainingRequests
    policies: PolicyStore
    drift: NightlyArchive
    quality: QualityArchive
    notifier: Notifier
    links: RetrainingLinks

    @property
    def store(self) -> RetrainingStore:
        """The records."""
        return self.requests.store

    def run(self, now: datetime) -> list[CheckedRetraining]:
        """Check every group; one that fails does not stop the others.

        Raises
        ------
        TrainingError
            At the end, if a group could not be checked; the causes are attached.
        """
        checked: list[CheckedRetraining] = []
        failures: dict[str, Exception] = {}
        for group in self.versions.groups():
            try:
                checked.append(self.check(group, now))
            except Exception as error:  # noqa: BLE001  the other groups must be checked; raised below
                failures[group] = error
        if failures:
            causes = "; ".join(f"{group}: {type(error).__name__}" for group, error in failures.items())
            raise TrainingError(
                f"{len(failures)} groups could not be checked for retraining. {causes}"
            ) from ExceptionGroup("failed groups", list(failures.values()))
        return checked

    def check(self, group: str, now: datetime) -> CheckedRetraining:
        """Check one group: send what is due, and propose or request a retraining where there is a reason."""
        newest = self._announce(self.store.newest(group))
        champion = self.versions.champion(group)
        if champion is None:
            return CheckedRetraining(group, "no_champion")
        retrain = self._settings_of(champion)
        policy, note = effective_retraining(self.policies.get(group), retrain)
        if policy == "never":
            return CheckedRetraining(group, "never")
        if quiet := self._why_quiet(champion, newest, retrain, now):
            return CheckedRetraining(group, quiet)
        made = self._make(champion, retrain, now)
        if isinstance(made, str):
            return CheckedRetraining(group, made)
        made = replace(made, note=note) if policy == "propose" else _requested_by_policy(made, now)
        if not self.store.add(made, newest):
            return CheckedRetraining(group, "cool_down")  # another run of the check was faster
        self._announce(made)
        return CheckedRetraining(group, made.status, made.retraining_id)

    def _settings_of(self, champion: ModelMetadata) -> RetrainSettings:
        """Return `[retrain]` as it is now; a bad `model.toml` was reported when it was dropped."""
        try:
            return self.planner.settings_of(champion.model_group).retrain
        except SettingsError:
            return champion.settings.retrain

    def _why_quiet(
        self, champion: ModelMetadata, newest: Retraining | None, retrain: RetrainSettings, now: datetime
    ) -> str:
        """Return why nothing may be proposed now, as a code; empty when it may."""
        if not is_allowed_day(retrain, now):
            return "not_today"
        cool_down = timedelta(days=retrain.cool_down_days)
        if newest is not None and (now - newest.created_at < cool_down or newest.status == "requested"):
            return "cool_down"
        later = [m for m in self.versions.list_models(champion.model_group) if m.number > champion.number]
        return "in_progress" if any(model.status in _WAITING for model in later) else ""

    def _make(self, champion: ModelMetadata, retrain: RetrainSettings, now: datetime) -> Retraining | str:
        """Return the proposal, or why there is none as a code."""
        group = champion.model_group
        facts = ChampionFacts(
            champion, self.drift.state(group), self.quality.state(group), self.quality.last_report(group)
        )
        reasons = list(find_reasons(facts, retrain, now))
        if not reasons and retrain.new_labels is None:
            return "no_reason"
        try:
            with self.planner.plan(group, now) as made:
                reasons = [*reasons, *reason_of_labels(made.n_new_labels, retrain)]
                if not reasons:
                    return "no_reason"
                if made.n_new_rows < retrain.min_new_rows:
                    return "too_few_rows"
                if made.problem:
                    return "not_possible"
                counts, n_rows = counts_of(made), made.report.n_rows
        except (DatasetError, SettingsError, TrainingError):
            return "not_possible"
        return Retraining(
            group,
            retraining_id_at(now.astimezone(UTC), champion.version),
            champion.version,
            tuple(reasons),
            "proposed",
            now,
            cost=self.planner.cost(group, n_rows),
            **counts,
        )

    def _announce(self, retraining: Retraining | None) -> Retraining | None:
        """Send what was not sent about a retraining; after a crash in between it is sent again."""
        if retraining is None:
            return None
        self.requests.announce(retraining)
        if retraining.status != "proposed" or retraining.announced:
            return retraining
        champion = self.versions.champion(retraining.group)
        retrain = self._settings_of(champion) if champion else RetrainSettings()
        cool_down = retrain.cool_down_days
        quiet_until = (retraining.created_at + timedelta(days=cool_down)).date()
        link = self.links.make(retraining)
        subject, body = compose_proposal(retraining, link, quiet_until)
        self.notifier.send_email(subject, body, group=retraining.group)
        self.notifier.publish_event(RETRAINING_PROPOSED, retraining_detail(retraining))
        return self.store.save(retraining, announced="proposed")


def _requested_by_policy(made: Retraining, now: datetime) -> Retraining:
    return replace(made, status="requested", requested_by=_BY_POLICY, requested_at=now, is_automatic=True)


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
