"""The registry of model versions: the public face over a store in DynamoDB or in plain files."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from mlops.infrastructure.clock import utc_now
from mlops.infrastructure.contention import Backoff
from mlops.infrastructure.object_store import ObjectStore
from mlops.models.errors import RegistryConflictError, RegistryError, TransitionNotAllowedError
from mlops.models.registry import Candidate, GroupState, ModelMetadata, Promotion, Registration, Status
from mlops.models.tags import check_group, check_labels, with_labels
from mlops.models.training import EvaluationMetrics
from mlops.registry import changes
from mlops.registry.artifacts import describe_artifact
from mlops.registry.changes import AuditStamp
from mlops.registry.factory import open_store
from mlops.registry.lifecycle import TRANSITIONS, Action
from mlops.registry.store import RegistryStore
from mlops.registry.training_facts import local_training_facts
from mlops.registry.view import RegistryView


class ModelRegistry(RegistryView):
    """Versions of models, their life, and who changed it.

    Parameters
    ----------
    use_dynamodb
        True keeps the state in the table `table_name` (default: environment variable `REGISTRY_TABLE_NAME`),
        False in files under `root`. Both give the same guarantees.
    actor
        Who is recorded when a call does not say `by`; default is the name of the user.
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
        super().__init__(store, backoff or Backoff(), objects)
        self._actor = actor
        self._now = now

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
        directory with a `training_result.json` also tells features, target, settings and importances.

        Parameters
        ----------
        job_key
            Identity of the work that made the model, such as the ARN of the training job. Registering under
            the same key again changes nothing and returns the version that is there.

        Raises
        ------
        ArtifactError
            If there is nothing at a local path.
        RegistryError
            If the name of the group is not one.
        """
        if not isinstance(metrics, EvaluationMetrics):
            metrics = EvaluationMetrics.from_dict(metrics, strict=True)
        path = str(model_artifact_path)
        message = {"features": tuple(features), "target": target, "tags": tags, "notes": notes}
        facts = local_training_facts(path) | {name: value for name, value in message.items() if value}
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
            known = self._store.version_of_job(group, job_key) if job_key else None
            if known is not None:
                return Registration(self.get_model(group, known), is_new=False)
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

    def request_approval(
        self, group: str, version: str, approval_request: str, *, by: str | None = None
    ) -> ModelMetadata:
        """Record that people were asked; `approval_request` is the hash of the request's id."""
        return self._step(group, version, Action.REQUEST_APPROVAL, self._stamp(by, ""), approval_request)

    def approve_model(
        self, group: str, version: str, *, by: str | None = None, reason: str = ""
    ) -> ModelMetadata:
        """Approve a version. It serves only after `promote_model`; approving twice changes nothing.

        Raises
        ------
        ModelNotFoundError
            If there is no such version.
        TransitionNotAllowedError
            If its status does not allow it, for instance because its gate refused it. The same holds for
            `reject_model`, `expire`, `supersede`, `archive`, `promote_model` and `rollback`.
        """
        return self._step(group, version, Action.APPROVE, self._stamp(by, reason))

    def reject_model(
        self, group: str, version: str, *, by: str | None = None, reason: str = ""
    ) -> ModelMetadata:
        """Reject a version for good."""
        return self._step(group, version, Action.REJECT, self._stamp(by, reason))

    def expire(self, group: str, version: str, *, by: str | None = None, reason: str = "") -> ModelMetadata:
        """Record that nobody decided in time."""
        return self._step(group, version, Action.EXPIRE, self._stamp(by, reason))

    def reopen(self, group: str, version: str, *, by: str | None = None, reason: str = "") -> ModelMetadata:
        """Let an expired version be asked about again."""
        return self._step(group, version, Action.REOPEN, self._stamp(by, reason))

    def supersede(
        self, group: str, version: str, *, by: str | None = None, reason: str = ""
    ) -> ModelMetadata:
        """Record that a newer candidate took the version's place before anybody decided."""
        return self._step(group, version, Action.SUPERSEDE, self._stamp(by, reason))

    def archive(self, group: str, version: str, *, by: str | None = None, reason: str = "") -> ModelMetadata:
        """Put away an approved version that never became champion; the champion is only ever replaced."""
        if self.get_model(group, version).status is Status.CHAMPION:
            raise RegistryError(
                f"{group} {version} is the champion; promote another version or roll back instead."
            )
        return self._step(group, version, Action.ARCHIVE, self._stamp(by, reason))

    def promote_model(
        self, group: str, version: str, *, by: str | None = None, reason: str = ""
    ) -> Promotion:
        """Make an approved version the champion and archive the one before, in one step."""
        return self._promote(group, version, Action.PROMOTE, self._stamp(by, reason))

    def rollback(
        self,
        group: str,
        *,
        to: str | None = None,
        only_from: str | None = None,
        by: str | None = None,
        reason: str = "",
    ) -> Promotion:
        """Make an archived version champion again: `to`, or the one that the champion took over from.

        With `only_from`, the champion that is to leave, a repeated call changes nothing.

        Raises
        ------
        RegistryError
            If the champion is the group's first one, so that there is nothing to go back to.
        TransitionNotAllowedError
            If neither `only_from`, when given, nor `to` is the champion.
        """
        target = to or self.predecessor(group, only_from)
        return self._promote(group, target, Action.ROLL_BACK, self._stamp(by, reason), only_from)

    def annotate_model(
        self,
        group: str,
        version: str,
        *,
        tags: Mapping[str, str | None] | None = None,
        note: str = "",
        by: str | None = None,
    ) -> ModelMetadata:
        """Set tags (None takes one away) and add a note to those that are there; both stay in the audit log.

        Raises
        ------
        ModelNotFoundError
            If there is no such version.
        RegistryError
            If a tag or the notes are longer than they may be.
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

    def record_answer(self, group: str, version: str, *, by: str, reason: str, at: datetime) -> None:
        """Keep in the audit log what somebody answered to the version's approval request, once.

        The answer that decides is part of the decision's own entry; this is for those that wait for others.
        """

        def attempt() -> None:
            state, model = self._existing_state(group), self.get_model(group, version)
            message = (Action.ANSWER, version, by, model.approval_request)
            if all((e.action, e.version, e.by, e.approval_request) != message for e in self.audit(group)):
                self._store.commit(changes.answer(state, model, AuditStamp(by, reason, at)))

        self._backoff.run(attempt)

    def _step(
        self, group: str, version: str, action: Action, stamp: AuditStamp, approval_request: str | None = None
    ) -> ModelMetadata:
        def attempt() -> ModelMetadata:
            state, model = self._existing_state(group), self.get_model(group, version)
            is_done = model.status is TRANSITIONS[action].target
            if is_done and approval_request in (None, model.approval_request):
                return model
            with self._refusing(group, state):
                change = changes.step(state, model, action, stamp, approval_request=approval_request)
            self._store.commit(change)
            return change.writes[0].model

        return self._backoff.run(attempt)

    def _promote(
        self, group: str, version: str, action: Action, stamp: AuditStamp, only_from: str | None = None
    ) -> Promotion:
        def attempt() -> Promotion:
            state, model = self._existing_state(group), self.get_model(group, version)
            if state.champion == version:
                return Promotion(model, self.promotion(group, version).previous_champion, is_new=False)
            if only_from not in (None, state.champion):
                raise TransitionNotAllowedError(
                    f"{state.champion} is the champion of {group}, not {only_from}."
                )
            champion = self.get_model(group, state.champion) if state.champion else None
            with self._refusing(group, state):
                change = changes.promotion(state, model, action, stamp, champion=champion)
            self._store.commit(change)
            return Promotion(change.writes[0].model, state.champion, is_new=True)

        return self._backoff.run(attempt)

    @contextmanager
    def _refusing(self, group: str, state: GroupState) -> Iterator[None]:
        """Let a refusal through only when it was judged on one moment's state, not on two mixed by a race."""
        try:
            yield
        except TransitionNotAllowedError as refusal:
            if self._store.group_state(group) == state:
                raise
            raise RegistryConflictError(f"{group} changed while it was read.") from refusal

    def _stamp(self, by: str | None, reason: str) -> AuditStamp:
        return AuditStamp(by or self._actor or getpass.getuser(), reason, self._now())
