"""The check whether groups should be trained again: proposals by email, or starts without a question."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from mlops.approval.policy.effective import effective_retraining
from mlops.approval.policy.store import PolicyStore
from mlops.infrastructure.event_names import RETRAINING_PROPOSED
from mlops.infrastructure.notifications import Notifier
from mlops.intake.retraining.emails import compose_proposal
from mlops.intake.retraining.planning import RetrainingPlanner, counts_of
from mlops.intake.retraining.reasons import ChampionFacts, find_reasons, is_allowed_day, reason_of_labels
from mlops.intake.retraining.requests import RetrainingRequests, retraining_detail
from mlops.intake.retraining.store import RetrainingStore, retraining_id_at
from mlops.links.page_links import PageLinks
from mlops.models.errors import DatasetError, SettingsError, TrainingError
from mlops.models.intake.retraining import Retraining
from mlops.models.record import Record
from mlops.models.registered import RegisteredModels
from mlops.models.registry import WAITING, ModelMetadata
from mlops.models.settings.retrain import RetrainSettings
from mlops.use_cases.drift.drift_archive import NightlyArchive
from mlops.use_cases.every_group import check_every_group
from mlops.use_cases.quality.quality_archive import QualityArchive

_BY_POLICY = "the policy of the group"


@dataclass(frozen=True, slots=True)
class CheckedRetraining(Record):
    """The result for one group: a code, so that it may be logged."""

    group: str
    outcome: str
    retraining_id: str | None = None


@dataclass(frozen=True, slots=True)
class RetrainingCheck:
    """The check, with what it reads and where proposals are sent."""

    versions: RegisteredModels
    planner: RetrainingPlanner
    requests: RetrainingRequests
    policies: PolicyStore
    drift: NightlyArchive
    quality: QualityArchive
    notifier: Notifier
    links: PageLinks

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
        return check_every_group(
            self.versions.groups(),
            lambda group: [self.check(group, now)],
            lambda causes: TrainingError(f"Not checked for retraining: {causes}"),
        )

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
        if obstacle := self._obstacle(champion, newest, retrain, now):
            return CheckedRetraining(group, obstacle)
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

    def _obstacle(
        self, champion: ModelMetadata, newest: Retraining | None, retrain: RetrainSettings, now: datetime
    ) -> str:
        """Return why nothing may be proposed now, as a code; empty when it may."""
        if not is_allowed_day(retrain, now):
            return "not_today"
        cool_down = timedelta(days=retrain.cool_down_days)
        if newest is not None and (now - newest.created_at < cool_down or newest.status == "requested"):
            return "cool_down"
        waiting = self.versions.list_models(champion.model_group, WAITING)
        return "in_progress" if any(model.number > champion.number for model in waiting) else ""

    def _make(self, champion: ModelMetadata, retrain: RetrainSettings, now: datetime) -> Retraining | str:
        """Return the proposal, or why there is none as a code."""
        group = champion.model_group
        facts = ChampionFacts(
            champion, self.drift.state(group), self.quality.state(group), self.quality.last_report(group)
        )
        reasons = list(find_reasons(facts, retrain, now))
        try:
            if not reasons and not self._has_labels(group, retrain, now):
                return "no_reason"
            with self.planner.plan(group, now) as made:
                reasons += reason_of_labels(made.n_new_labels, retrain)
                if not reasons:  # labels were removed since they were counted
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

    def _has_labels(self, group: str, retrain: RetrainSettings, now: datetime) -> bool:
        """Return whether enough labelled rows came; they are counted first, as a training set is large."""
        if retrain.new_labels is None:
            return False
        return self.planner.count_new_labels(group, now) >= retrain.new_labels

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
        not_before = (retraining.created_at + timedelta(days=cool_down)).date()
        link = self.links.make(retraining.group, retraining.retraining_id, retraining.created_at)
        subject, body = compose_proposal(retraining, link, not_before)
        self.notifier.send_email(subject, body, group=retraining.group)
        self.notifier.publish_event(RETRAINING_PROPOSED, retraining_detail(retraining))
        return self.store.save(retraining, announced="proposed")


def _requested_by_policy(made: Retraining, now: datetime) -> Retraining:
    return replace(made, status="requested", requested_by=_BY_POLICY, requested_at=now, is_automatic=True)
