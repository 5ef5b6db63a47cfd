"""The registry of model versions, in DynamoDB or in a local file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from mlops.infrastructure.clock import utc_now
from mlops.infrastructure.contention import Backoff
from mlops.infrastructure.object_store import ObjectStore
from mlops.models.registry import Acknowledgement, Candidate, ModelMetadata, Registration
from mlops.models.training import EvaluationMetrics
from mlops.registry import changes
from mlops.registry.artifacts import describe_artifact
from mlops.registry.changes import AuditStamp
from mlops.registry.factory import open_store
from mlops.registry.lifecycle import Action
from mlops.registry.store import RegistryStore
from mlops.registry.tags import check_group, check_labels, with_labels
from mlops.registry.training_facts import local_training_facts
from mlops.registry.version_steps import VersionSteps


class ModelRegistry(VersionSteps):
    """Versions of models, their statuses, and the audit log of every change.

    Parameters
    ----------
    use_dynamodb
        True keeps the state in the table `table_name` (default: environment variable `REGISTRY_TABLE_NAME`),
        False in the file `registry.sqlite3` under `root`. Both give the same guarantees.
    actor
        Who is recorded when a call has no `by`; default is the name of the user.
    store, objects, now, backoff
        Replace the parts that reach outside: another store, another object storage, a clock, the retries.
    """

    def __init__(
        self,
        use_dynamodb: bool = False,  # noqa: FBT001, FBT002  the published signature
        *,
        root: str | Path = "model-registry",
        table_name: str | None = None,
        actor: str | None = None,
        store: RegistryStore | None = None,
        objects: ObjectStore | None = None,
        now: Callable[[], datetime] = utc_now,
        backoff: Backoff | None = None,
    ) -> None:
        store = store or open_store(use_dynamodb, root=root, table_name=table_name)
        super().__init__(store, backoff or Backoff(), objects, actor=actor, now=now)

    def register_model(  # noqa: PLR0913  the published signature
        self,
        model_group: str,
        model_artifact_path: str | Path,
        metrics: EvaluationMetrics | Mapping[str, Any],
        hyperparameters: Mapping[str, Any],
        dataset_version: str,
        algorithm: str,
        *,
        features: tuple[str, ...] = (),
        target: str | None = None,
        tags: Mapping[str, str] | None = None,
        notes: str = "",
        job_key: str | None = None,
        by: str | None = None,
    ) -> ModelMetadata:
        """Register a trained model as the next version of its group and return that version.

        The artifact (a file, a directory, or an `s3://` address) is read once for its digest. A local
        directory with a `training_result.json` also gives features, target, settings and importances.
        Registering again under the same `job_key` (such as the ARN of the training job) changes nothing and
        returns the version of the first time.

        Raises
        ------
        ArtifactError
            If nothing is at a local path.
        RegistryError
            If the name cannot be that of a group.
        """
        if not isinstance(metrics, EvaluationMetrics):
            metrics = EvaluationMetrics.from_dict(metrics, strict=True)
        path = str(model_artifact_path)
        arguments = {"features": tuple(features), "target": target, "tags": tags, "notes": notes}
        facts = local_training_facts(path) | {name: value for name, value in arguments.items() if value}
        artifact = describe_artifact(path, objects=self._objects)
        candidate = Candidate(algorithm, hyperparameters, metrics, dataset_version, artifact, **facts)
        return self.register(model_group, candidate, job_key=job_key, by=by).model

    def register(
        self,
        group: str,
        candidate: Candidate,
        *,
        job_key: str | None = None,
        evidence_root: str | None = None,
        by: str | None = None,
    ) -> Registration:
        """Register a candidate, once per `job_key`; see `register_model`."""
        check_group(group)
        check_labels(candidate.tags, candidate.notes)
        stamp = self._stamp(by, "; ".join(candidate.gate.reasons) if candidate.gate else "")

        def attempt() -> Registration:
            registered = self._store.version_of_job(group, job_key) if job_key else None
            if registered is not None:
                return Registration(self.get_model(group, registered), is_new=False)
            state = self._store.group_state(group)
            latest = self.get_model(group, state.latest) if state and state.latest else None
            change = changes.registration(
                group,
                candidate,
                stamp,
                state=state,
                latest=latest,
                evidence_root=evidence_root,
                job_key=job_key,
            )
            self._store.commit(change)
            return Registration(change.writes[0].model, is_new=True)

        return self._backoff.run(attempt)

    def annotate_model(
        self,
        group: str,
        version: str,
        *,
        tags: Mapping[str, str | None] | None = None,
        note: str = "",
        by: str | None = None,
    ) -> ModelMetadata:
        """Set tags (None removes one) and append a note; the audit log keeps both.

        Raises
        ------
        ModelNotFoundError
            If the version does not exist.
        RegistryError
            If a tag or the notes are too long.
        """
        stamp = self._stamp(by, note)

        def attempt() -> ModelMetadata:
            state, model = self._existing_state(group), self.get_model(group, version)
            labelled = with_labels(model, tags or {}, note)
            if labelled == model:
                return model
            self._store.commit(changes.annotation(state, labelled, stamp))
            return labelled

        return self._backoff.run(attempt)

    def snooze_drift(
        self, group: str, until: date | None, *, by: str | None = None, reason: str = ""
    ) -> ModelMetadata:
        """Keep emails and the alarm about drift of the champion back, up to the end of `until`.

        None ends a snooze. The next champion starts without one. The audit log records each change.

        Raises
        ------
        ModelNotFoundError
            If the group has no champion.
        """
        days = f"drift snoozed until {until}" if until else "snooze of drift ended"
        stamp = self._stamp(by, f"{days}: {reason}" if reason else days)

        def attempt() -> ModelMetadata:
            state, champion = self._existing_state(group), self.find_model(group, "champion")
            snoozed = replace(champion, drift_snoozed_until=until)
            if snoozed != champion:
                self._store.commit(changes.snooze(state, snoozed, stamp))
            return snoozed

        return self._backoff.run(attempt)

    def acknowledge_drift(self, group: str, night: date, *, by: str) -> ModelMetadata:
        """Keep emails about the drift alert of the champion that was announced on `night` back.

        They stay back until the alert is over. The first acknowledgement of an alert counts; the audit log
        records it.

        Raises
        ------
        ModelNotFoundError
            If the group has no champion.
        """
        stamp = self._stamp(by, f"drift alert of {night} acknowledged")

        def attempt() -> ModelMetadata:
            state, champion = self._existing_state(group), self.find_model(group, "champion")
            before = champion.drift_acknowledged
            if before is not None and before.night >= night:
                return champion
            acknowledged = replace(champion, drift_acknowledged=Acknowledgement(night, by))
            self._store.commit(changes.acknowledgement(state, acknowledged, stamp))
            return acknowledged

        return self._backoff.run(attempt)

    def record_answer(self, group: str, version: str, *, by: str, reason: str, at: datetime) -> None:
        """Record an answer to the version's approval request in the audit log, once.

        The answer that decides is part of the decision's own entry; this is for the answers before it.
        """

        def attempt() -> None:
            state, model = self._existing_state(group), self.get_model(group, version)
            answer = (Action.ANSWER, version, by, model.approval_request)
            if all((e.action, e.version, e.by, e.approval_request) != answer for e in self.audit(group)):
                self._store.commit(changes.answer(state, model, AuditStamp(by, reason, at)))

        self._backoff.run(attempt)
