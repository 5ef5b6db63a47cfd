"""A requested retraining is started: its training set is made once, and trained on once.

A run may be killed at any point and repeated. What it has made is recorded before it goes on: the rows of the
ledger may have changed until the next run, which must not train on other ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mlops.dataset.catalog.acceptance import AcceptedFile, accept_dataset
from mlops.dataset.conversion.table_file import CONVERTED_TABLE
from mlops.infrastructure.event_names import RETRAINING_STARTED
from mlops.infrastructure.upload_events import Upload
from mlops.intake.ports import IntakePorts
from mlops.intake.retraining.emails import compose_refusal, compose_start
from mlops.intake.retraining.planning import RetrainingPlanner, counts_of
from mlops.intake.retraining.requests import retraining_detail
from mlops.intake.retraining.store import RetrainingStore
from mlops.intake.retraining.training_set import TrainingSet
from mlops.intake.starts import start_training
from mlops.intake.trainings import command_to_raise, describe_limit
from mlops.models.dataset import ValidationReport
from mlops.models.errors import DatasetError, SettingsError, TrainingError
from mlops.models.intake.retraining import Retraining
from mlops.models.objects import ObjectRef
from mlops.models.settings.group import GroupSettings

PREFIX = "retraining/"


@dataclass(frozen=True, slots=True)
class RetrainingStart:
    """Makes training sets of requested retrainings and starts their trainings."""

    store: RetrainingStore
    planner: RetrainingPlanner
    ports: IntakePorts

    def start(self, group: str, retraining_id: str, now: datetime) -> Retraining:
        """Start a requested retraining; a repeated call returns the result of the first one.

        Raises
        ------
        TrainingError
            If there is no such retraining, or no one has requested it.
        """
        retraining = self.store.find(group, retraining_id)
        if retraining is None or retraining.status == "proposed":
            raise TrainingError(f"{group} has no requested retraining {retraining_id}.")
        if retraining.status == "requested" and retraining.dataset_id is None:
            retraining = self._make(retraining, now)
        if retraining.status == "requested":
            retraining = self._train(retraining, now)
        return self._announce(retraining)

    def _make(self, retraining: Retraining, now: datetime) -> Retraining:
        """Make the training set, and record it or why there is none."""
        try:
            with self.planner.plan(retraining.group, now) as made:
                problems = self.ports.policies.of(retraining.group, made.settings).problems
                if problem := made.problem or next(iter(problems), ""):
                    return self._refuse(retraining, problem, counts_of(made))
                return self._accept(retraining, made, now)
        except (DatasetError, SettingsError, TrainingError) as error:
            return self._refuse(retraining, str(error), {})

    def _accept(self, retraining: Retraining, made: TrainingSet, now: datetime) -> Retraining:
        objects, bucket = self.ports.objects, self.ports.artifact_bucket
        key = f"{PREFIX}{retraining.group}/{retraining.retraining_id}/{CONVERTED_TABLE}"
        content = objects.upload(made.path, ObjectRef(bucket, key), "text/csv")
        upload = Upload(bucket, key, content.version_id, made.report.size_bytes)
        dataset = accept_dataset(
            AcceptedFile(upload, retraining.group, made.report, made.settings, content, made.lineage),
            self.ports,
            now,
        )
        return self.store.save(
            retraining,
            content=content,
            dataset_id=dataset.dataset_id,
            settings=made.settings.to_dict(),
            **counts_of(made),
        )

    def _train(self, retraining: Retraining, now: datetime) -> Retraining:
        """Start the training of the recorded set; its execution has a name that is started once."""
        dataset = self.ports.versions.find_dataset(retraining.group, str(retraining.dataset_id))
        if dataset is None or retraining.content is None or retraining.settings is None:
            return self._refuse(retraining, "Its training set is not stored any more.", {})
        report = ValidationReport.from_json(self.ports.objects.read(dataset.report_ref))
        content = retraining.content
        upload = Upload(content.bucket, content.key, content.version_id, dataset.size_bytes)
        settings = GroupSettings.from_dict(retraining.settings)
        limit = self.ports.policies.of(retraining.group, settings).max_trainings_per_day
        start = start_training(
            dataset, upload, report, settings, self.ports, max_trainings_per_day=limit, now=now
        )
        if start is None:
            return self._refuse(retraining, _delayed(retraining.group, limit), {})
        if not start.is_new:
            problem = f"The same rows were trained on before (training {start.training.training_id[:12]})."
            return self._refuse(retraining, problem, {})
        return self.store.save(retraining, status="started", training_id=start.training.training_id)

    def _refuse(self, retraining: Retraining, problem: str, counts: dict[str, object]) -> Retraining:
        return self.store.save(retraining, status="refused", problem=problem, **counts)

    def _announce(self, retraining: Retraining) -> Retraining:
        """Send what is due; after a crash in between it is sent again."""
        notifier, status = self.ports.notifier, retraining.status
        if retraining.announced == status:
            return retraining
        if status == "refused":
            notifier.send_email(*compose_refusal(retraining), group=retraining.group)
        elif status == "started":
            if retraining.is_automatic:
                notifier.send_email(*compose_start(retraining), group=retraining.group)
            notifier.publish_event(RETRAINING_STARTED, retraining_detail(retraining))
        return self.store.save(retraining, announced=status)


def _delayed(group: str, limit: int) -> str:
    command = command_to_raise(group)
    return f"{describe_limit(limit)} Use `mlops retrain {group}` tomorrow, or raise the limit: `{command}`."
